#include "userspace/gil/check_interval.h"

#include <sched.h>

#include "userspace/gil/condvar_lock.h"
#include "userspace/gil/semaphore.h"

namespace gilscope {
namespace {

struct SemaphoreLock : Semaphore {
  SemaphoreLock() : Semaphore(1) {}
};

template <typename Lock>
class CheckInterval : public Gil {
 public:
  explicit CheckInterval(const CheckIntervalOptions& options) : options_(options) {}

  void acquire(GilThread& thread) override {
    lock_.wait(thread.board);
    thread.board.acquired();
  }

  void release(GilThread& thread) override {
    thread.board.released();
    lock_.post();
  }

  void checkpoint(GilThread& thread) override {
    ticker_.store(options_.interval, std::memory_order_relaxed);
    release(thread);
    if (options_.yield) sched_yield();
    acquire(thread);
  }

  Checks checks() const override { return Checks::counted_opcodes; }
  std::atomic<int32_t>& breaker(GilThread&) override { return ticker_; }

 private:
  const CheckIntervalOptions options_;
  Lock lock_;
  std::atomic<int32_t> ticker_{0};  // one for all threads, as _Py_Ticker
};

}  // namespace

std::unique_ptr<Gil> make_check_interval(const CheckIntervalOptions& options) {
  if (options.condvar) return std::make_unique<CheckInterval<CondvarLock>>(options);
  return std::make_unique<CheckInterval<SemaphoreLock>>(options);
}

}  // namespace gilscope
