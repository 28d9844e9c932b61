// fifo:N: a ticket lock that hands over. Nobody's GIL; it is here because it is the other end from
// check-interval: no attempt of a woken thread ever fails, and each check costs a switch.
//
// A thread that finds the GIL taken takes its place in the one queue, which is its ticket, and
// sleeps on a futex word of its own. The releaser makes the first in the queue the owner, and only
// then wakes it, so nobody can come between: there is no barging, and `woken_lost` stays 0.
//
// It is given up as check-interval gives it up, every N+1 counted opcodes on one ticker, so that
// the two differ in the hand-over alone: released, and then asked for again at the back of the
// queue. With nobody waiting that costs two passes over an uncontended mutex.
//
// Ours to choose: the queue is guarded by a mutex, in whose order tickets are drawn. It is held for
// a few instructions, never while waking, and a thread that had to wait for it counts no failure.
#pragma once

#include <memory>

#include "userspace/gil/gil.h"

namespace gilscope {

struct FifoOptions {
  int32_t interval = 100;  // counted opcodes, as check-interval's
};

std::unique_ptr<Gil> make_fifo(const FifoOptions& options);

}  // namespace gilscope
