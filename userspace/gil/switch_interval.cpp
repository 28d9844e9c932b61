#include "userspace/gil/switch_interval.h"

#include <mutex>

#include "userspace/gil/condition.h"

namespace gilscope {
namespace {

// The names are CPython's own: whoever holds the two side by side should find his way.
class SwitchInterval : public Gil {
 public:
  explicit SwitchInterval(const SwitchIntervalOptions& options)
      : interval_ns_(options.interval_ns), per_thread_(options.flag_per_thread) {}

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
    // Forced switching: the one who asked must get it before this thread may ask again.
    std::unique_lock switch_lock(switch_mutex_);
    if (last_holder() == &thread) {
      drop_request(thread).store(0, std::memory_order_relaxed);
      thread.board.waiting();
      switched_.wait(switch_lock);  // without a predicate, as there: a stray wake-up is harmless
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

  // With mutex_ held, so the last holder is the one that has the GIL.
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
  // Atomic, as there: a dropper reads it under switch_mutex_ while the next one drops under mutex_.
  std::atomic<GilThread*> last_holder_{nullptr};

  std::atomic<int32_t> shared_drop_request_{0};
};

}  // namespace

std::unique_ptr<Gil> make_switch_interval(const SwitchIntervalOptions& options) {
  return std::make_unique<SwitchInterval>(options);
}

}  // namespace gilscope
