// gvl:T: the global VM lock of Ruby 3.1 (thread_pthread.c; the yield is rb_thread_schedule_limits
// in thread.c).
//
// An owner, a queue in order of arrival, and a condition for each thread. Who releases it wakes the
// first in the queue and hands over nothing, so a newcomer may take it meanwhile, and the woken one
// goes on waiting in its place. One of the waiters, the first to come while there is none, is the
// timer: it waits until a deadline T after the last that ran out, and whenever it wakes, in time or
// not, and finds it owned, it sets the owner's interrupt. Others wait without a limit; a thread
// that gets the GVL while there is no timer wakes the last in the queue to be the timer.
//
// An interrupted owner yields: it releases, and if there is somebody to wake it waits until one
// that had queued has taken it (need_yield, switch_cond); where another thread is waiting so
// already, it waits until that is over (wait_yield, switch_wait_cond). Then it queues. With nobody
// waiting it calls sched_yield between release and acquire.
//
// A failed attempt is `contended` the first time, `timed_out` where the timer's wait ran out, and
// `woken_lost` otherwise: barged past, or woken to be the timer. Setting the interrupt is a drop
// request, after either of the two.
//
// Departures: there are no signals and no blocking regions to interrupt, so the timer has nothing
// else to look after, and without waiters there is none (Ruby arms a POSIX timer in that case). All
// threads have the same thread priority.
#pragma once

#include <cstdint>
#include <memory>

#include "userspace/gil/gil.h"

namespace gilscope {

struct GvlOptions {
  uint64_t quantum_ns = 100'000'000;  // TIME_QUANTUM
};

std::unique_ptr<Gil> make_gvl(const GvlOptions& options);

}  // namespace gilscope
