// What a worker does to itself before it runs anything: dies with its parent, keeps to its CPUs,
// and gives up the privileges and descriptors that a run does not need.
#pragma once

#include <sys/types.h>

#include <vector>

#include "userspace/experiment/limit/cpu_limiter.h"
#include "userspace/tracer/control.h"
#include "userspace/util/result.h"

namespace gilscope {

// Fails where the worker does not come to have these CPUs and no others.
Status confine(pid_t parent, const std::vector<int>& cpus, const CpuLimiter& limiter,
               const TraceControl& tracing);

}  // namespace gilscope
