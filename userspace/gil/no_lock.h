// none: no global lock, as Jython or a free-threaded CPython. Every acquisition succeeds at once,
// also while another thread holds it; what the threads share is theirs to protect.
#pragma once

#include "userspace/gil/gil.h"

namespace gilscope {

class NoLock : public Gil {
 public:
  void acquire(GilThread& thread) override { thread.board.acquired(); }
  void release(GilThread& thread) override { thread.board.released(); }
  void checkpoint(GilThread&) override {}

  // A free-threaded CPython looks at its word on back edges all the same; nobody sets it here.
  Checks checks() const override { return Checks::back_edges; }
  std::atomic<int32_t>& breaker(GilThread& thread) override { return thread.eval_breaker; }
};

}  // namespace gilscope
