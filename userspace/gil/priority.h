// priority:T: a priority GIL in the manner of David Beazley (Feb 2010, "Revisiting thread
// priorities and the new GIL"): a thread's priority is raised when it gives the GIL up of itself,
// and lowered when it is timed out. His patch was not at hand, so all details below are ours.
//
// Otherwise it is the GIL of switch-interval: a flag under a mutex, a drop request in the holder's
// own word after waiting T without a switch, and a forced switch after a requested drop.
//
// - Priorities go from -3 to 3 and begin at 0. A voluntary release (before_blocking) that nobody
//   had asked for adds one. A drop after a wait that ran out takes one off, also if it comes by way
//   of a blocking call. A drop that a thread of higher priority asked for changes nothing.
// - Waiters queue by priority, and in order of arrival among equals; each has its own condition.
// - A waiter with a higher priority than the holder's asks for the GIL at once.
// - A release wakes the first in the queue. The GIL, when free, goes to that one, or to a newcomer
//   whose priority is no lower: among equals there is barging, as in CPython, and the woken one may
//   lose. A thread that waits already must be the first.
// - A requested drop waits until another thread has taken the GIL.
//
// So threads that compute sink together and take turns of T, and one that blocks often rises above
// them and has the GIL at the holder's next back edge. If it computes after all it sinks again, a
// step for each T. Threads of high priority that never rest can starve the others for as long.
//
// A failed attempt is `contended` the first time, `timed_out` where a wait of T ran out, and
// `woken_lost` otherwise. A drop request is made at once, or after a wait.
#pragma once

#include <cstdint>
#include <memory>

#include "userspace/gil/gil.h"

namespace gilscope {

struct PriorityOptions {
  uint64_t interval_ns = 5'000'000;
};

std::unique_ptr<Gil> make_priority(const PriorityOptions& options);

}  // namespace gilscope
