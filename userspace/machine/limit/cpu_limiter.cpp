#include "userspace/machine/limit/cpu_limiter.h"

namespace gilscope {

std::unique_ptr<CpuLimiter> make_limiter(const std::string& method, Machine machine,
                                         const std::string& state_directory) {
  if (method == "cpuset") return make_cpuset_limiter(std::move(machine), state_directory);
  if (method == "hotplug") return make_hotplug_limiter(std::move(machine), state_directory);
  return make_affinity_limiter();
}

Status rehearse(CpuLimiter& limiter, const std::vector<CpuSet>& sets,
                const std::function<bool()>& stop) {
  Status status;
  for (const CpuSet& cpus : sets) {
    if (!status || stop()) break;
    status = limiter.apply(cpus);
  }
  const Status restored = limiter.restore();
  if (!restored) return fail(restored.error());
  return status ? Status() : fail(Exit::unable, status.error().message);
}

}  // namespace gilscope
