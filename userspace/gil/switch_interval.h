// switch-interval:T[,flag=thread]: the GIL of CPython 3.2 and later (3.11,
// Python/ceval_gil.h; 3.13, Python/ceval_gil.c).
//
// A thread that finds the GIL taken waits on a condition for T. If that runs out, and the GIL is
// still taken, and nobody has got it meanwhile, the waiter asks for it: it sets the drop request,
// which the holder sees at its next check. The holder drops the GIL, signals one waiter, and then,
// if a drop was requested, waits until another thread has taken it (forced switching).
//
// The drop request is one flag for the interpreter (to 3.12): whoever takes the GIL clears it, and
// with it other waiters' requests. With flag=thread (3.13+) it is the last holder's own: a request
// to a thread that has dropped meanwhile is harmless, and the dropper clears its own.
//
// Departures: no signals, pending calls, garbage collection or stop-the-world share the word, and
// no thread is made to exit at finalization.
#pragma once

#include <cstdint>
#include <memory>

#include "userspace/gil/gil.h"

namespace gilscope {

struct SwitchIntervalOptions {
  uint64_t interval_ns = 5'000'000;  // sys.setswitchinterval; CPython counts in microseconds
  bool flag_per_thread = false;
};

std::unique_ptr<Gil> make_switch_interval(const SwitchIntervalOptions& options);

}  // namespace gilscope
