// Limits on what may disturb a run. A run beyond a limit stays in the report, marked, and
// counts in no summary. docs/metrics.md defines each disturbance limit's value.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "userspace/machine/facts/readings.h"

namespace gilscope {

struct Disturbance;
struct Run;

// A spec's [gates]. A run is disturbed if a value exceeds its limit; an empty limit turns the
// disturbance limit off.
struct DisturbanceLimits {
  std::optional<double> steal = 0.1;            // share of CPU time taken by the hypervisor
  std::optional<double> foreign = 0.25;         // share of CPU time taken by other processes
  std::optional<double> throttled = 0;          // periods in which the cgroup was throttled
  std::optional<double> stopped = 0;            // kinds of stop that hit the run (stops.h)
  std::optional<double> offline = 0;            // CPUs of the run that were offline
  std::optional<double> sched_ext = 0;          // BPF schedulers that came or went
  std::optional<double> migrated_off_mask = 0;  // CPUs outside the mask that a thread ran on

  bool operator==(const DisturbanceLimits&) const = default;
};

struct DisturbanceRule {
  const char* name;  // in specs and reports
  std::optional<double> DisturbanceLimits::*limit;
  double highest;  // highest limit that a spec may set
  bool share;      // false: a count
};
std::span<const DisturbanceRule> disturbance_rules();

// The disturbance limits that a run hit, and those that could not be judged, which have no value: a
// reading is missing, or its steps are too coarse for so short a run to tell on which side of the
// limit it lies. Disturbance limits that the run passed are left out.
std::vector<Disturbance> judge_disturbances(const DisturbanceLimits& limits,
                                            const std::vector<int>& cpus, const Run& run,
                                            const DisturbanceReadings& before,
                                            const DisturbanceReadings& after);

}  // namespace gilscope
