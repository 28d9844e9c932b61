#include "userspace/gil/gvl.h"

#include <sched.h>

#include <mutex>

#include "userspace/gil/condition.h"
#include "userspace/gil/wait_queue.h"

namespace gilscope {
namespace {

struct Waiter : PolicyState, QueueNode<Waiter> {
  Condition wake;  // nd->cond.gvlq
};

// The names are Ruby's own, as far as they say something.
class Gvl : public Gil {
 public:
  explicit Gvl(const GvlOptions& options) : options_(options) {}

  void acquire(GilThread& thread) override {  // gvl_acquire
    thread.board.waiting();                   // the mutex itself may block
    std::unique_lock lock(mutex_);
    acquire_common(thread, lock);
  }

  void release(GilThread& thread) override {  // gvl_release
    thread.board.released();
    std::lock_guard lock(mutex_);
    release_common();
  }

  void checkpoint(GilThread& thread) override {  // gvl_yield
    thread.eval_breaker.store(0, std::memory_order_relaxed);
    thread.board.released();
    thread.board.waiting();
    std::unique_lock lock(mutex_);
    bool any = release_common();
    if (wait_yield_) {
      while (wait_yield_) yield_over_.wait(lock);
    } else if (any) {
      need_yield_ = wait_yield_ = true;
      while (need_yield_) taken_.wait(lock);
      wait_yield_ = false;
      yield_over_.broadcast();
    } else {
      lock.unlock();
      sched_yield();
      lock.lock();
      yield_over_.broadcast();
    }
    acquire_common(thread, lock);
  }

  Checks checks() const override { return Checks::back_edges; }
  std::atomic<int32_t>& breaker(GilThread& thread) override { return thread.eval_breaker; }

 private:
  void acquire_common(GilThread& thread, std::unique_lock<std::mutex>& lock) {
    if (owner_) {
      Waiter& waiter = state_of<Waiter>(thread);
      waitq_.push_back(waiter);
      thread.board.contended();
      do {
        if (!timer_) {
          be_timer(thread, waiter, lock);
        } else {
          waiter.wake.wait(lock);
          if (owner_) thread.board.woken_lost();
        }
      } while (owner_);
      waitq_.remove(waiter);
      if (need_yield_) {
        need_yield_ = false;
        taken_.signal();
      }
    } else {
      quantum_ran_out_ = true;  // the next timer begins a quantum of its own
    }
    owner_ = &thread;
    if (!timer_ && !waitq_.empty()) waitq_.back()->wake.signal();
    thread.board.acquired();
  }

  bool release_common() {
    owner_ = nullptr;
    if (waitq_.empty()) return false;
    waitq_.front()->wake.signal();
    return true;
  }

  void be_timer(GilThread& thread, Waiter& waiter, std::unique_lock<std::mutex>& lock) {
    timer_ = true;
    if (quantum_ran_out_) deadline_ns_ = monotonic_ns() + options_.quantum_ns;
    quantum_ran_out_ = waiter.wake.wait_until(lock, deadline_ns_);
    if (owner_) {
      quantum_ran_out_ ? thread.board.timed_out() : thread.board.woken_lost();
      owner_->eval_breaker.store(1, std::memory_order_relaxed);
      thread.board.drop_requested();
    }
    timer_ = false;
  }

  const GvlOptions options_;
  std::mutex mutex_;
  GilThread* owner_ = nullptr;
  WaitQueue<Waiter> waitq_;

  bool timer_ = false;           // whether one of the waiters is the timer
  bool quantum_ran_out_ = true;  // timer_err == ETIMEDOUT
  uint64_t deadline_ns_ = 0;

  Condition taken_;       // switch_cond
  Condition yield_over_;  // switch_wait_cond
  bool need_yield_ = false;
  bool wait_yield_ = false;
};

}  // namespace

std::unique_ptr<Gil> make_gvl(const GvlOptions& options) {
  return std::make_unique<Gvl>(options);
}

}  // namespace gilscope
