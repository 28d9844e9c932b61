// What a worker, or its client, does to itself before it runs anything: dies with its parent, keeps
// to its CPUs, and gives up the privileges and descriptors that a run does not need.
#pragma once

#include <sys/types.h>

#include <vector>

#include "userspace/experiment/limit/cpu_limiter.h"
#include "userspace/util/result.h"

namespace gilscope {

struct Kept {
  std::vector<int> descriptors;  // besides the three standard ones
  bool bpf = false;              // the right to run programs on itself
  bool perf = false;             // the right to count what it does in the kernel
};
// Fails where the process does not come to have these CPUs and no others.
Status confine(pid_t parent, const std::vector<int>& cpus, const CpuLimiter& limiter, Kept kept);

}  // namespace gilscope
