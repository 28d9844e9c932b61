#include "userspace/machine/facts/environment.h"

#include <utility>

#include "userspace/machine/facts/parts.h"

namespace gilscope {

Facts capture_environment(const Machine& machine, const std::optional<std::string>& signature) {
  FactList facts;
  add_kernel_facts(machine, facts);
  add_cpu_facts(machine, facts);
  add_virtualization_facts(machine, signature, facts);
  add_process_facts(machine, facts);
  add_interrupt_facts(machine, facts);
  add_host_facts(machine, facts);
  return facts.take();
}

Facts capture_environment() {
  Facts facts = capture_environment(Machine(), hypervisor_signature());
  FactList tool;
  add_tool_facts(tool);
  for (Fact& fact : tool.take()) facts.push_back(std::move(fact));
  return facts;
}

}  // namespace gilscope
