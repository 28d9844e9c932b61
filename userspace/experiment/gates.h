// Gates: limits on what may disturb a run. A run beyond one stays in the report, marked, and counts
// in no summary. docs/metrics.md defines each gate's value.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "userspace/report/model.h"

namespace gilscope {

// A spec's [gates]. A run is gated where a value is above its limit; an empty limit turns its gate
// off.
struct GateLimits {
  std::optional<double> steal = 0.1;            // share of the CPU time, taken by the hypervisor
  std::optional<double> foreign = 0.25;         // share of the CPU time, taken by other processes
  std::optional<double> throttled = 0;          // periods in which the cgroup was stopped
  std::optional<double> stopped = 0;            // ways in which the run was kept from running
  std::optional<double> offline = 0;            // CPUs of the run that were offline
  std::optional<double> sched_ext = 0;          // BPF schedulers that came or went
  std::optional<double> migrated_off_mask = 0;  // CPUs that a thread ran on and should not have

  bool operator==(const GateLimits&) const = default;
};

struct GateRule {
  const char* name;  // in specs and reports
  std::optional<double> GateLimits::*limit;
  double highest;  // limit that can be asked for
  bool share;      // else a count
};
std::span<const GateRule> gate_rules();

// What is read just before a worker is started and just after it has ended.
struct GateReadings {
  struct SchedExt {
    bool built_in = false;  // without it nothing can come or go
    std::optional<std::string> state;
    std::optional<int64_t> enable_seq;
  };

  uint64_t at_ns = 0;                         // CLOCK_MONOTONIC
  std::optional<uint64_t> steal_ns, idle_ns;  // of the run's CPUs, since boot
  std::optional<uint64_t> throttled_periods;  // of this process's cgroups, since they were made
  std::optional<std::vector<int>> online;
  SchedExt sched_ext;
  // After a run: what kept it from running (userspace/experiment/stops.h). Empty: unknown.
  std::optional<std::vector<std::string>> stopped_by;
};

// The gates that a run hit, and those that could not be judged (without a value): a reading is
// missing, or the steps that it comes in are too coarse for so short a run to tell on which side of
// the limit it was. One that was passed is not among them.
std::vector<GateResult> judge_gates(const GateLimits& limits, const std::vector<int>& cpus,
                                    const Run& run, const GateReadings& before,
                                    const GateReadings& after);

}  // namespace gilscope
