// The readings by which a run is judged.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gilscope {

// Readings taken just before a worker starts and just after it has ended.
struct DisturbanceReadings {
  struct SchedExt {
    bool built_in = false;  // false: no BPF scheduler can come or go
    std::optional<std::string> state;
    std::optional<int64_t> enable_seq;
  };

  uint64_t at_ns = 0;                         // CLOCK_MONOTONIC
  std::optional<uint64_t> steal_ns, idle_ns;  // of the run's CPUs, since boot
  std::optional<uint64_t> throttled_periods;  // of this process's cgroups, since they were made
  std::optional<std::vector<int>> online;
  SchedExt sched_ext;
  // After a run: what stopped it (userspace/experiment/disturbance/stops.h). Empty: unknown.
  std::optional<std::vector<std::string>> stopped_by;
};

// What the hypervisor took in between; empty where that is not known.
inline std::optional<uint64_t> steal_between(const DisturbanceReadings& before,
                                             const DisturbanceReadings& after) {
  if (!before.steal_ns || !after.steal_ns || *after.steal_ns < *before.steal_ns) return {};
  return *after.steal_ns - *before.steal_ns;
}

}  // namespace gilscope
