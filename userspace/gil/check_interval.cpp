// check-interval:N[,lock=condvar][,yield]: the GIL of CPython up to 3.1 (2.7.18, Python/ceval.c and
// Python/thread_pthread.h).
//
// Counted opcodes count one global ticker down. When it runs out, after N+1 of them, the holder
// sets it to N again, releases the lock and acquires it at once: it does not look at waiters, does
// not yield and hands nothing over. The release wakes a waiter, but a wakeup takes longer than the
// few instructions to the acquire, so on several CPUs the waiter mostly finds the lock taken again.
//
// The lock is a semaphore, CPython's choice where POSIX semaphores work, or with lock=condvar the
// mutex and condition that it falls back to elsewhere (macOS of the time). With `yield` the holder
// calls sched_yield between release and acquire, a remedy that was proposed and that MicroPython
// took.
//
// Departures: a checkpoint has no signals, pending calls or asynchronous exceptions to look at, no
// SETUP_FINALLY puts it off, and the lock exists from the start, as after the first thread has been
// started.
#include <sched.h>

#include "userspace/descriptor/policy.h"
#include "userspace/gil/condvar_lock.h"
#include "userspace/gil/gil.h"
#include "userspace/gil/semaphore.h"

namespace gilscope {
namespace {

struct SemaphoreLock : Semaphore {
  SemaphoreLock() : Semaphore(1) {}
};

template <typename Lock>
class CheckInterval : public Gil {
 public:
  explicit CheckInterval(const PolicyArguments& arguments)
      : interval_(static_cast<int32_t>(arguments.value)), yield_(arguments.has("yield")) {}

  void acquire(GilThread& thread) override {
    lock_.wait(thread.board);
    thread.board.acquired();
  }

  void release(GilThread& thread) override {
    thread.board.released();
    lock_.post();
  }

  void checkpoint(GilThread& thread) override {
    ticker_.store(interval_, std::memory_order_relaxed);
    release(thread);
    if (yield_) sched_yield();
    acquire(thread);
  }

  Checks checks() const override { return Checks::counted_opcodes; }
  std::atomic<int32_t>& breaker(GilThread&) override { return ticker_; }

 private:
  const int32_t interval_;
  const bool yield_;
  Lock lock_;
  std::atomic<int32_t> ticker_{0};  // shared by all threads, as _Py_Ticker
};

}  // namespace

std::unique_ptr<Gil> make_check_interval(const PolicyArguments& arguments) {
  if (arguments.has("lock=condvar")) return std::make_unique<CheckInterval<CondvarLock>>(arguments);
  return std::make_unique<CheckInterval<SemaphoreLock>>(arguments);
}

}  // namespace gilscope
