// gvl-handoff:T: the thread scheduler of Ruby 3.3 within one ractor (thread_pthread.c,
// thread_pthread_mn.c, thread.c), with a native thread for each of its threads.
//
// One lock, the running thread, and a ready queue in order of arrival. Who gives it up makes the
// first in the queue the running thread, and only then signals that thread's own condition: a true
// hand-over. A newcomer finds it free only when nobody waits, so nobody barges.
//
// While somebody waits a timer ticks every 10 ms and sets the running thread's interrupt. A thread
// that finds its interrupt set adds 10 ms to its running time, which began at 0 when it was
// switched in; from T up it yields: to the back of the queue, if there is one. So the quantum
// counts in whole ticks, and the first of them may come at once.
//
// Departure: Ruby ticks in a thread of its own. That would be one more thread on the cores under
// test, and none that gilscope traces, so here a waiter keeps the time: the first to come while
// nobody does waits for the next tick with a limit, the others without. The time goes from tick to
// tick, whoever keeps it. Where its keeper is handed the GVL and its giver goes away, the giver
// wakes the last in the queue to go on with it; that wake-up, and those of the ticks, Ruby would
// have had in its timer thread.
//
// A failed attempt is `contended` when a thread queues, behind others or having yielded, and
// `timed_out` for each tick that a waiter kept and that set the interrupt, which is a drop request
// too. Being woken to keep the time is no attempt, so `woken_lost` stays 0: whoever is woken for
// the GVL has it.
#pragma once

#include <cstdint>
#include <memory>

#include "userspace/gil/gil.h"

namespace gilscope {

struct GvlHandoffOptions {
  uint64_t quantum_ns = 100'000'000;
};

std::unique_ptr<Gil> make_gvl_handoff(const GvlHandoffOptions& options);

}  // namespace gilscope
