// A pthread condition whose timed waits run on CLOCK_MONOTONIC and return what pthread returned.
// std::condition_variable infers a time-out from the clock instead, which CPython does not.
#pragma once

#include <pthread.h>

#include <cerrno>
#include <cstdint>
#include <ctime>
#include <mutex>

#include "userspace/base/time.h"

namespace gilscope {

class Condition {
 public:
  Condition() {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&condition_, &attributes);
    pthread_condattr_destroy(&attributes);
  }
  ~Condition() { pthread_cond_destroy(&condition_); }
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  void signal() { pthread_cond_signal(&condition_); }
  void broadcast() { pthread_cond_broadcast(&condition_); }

  void wait(std::unique_lock<std::mutex>& lock) {
    pthread_cond_wait(&condition_, lock.mutex()->native_handle());
  }

  // True: the wait ran out.
  bool wait_for(std::unique_lock<std::mutex>& lock, uint64_t ns) {
    return wait_until(lock, monotonic_ns() + ns);
  }
  bool wait_until(std::unique_lock<std::mutex>& lock, uint64_t time_ns) {
    timespec deadline;
    deadline.tv_sec = static_cast<time_t>(time_ns / 1'000'000'000);
    deadline.tv_nsec = static_cast<long>(time_ns % 1'000'000'000);
    return pthread_cond_timedwait(&condition_, lock.mutex()->native_handle(), &deadline) ==
           ETIMEDOUT;
  }

 private:
  pthread_cond_t condition_;
};

}  // namespace gilscope
