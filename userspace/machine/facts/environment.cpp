#include "userspace/machine/facts/environment.h"

#include <utility>

#include "userspace/machine/facts/parts.h"

namespace gilscope {

Facts capture_environment(const Box& box, const std::optional<std::string>& signature) {
  FactList facts;
  add_kernel_facts(box, facts);
  add_cpu_facts(box, facts);
  add_virtualization_facts(box, signature, facts);
  add_process_facts(box, facts);
  add_interrupt_facts(box, facts);
  add_host_facts(box, facts);
  return facts.take();
}

Facts capture_environment() {
  Facts facts = capture_environment(Box(), hypervisor_signature());
  FactList tool;
  add_tool_facts(tool);
  for (Fact& fact : tool.take()) facts.push_back(std::move(fact));
  return facts;
}

}  // namespace gilscope
