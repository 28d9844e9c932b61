// What a worker does to itself before it runs anything: dies with its parent, keeps to its CPUs,
// and gives up the privileges and descriptors that a run does not need.
#pragma once

#include <sys/types.h>

#include <span>

#include "userspace/tracer/control.h"
#include "userspace/util/result.h"

namespace gilscope {

Status confine(pid_t parent, std::span<const int> cpus, const TraceControl& tracing);

}  // namespace gilscope
