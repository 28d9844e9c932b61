// Affinity masks of other tasks, which the kernel resets when a task loses its last CPU.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/machine/machine.h"

namespace gilscope {

struct TaskMask {
  pid_t task = 0;        // a thread's id
  uint64_t started = 0;  // field 22 of /proc/PID/stat; unlike the id, it is not reused
  bool of_kernel = false;
  std::vector<int> cpus;
};

// Empty if there is no such task.
std::optional<TaskMask> read_mask(const Machine& machine, pid_t task);

// The tasks, except kernel threads, that may run on one of `at_stake` but not on all of `online`:
// somebody has chosen their CPUs. A task that may run everywhere has no mask to lose.
std::vector<TaskMask> restricted_masks(const Machine& machine, const std::vector<int>& online,
                                       const std::vector<int>& at_stake);

// Task 0 is the calling thread.
Status set_mask(pid_t task, const std::vector<int>& cpus);

}  // namespace gilscope
