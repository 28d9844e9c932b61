// pypy:N: the GIL of PyPy (rpython/translator/c/src/thread_gil.c and thread_pthread.c; the check is
// pypy/interpreter/executioncontext.py and pypy/module/thread/gil.py).
//
// It is made of two locks, and a thread holds it that has both. `rpy_fastgil` is a word: 0, or the
// holder. Around a blocking call it is set to 0, which wakes nobody and costs one store; a thread
// that finds it 0 takes it by compare-and-swap. `mutex_gil`, a flag under a mutex with a condition,
// stays locked all the while. A holder unlocks it to give the GIL away: `rpy_fastgil` stays taken,
// so nobody can barge.
//
// A thread that finds the word taken polls for a short while (40 to 400 turns with a pause in each)
// and gives up early if the number of waiters changes. If it gets the GIL in that time it unlocks
// mutex_gil and queues all the same, for fairness. Otherwise it queues on a mutex,
// mutex_gil_stealer; the thread that has it is the one that steals. The stealer looks at
// rpy_fastgil, waits 0.1 ms for mutex_gil, and begins again. Every N+1 counted opcodes a holder
// that has waiters gives the GIL to the stealer and queues behind the others; one that has none
// goes on.
//
// The stealer's mutex is pthread's and serves in no strict order: a thread that has just given the
// GIL away may become the stealer before one that was woken to be, and then takes it back at once.
//
// A failed attempt is `contended` where the thread has not slept for the GIL yet: it finds another
// one stealing, or it is the stealer and finds it taken. It is `woken_lost` where it has slept on
// mutex_gil_stealer, or was woken from mutex_gil, and finds it taken; becoming the stealer mostly
// means just that. Each turn of 0.1 ms that ran out and then found it taken is `timed_out`. Nobody
// ever asks for a drop. Polling is not waiting, and counts nothing.
//
// Departures: PyPy counts every bytecode, and under its JIT at most one a loop; here it is the
// opcodes that CPython 2.7 would count, three of the nine in a counting loop. A thread tries the
// stealer's mutex before it waits for it, to tell the kinds of failure apart. Counters that PyPy
// reads and writes without care are relaxed atomics.
#include <mutex>

#include "userspace/descriptor/policy.h"
#include "userspace/gil/condition.h"
#include "userspace/gil/gil.h"

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

// Names are PyPy's own where they say something.
class Pypy : public Gil {
 public:
  explicit Pypy(int32_t interval) : interval_(interval) {}

  void acquire(GilThread& thread) override {
    if (!take_fastgil(thread)) acquire_slow_path(thread);
    thread.board.acquired();
  }

  void release(GilThread& thread) override {
    thread.board.released();
    fastgil_.store(nullptr, std::memory_order_release);
  }

  void checkpoint(GilThread& thread) override {  // RPyGilYieldThread
    ticker_.store(interval_, std::memory_order_relaxed);
    if (waiters_.load(std::memory_order_relaxed) == 0) return;
    thread.board.released();
    unlock_mutex_gil();  // fastgil stays taken: only the stealer can have it
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
      // Another thread has come or has got it, so this one queues.
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

  const int32_t interval_;

  std::atomic<GilThread*> fastgil_{nullptr};  // rpy_fastgil; PyPy has the thread's number in it
  std::atomic<int> waiters_{0};               // rpy_waiting_threads
  std::atomic<int> early_polls_{0};           // rpy_early_poll_n

  std::mutex mutex_gil_stealer_;

  std::mutex mutex_gil_;  // PyPy's mutex2_t, with the condition and the flag below
  Condition mutex_gil_unlocked_;
  bool mutex_gil_locked_ = true;

  std::atomic<int32_t> ticker_{0};  // shared by all threads
};

}  // namespace

std::unique_ptr<Gil> make_pypy(const PolicyArguments& arguments) {
  return std::make_unique<Pypy>(static_cast<int32_t>(arguments.value));
}

}  // namespace gilscope
