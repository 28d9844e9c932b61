// A barrier that opens once. Threads are made before the run and wait here, so that making them is
// not measured.
#pragma once

#include <condition_variable>
#include <mutex>

namespace gilscope {

class StartBarrier {
 public:
  void wait() {
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [this] { return open_; });
  }

  void open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    opened_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
};

}  // namespace gilscope
