// What a report records of the box. Every capture works without root and without failing: what
// cannot be read becomes a null fact with its reason.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "userspace/report/model.h"

namespace gilscope {

// What stays the same during an experiment: kernel, CPU model, topology, governor, mitigations,
// clocksource, glibc, virtualization, scheduler settings, host and boot id.
Facts capture_environment();

// What moves: load averages, running tasks, memory, per-CPU steal and frequency, uptime.
Facts capture_moment();

// Steal of these CPUs since boot, from /proc/stat, in ns (the kernel counts in 10 ms steps); empty
// where it cannot be read.
std::optional<uint64_t> read_steal_ns(const std::vector<int>& cpus);

}  // namespace gilscope
