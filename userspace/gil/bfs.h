// bfs: the deadline scheduler that Nir Aides proposed for CPython in 2010 (bpo-7946, after Con
// Kolivas' Brain F**k Scheduler; as kept in a forward port, Python/bfs.c).
//
// Its clock, the Python time, goes only while a thread has the GIL, by at most 10 ms a turn. Each
// thread has a slice of 10 ms and a deadline; when the slice is used up and the thread comes for
// the GIL again both are made anew, the deadline 80 ms of Python time ahead. A thread that blocks
// often uses its slice slowly, so its deadline is early, or past.
//
// A thread that comes while nobody runs takes the GIL. It is urgent if its deadline is not behind
// the running thread's, and that one's has not passed. Urgent, it takes the GIL from a thread that
// has been chosen but has not begun to run, if the giver left for a blocking call; or else it sets
// `preempt` for the running thread. If not urgent it makes the running thread look at its slice. In
// both cases it queues, with a limit of 5.5 ms times the number of waiters; when that runs out the
// running thread must look at its slice too.
//
// The giver charges its slice, chooses the next by the earliest deadline, or the first in the queue
// whose deadline has passed, and signals that one's own condition. If its own slice is used up, or
// the chosen one's deadline is not behind its own, or has passed, the giver waits until somebody
// has begun to run. A chosen thread with a later deadline than a giver who left for a blocking call
// spins for 12 us, for the giver to come back and take the GIL.
//
// The running thread looks at its clock every 5000 counted opcodes, or when told to. A waiter tells
// it by setting the ticker to 0; a store of the running thread, which counts it down, may undo
// that, and then the request is seen when the ticker has run out.
//
// A failed attempt is `contended` when a thread queues, `timed_out` where the limit ran out, and
// `woken_lost` where a thread was chosen and another took the GIL first. Every request to look at
// the slice or to give the GIL up is a drop request.
//
// Departures: the clock is CLOCK_MONOTONIC, not the core's cycle counter, and integers of ns.
// Slices and the Python time change under the mutex. The giver's deadline is kept apart from the
// giver, whose thread may be gone.
#pragma once

#include <memory>

#include "userspace/gil/gil.h"

namespace gilscope {

std::unique_ptr<Gil> make_bfs();

}  // namespace gilscope
