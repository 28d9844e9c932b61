// A semaphore with the algorithm of glibc's sem_t (nptl/sem_waitcommon.c and sem_post.c, 2.21 and
// later, 64-bit), on a futex word of our own, because a sem_t hides its failed attempts.
//
// One 64-bit word holds the value in its low half and the number of waiters in its high half. A
// post adds one and wakes one waiter if there are any. It hands nothing over, so a running thread
// can take the value before the woken one.
#pragma once

#include <atomic>
#include <cstdint>

#include "userspace/gil/board.h"

namespace gilscope {

class Semaphore {
 public:
  explicit Semaphore(uint32_t value) : word_(value) {}

  // Writes each attempt that finds nothing and goes to wait on the board.
  void wait(BoardSlot& board);
  void post();

 private:
  static constexpr int kWaitersShift = 32;
  static constexpr uint64_t kValueMask = (uint64_t{1} << kWaitersShift) - 1;

  bool try_fast();
  uint32_t* value_address();

  std::atomic<uint64_t> word_;
};

}  // namespace gilscope
