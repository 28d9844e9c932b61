// Makes a report's cell from what was recorded of one process: its counts, and the self-test that
// says whether those of the GIL are to be believed.
#pragma once

#include <span>
#include <string>

#include "bpf/process.h"
#include "userspace/recording/followed.h"
#include "userspace/report/model.h"

namespace gilscope {

// A GIL's counts of the whole process, from its threads' and the kernel side's. Fills in `doubt`
// where they contradict each other.
GilCounts gil_counts(const gilscope_process& traced, const FollowedProcess& process,
                     std::span<const Thread> threads);

CellSubject subject_of(const Subject& subject);

// The process at the moment, with its counts of each CPU.
LiveProcess live_process(const FollowedProcess& process, std::vector<CpuTrace> cpus);

}  // namespace gilscope
