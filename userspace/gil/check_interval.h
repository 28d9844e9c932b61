// check-interval:N[,lock=condvar][,yield]: the GIL of CPython up to 3.1 (2.7.18, Python/ceval.c and
// Python/thread_pthread.h).
//
// One global ticker is counted down at counted opcodes. When it runs out, after N+1 of them, the
// holder sets it to N again, releases the lock and at once acquires it: no look at waiters, no
// yield, no hand-off. A waiter is woken by the release, but a wake-up takes longer than the few
// instructions to the acquire, so on several cores it mostly finds the lock taken again.
//
// The lock is a semaphore, CPython's choice where POSIX semaphores work, or with lock=condvar the
// mutex and condition it falls back to elsewhere (macOS of the time). With `yield` the holder calls
// sched_yield between release and acquire, a remedy that was proposed and that MicroPython took.
//
// Departures: there are no signals, pending calls or asynchronous exceptions to look at in a
// checkpoint, no SETUP_FINALLY to put it off, and the lock exists from the start, as after the
// first thread has been started.
#pragma once

#include <memory>

#include "userspace/gil/gil.h"

namespace gilscope {

struct CheckIntervalOptions {
  int32_t interval = 100;  // as sys.setcheckinterval; 0: every counted opcode
  bool condvar = false;
  bool yield = false;
};

std::unique_ptr<Gil> make_check_interval(const CheckIntervalOptions& options);

}  // namespace gilscope
