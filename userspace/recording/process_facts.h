// Facts of a process that /proc has at one moment.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>

#include "userspace/report/model.h"

namespace gilscope {

// CPU times in steps of the kernel's clock tick, faults, and the most memory resident at once; the
// switches are those of the main thread alone, so they are left out. Empty once the process is
// gone.
std::optional<ResourceUsage> process_usage(pid_t pid);

// The usage between two readings of one process.
ResourceUsage usage_between(const ResourceUsage& before, const ResourceUsage& after);

// The process's number in the outermost PID namespace that this /proc shows; empty once it is gone.
std::optional<uint32_t> outermost_pid(pid_t pid);

// The same number of a thread that is one of the process's now.
std::optional<uint32_t> outermost_tid(pid_t pid, uint32_t tid);

// The switches of all threads that it has now, so far.
struct Switches {
  uint64_t voluntary = 0, involuntary = 0;
};
Switches switches_so_far(pid_t pid);

// How many threads it has, at least one.
size_t thread_count(pid_t pid);

}  // namespace gilscope
