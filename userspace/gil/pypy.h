// pypy:N: the GIL of PyPy (rpython/translator/c/src/thread_gil.c and thread_pthread.c; the check is
// pypy/interpreter/executioncontext.py and pypy/module/thread/gil.py).
//
// It is made of two locks, and held where both are. `rpy_fastgil` is a word: 0, or who holds it.
// Around a blocking call it is set to 0, which wakes nobody and costs one store; whoever finds it 0
// takes it by compare-and-swap. `mutex_gil`, a flag under a mutex with a condition, stays locked
// all the while. It is unlocked to give the GIL away: `rpy_fastgil` stays taken, so nobody can
// barge.
//
// A thread that finds it taken polls for a short while (40 to 400 turns with a pause in each) and
// gives up early if the number of waiters changes. If it gets the GIL in that time it unlocks
// mutex_gil and queues all the same, for fairness. Then it queues on a mutex, mutex_gil_stealer;
// who has that is the one thread that steals. The stealer looks at rpy_fastgil, waits 0.1 ms for
// mutex_gil, and begins again. Every N+1 counted opcodes a holder that has waiters gives the GIL to
// the stealer and queues behind the others; one that has none goes on.
//
// The stealer's mutex is pthread's, and serves in no strict order: a thread that has just given the
// GIL away may become the stealer before one that was woken to be, and then takes it back at once.
//
// A failed attempt is `contended` where the thread has not slept for the GIL yet: it finds another
// one stealing, or it is the stealer and finds it taken. It is `woken_lost` where it has slept on
// mutex_gil_stealer, or was woken from mutex_gil, and finds it taken; becoming the stealer mostly
// means just that. Each turn of 0.1 ms that ran out and then found it taken is `timed_out`. Nobody
// ever asks for a drop. Polling is not waiting, and counts nothing.
//
// Departures: PyPy counts every bytecode, and under its JIT at most one a loop; here it is the
// opcodes that CPython 2.7 would count, three of the nine in a counting loop. The stealer's mutex
// is tried before it is waited for, to tell the kinds of failure apart. Counters that PyPy reads
// and writes without care are relaxed atomics.
#pragma once

#include <memory>

#include "userspace/gil/gil.h"

namespace gilscope {

struct PypyOptions {
  int32_t interval = 10'000;  // sys.setcheckinterval
};

std::unique_ptr<Gil> make_pypy(const PypyOptions& options);

}  // namespace gilscope
