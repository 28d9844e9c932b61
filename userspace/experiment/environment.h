// What a report records of the box. Every capture works without root and without failing: what
// cannot be read becomes a null fact with its reason.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "userspace/experiment/gates.h"
#include "userspace/report/model.h"

namespace gilscope {

// What stays the same during an experiment: kernel and its configuration, CPU model, topology,
// caches, mitigations, virtualization, host and boot id, versions of the tool and its libraries.
Facts capture_environment();

// What moves, or can be moved: load, temperature, steal; the CPUs that are online and how they are
// clocked, the scheduler's settings, BPF schedulers, the cgroup's limits and throttling.
Facts capture_moment();

// What the gates need to know of these CPUs, at one end of a run: a handful of small files.
GateReadings read_gates(const std::vector<int>& cpus);

// Steal of these CPUs since boot, from /proc/stat, in ns (the kernel counts in 10 ms steps); empty
// where it cannot be read.
std::optional<uint64_t> read_steal_ns(const std::vector<int>& cpus);

}  // namespace gilscope
