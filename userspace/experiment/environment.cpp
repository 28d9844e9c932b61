#include "userspace/experiment/environment.h"

#include "userspace/experiment/environment/parts.h"

namespace gilscope {

Facts capture_environment(const Box& box, const std::optional<std::string>& signature) {
  FactList facts;
  add_kernel_facts(box, facts);
  add_scheduler_facts(box, facts);
  add_cpu_facts(box, facts);
  add_virtualization_facts(box, signature, facts);
  add_limit_facts(box, facts);
  add_host_facts(box, facts);
  return facts.take();
}

Facts capture_environment() {
  return capture_environment(Box(), hypervisor_signature());
}

}  // namespace gilscope
