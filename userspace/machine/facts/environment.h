// What a report records about the machine. Captures need no root and never fail: a value that
// cannot be read becomes a null fact with its reason.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "userspace/machine/facts/readings.h"
#include "userspace/report/facts.h"

namespace gilscope {

// Facts that do not change during an experiment: the kernel and its configuration, CPU model,
// topology, caches, mitigations, virtualization, host and boot id, versions of gilscope and its
// libraries.
Facts capture_environment();

// Facts that may change: load, temperature and steal; the online CPUs and their frequencies, the
// scheduler's settings, BPF schedulers, the cgroup's limits and throttling.
Facts capture_moment();

// Reads what the disturbance limits need, before or after a run on these CPUs: a handful of small
// files.
DisturbanceReadings read_disturbances(const std::vector<int>& cpus);

// The steal of these CPUs since boot in ns, from /proc/stat (the kernel counts in 10 ms steps);
// empty if it cannot be read.
std::optional<uint64_t> read_steal_ns(const std::vector<int>& cpus);

}  // namespace gilscope
