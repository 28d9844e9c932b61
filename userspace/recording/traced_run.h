// Puts what was traced of a process into the record of a run.
#pragma once

#include <span>

#include "userspace/recording/followed.h"
#include "userspace/report/model.h"
#include "userspace/tracer/subject_tracer.h"

namespace gilscope {

// Once the window is closed and all accounts have been taken: the window, the threads, the GIL's
// counts, the CPUs `cpus`, histograms, losses and segments. Takes the threads out of `process`.
void add_trace(Run& run, FollowedProcess& process, const SubjectTracer& tracer,
               std::span<const int> cpus);

}  // namespace gilscope
