#include "userspace/gil/pypy.h"

#include <mutex>

#include "userspace/gil/condition.h"

namespace gilscope {
namespace {

constexpr int kPokeMin = 40, kPokeMax = 400;
constexpr uint64_t kStealEveryNs = 100'000;  // 0.1 ms

void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// The names are PyPy's own, as far as they say something.
class Pypy : public Gil {
 public:
  explicit Pypy(const PypyOptions& options) : options_(options) {}

  void acquire(GilThread& thread) override {
    if (!take_fastgil(thread)) acquire_slow_path(thread);
    thread.board.acquired();
  }

  void release(GilThread& thread) override {
    thread.board.released();
    fastgil_.store(nullptr, std::memory_order_release);
  }

  void checkpoint(GilThread& thread) override {  // RPyGilYieldThread
    ticker_.store(options_.interval, std::memory_order_relaxed);
    if (waiters_.load(std::memory_order_relaxed) == 0) return;
    thread.board.released();
    unlock_mutex_gil();  // fastgil stays: only the stealer can have it
    acquire(thread);
  }

  Checks checks() const override { return Checks::counted_opcodes; }
  std::atomic<int32_t>& breaker(GilThread&) override { return ticker_; }

 private:
  bool take_fastgil(GilThread& thread) {
    GilThread* nobody = nullptr;
    return fastgil_.compare_exchange_strong(nobody, &thread, std::memory_order_acquire,
                                            std::memory_order_relaxed);
  }
  bool fastgil_is_free() const { return !fastgil_.load(std::memory_order_relaxed); }

  void acquire_slow_path(GilThread& thread) {
    thread.board.waiting();
    int waiters = waiters_.fetch_add(1, std::memory_order_relaxed) + 1;
    poll_early(thread, waiters);

    std::unique_lock stealer(mutex_gil_stealer_, std::try_to_lock);
    bool woken = !stealer.owns_lock();
    if (woken) {
      thread.board.contended();
      stealer.lock();
    }
    std::unique_lock lock(mutex_gil_);
    steal(thread, lock, woken);
    waiters_.fetch_sub(1, std::memory_order_relaxed);
  }

  void poll_early(GilThread& thread, int waiters) {
    int turns = early_polls_.load(std::memory_order_relaxed) * 2 + 1;
    while (turns >= kPokeMax) turns -= kPokeMax - kPokeMin;
    early_polls_.store(turns, std::memory_order_relaxed);
    for (; turns >= 0; --turns) {
      // Another thread has come, or has got it: then this one had better queue.
      if (waiters_.load(std::memory_order_relaxed) != waiters) return;
      pause();
      if (fastgil_is_free() && take_fastgil(thread)) {
        unlock_mutex_gil();  // for the stealer, or for this thread if there is none
        return;
      }
    }
  }

  void steal(GilThread& thread, std::unique_lock<std::mutex>& lock, bool woken) {
    bool ran_out = false;
    for (;;) {
      if (fastgil_is_free() && take_fastgil(thread)) return;
      if (mutex_gil_locked_) {
        ran_out ? thread.board.timed_out()
        : woken ? thread.board.woken_lost()
                : thread.board.contended();
        ran_out = mutex_gil_unlocked_.wait_for(lock, kStealEveryNs);
        woken = !ran_out;
      }
      if (!mutex_gil_locked_) {
        mutex_gil_locked_ = true;
        fastgil_.store(&thread, std::memory_order_relaxed);
        return;
      }
    }
  }

  void unlock_mutex_gil() {
    {
      std::lock_guard lock(mutex_gil_);
      mutex_gil_locked_ = false;
    }
    mutex_gil_unlocked_.signal();
  }

  const PypyOptions options_;

  std::atomic<GilThread*> fastgil_{nullptr};  // rpy_fastgil; PyPy has the thread's number in it
  std::atomic<int> waiters_{0};               // rpy_waiting_threads
  std::atomic<int> early_polls_{0};           // rpy_early_poll_n

  std::mutex mutex_gil_stealer_;

  std::mutex mutex_gil_;  // with the flag and the condition PyPy's mutex2_t
  Condition mutex_gil_unlocked_;
  bool mutex_gil_locked_ = true;

  std::atomic<int32_t> ticker_{0};  // one for all threads
};

}  // namespace

std::unique_ptr<Gil> make_pypy(const PypyOptions& options) {
  return std::make_unique<Pypy>(options);
}

}  // namespace gilscope
