// ping-pong:seconds=1[,background=0][,task=count]
//   The measured threads stand in a ring and pass one token round it, by a semaphore each. Who has
//   passed it on waits for it as Python's locks do: an attempt with the GIL held, and then asleep
//   without it. One operation is one pass.
//
// Without a lock (policy none) and on one CPU each pass is a wakeup, a switch and little else: the
// most that a scheduler, and so its tracer, can be asked for.
#pragma once

#include "userspace/workload/workload.h"

namespace gilscope {

std::vector<Parameter> ping_pong_parameters();
std::unique_ptr<Workload> make_ping_pong(const Parameters& parameters);

}  // namespace gilscope
