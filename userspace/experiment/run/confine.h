// Confines a worker or client process before it runs anything: it dies with its parent, is bound to
// its CPUs, and gives up the privileges and descriptors that a run does not need.
#pragma once

#include <sys/types.h>

#include <vector>

#include "userspace/base/result.h"
#include "userspace/machine/limit/cpu_limiter.h"

namespace gilscope {

struct Privileges {
  std::vector<int> descriptors;  // in addition to the three standard ones
  bool bpf = false;              // may run BPF programs on itself
  bool perf = false;             // may count its own events in the kernel
};
// Binds the calling process to exactly these CPUs, or fails.
Status bind_to(const std::vector<int>& cpus, const CpuLimiter& limiter);

// Fails unless the process ends up with exactly these CPUs.
Status confine(pid_t parent, const std::vector<int>& cpus, const CpuLimiter& limiter,
               Privileges privileges);

}  // namespace gilscope
