// sharded:N: one big lock split into N, as databases split the mutex of their buffer pool into one
// for each of its instances. It is nobody's GIL, and not one lock: up to N threads hold at once.
//
// Each piece is the semaphore of check-interval and the datum that it guards, on cache lines of
// their own. At each checkpoint, every 101 counted opcodes of its own, a thread adds one to the
// datum of the piece that it holds, releases the piece, and acquires the next one: a hash of the
// thread's number and its step chooses it, as pages are spread over instances. The thread may come
// upon the same piece again. Taking a piece is an acquisition, also after a blocking call.
//
// With N = 1 it is check-interval:100, but for the ticker, which each thread has for itself: a
// shared one would have no lock to guard it. Threads are numbered in the order in which they first
// come.
//
// A failed attempt is counted as under check-interval, on whichever piece. What the pieces do not
// guard, the threads must not share.
#pragma once

#include <cstdint>
#include <vector>

#include "userspace/gil/gil.h"
#include "userspace/gil/semaphore.h"

namespace gilscope {

class Sharded : public Gil {
 public:
  explicit Sharded(size_t pieces) : pieces_(pieces) {}

  void acquire(GilThread& thread) override;
  void release(GilThread& thread) override;
  void checkpoint(GilThread& thread) override;

  Checks checks() const override { return Checks::counted_opcodes; }
  std::atomic<int32_t>& breaker(GilThread& thread) override { return thread.eval_breaker; }
  uint32_t pieces() const override { return static_cast<uint32_t>(pieces_.size()); }

  // The number of checkpoints that ended with the piece held; read it while nobody holds the piece.
  int64_t datum(uint32_t piece) const { return pieces_[piece].datum; }

 private:
  struct GILSCOPE_ALIGNED Piece {
    Semaphore lock{1};
    GILSCOPE_ALIGNED int64_t datum = 0;
  };

  std::vector<Piece> pieces_;
  std::atomic<uint64_t> threads_{0};
};

}  // namespace gilscope
