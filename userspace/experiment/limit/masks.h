// Affinity masks of other people's tasks, which the kernel drops when the last CPU of one goes.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "userspace/experiment/environment/box.h"
#include "userspace/util/result.h"

namespace gilscope {

struct TaskMask {
  pid_t task = 0;        // a thread's id
  uint64_t started = 0;  // field 22 of /proc/PID/stat: a number is given out again, a start is not
  bool of_kernel = false;
  std::vector<int> cpus;
};

// Empty where there is no such task.
std::optional<TaskMask> read_mask(const Box& box, pid_t task);

// The tasks, kernel threads apart, that may run on one of `at_stake` and not on all of `online`:
// somebody has chosen their CPUs. A task that may run everywhere has nothing to lose.
std::vector<TaskMask> chosen_masks(const Box& box, const std::vector<int>& online,
                                   const std::vector<int>& at_stake);

// Of the calling process for 0.
Status set_mask(pid_t task, const std::vector<int>& cpus);

}  // namespace gilscope
