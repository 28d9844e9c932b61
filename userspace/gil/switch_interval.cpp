// switch-interval:T[,flag=thread]: the GIL of CPython 3.2 and later (3.11,
// Python/ceval_gil.h; 3.13, Python/ceval_gil.c).
//
// A thread that finds the GIL taken waits on a condition for T. If that runs out, the GIL is still
// taken and nobody has got it meanwhile, the waiter asks for it: it sets the drop request, which
// the holder sees at its next check. The holder drops the GIL, signals one waiter, and then, if a
// drop was requested, waits until another thread has taken it (forced switching).
//
// The drop request is one flag for the interpreter (to 3.12): a thread that takes the GIL clears
// it, and with it other waiters' requests. With flag=thread (3.13+) it is the last holder's own: a
// request to a thread that has dropped meanwhile is harmless, and the dropper clears its own.
//
// CPython counts the interval in microseconds. Departures: no signals, pending calls, garbage
// collection or stop-the-world share the word, and no thread is made to exit at finalization.
#include <mutex>

#include "userspace/descriptor/policy.h"
#include "userspace/gil/condition.h"
#include "userspace/gil/gil.h"

namespace gilscope {
namespace {

// Names are CPython's own, so that the two can be read side by side.
class SwitchInterval : public Gil {
 public:
  explicit SwitchInterval(const PolicyArguments& arguments)
      : interval_ns_(arguments.value), per_thread_(arguments.has("flag=thread")) {}

  void acquire(GilThread& thread) override {  // take_gil
    thread.board.waiting();                   // the mutex itself may block
    std::unique_lock lock(mutex_);
    bool woken = false, ran_out = false;
    while (locked_) {
      ran_out ? thread.board.timed_out()
      : woken ? thread.board.woken_lost()
              : thread.board.contended();
      uint64_t saved_switch_number = switch_number_;
      ran_out = released_.wait_for(lock, interval_ns_);
      woken = !ran_out;
      if (ran_out && locked_ && switch_number_ == saved_switch_number) request_drop(thread);
    }
    {
      std::lock_guard switch_lock(switch_mutex_);
      locked_ = true;
      if (last_holder() != &thread) {
        set_last_holder(thread);
        ++switch_number_;
      }
      switched_.signal();
    }
    std::atomic<int32_t>& request = drop_request(thread);
    if (request.load(std::memory_order_relaxed)) request.store(0, std::memory_order_relaxed);
    thread.board.acquired();
  }

  void release(GilThread& thread) override {  // drop_gil
    thread.board.released();
    {
      std::lock_guard lock(mutex_);
      set_last_holder(thread);
      locked_ = false;
      released_.signal();
    }
    if (!drop_request(thread).load(std::memory_order_relaxed)) return;
    // Forced switching: the thread that asked gets it before this one may ask again.
    std::unique_lock switch_lock(switch_mutex_);
    if (last_holder() == &thread) {
      drop_request(thread).store(0, std::memory_order_relaxed);
      thread.board.waiting();
      switched_.wait(
          switch_lock);  // without a predicate, as in CPython: a stray wakeup is harmless
      thread.board.outside();
    }
  }

  void checkpoint(GilThread& thread) override {
    release(thread);
    acquire(thread);
  }

  Checks checks() const override { return Checks::back_edges; }
  std::atomic<int32_t>& breaker(GilThread& thread) override { return drop_request(thread); }

 private:
  GilThread* last_holder() const { return last_holder_.load(std::memory_order_relaxed); }
  void set_last_holder(GilThread& thread) {
    last_holder_.store(&thread, std::memory_order_relaxed);
  }

  std::atomic<int32_t>& drop_request(GilThread& thread) {
    return per_thread_ ? thread.eval_breaker : shared_drop_request_;
  }

  // Called with mutex_ held, so the last holder has the GIL.
  void request_drop(GilThread& thread) {
    drop_request(*last_holder()).store(1, std::memory_order_relaxed);
    thread.board.drop_requested();
  }

  const uint64_t interval_ns_;
  const bool per_thread_;

  std::mutex mutex_;
  Condition released_;  // gil->cond
  bool locked_ = false;
  uint64_t switch_number_ = 0;

  std::mutex switch_mutex_;
  Condition switched_;  // gil->switch_cond
  // Atomic, as in CPython: a dropper reads it under switch_mutex_ while the next drops under
  // mutex_.
  std::atomic<GilThread*> last_holder_{nullptr};

  std::atomic<int32_t> shared_drop_request_{0};
};

}  // namespace

std::unique_ptr<Gil> make_switch_interval(const PolicyArguments& arguments) {
  return std::make_unique<SwitchInterval>(arguments);
}

}  // namespace gilscope
