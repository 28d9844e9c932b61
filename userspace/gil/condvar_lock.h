// CPython 2's lock for platforms without POSIX semaphores: a flag under a mutex, and a condition. A
// release signals one waiter while it holds the mutex.
#pragma once

#include <mutex>

#include "userspace/gil/board.h"
#include "userspace/gil/condition.h"

namespace gilscope {

class CondvarLock {
 public:
  void wait(BoardSlot& board) {
    board.waiting();  // the mutex itself may block
    std::unique_lock lock(mutex_);
    bool woken = false;
    while (locked_) {
      woken ? board.woken_lost() : board.contended();
      released_.wait(lock);
      woken = true;
    }
    locked_ = true;
  }

  void post() {
    std::lock_guard lock(mutex_);
    locked_ = false;
    released_.signal();
  }

 private:
  std::mutex mutex_;
  Condition released_;
  bool locked_ = false;
};

}  // namespace gilscope
