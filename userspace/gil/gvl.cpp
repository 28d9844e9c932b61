// gvl:T: the global VM lock of Ruby 3.1 (thread_pthread.c; the yield is rb_thread_schedule_limits
// in thread.c).
//
// It is an owner, a queue in order of arrival, and a condition for each thread. The releaser wakes
// the first in the queue and hands over nothing, so a newcomer may take it meanwhile, and the woken
// thread goes on waiting in its place. One of the waiters, the first to come while there is none,
// is the timer: it waits until a deadline T after the last one that ran out, and whenever it wakes,
// in time or not, and finds the lock owned, it sets the owner's interrupt. The others wait without
// a limit. A thread that gets the GVL while there is no timer wakes the last in the queue to be it.
//
// An interrupted owner yields: it releases, and if there was somebody to wake, it waits until one
// that had queued has taken the lock (need_yield, switch_cond). Where another thread is waiting so
// already, it waits until that is over (wait_yield, switch_wait_cond). Then it queues. With nobody
// waiting it calls sched_yield between release and acquire.
//
// A failed attempt is `contended` the first time, `timed_out` where the timer's wait ran out, and
// `woken_lost` otherwise: barged past, or woken to be the timer. Setting the interrupt is a drop
// request, after either of the two.
//
// Departures: there are no signals and no blocking regions to interrupt, so the timer has nothing
// else to look after, and without waiters there is none (Ruby arms a POSIX timer in that case). All
// threads have the same thread priority.
#include <sched.h>

#include <mutex>

#include "userspace/descriptor/policy.h"
#include "userspace/gil/condition.h"
#include "userspace/gil/gil.h"
#include "userspace/gil/wait_queue.h"

namespace gilscope {
namespace {

struct Waiter : PolicyState, QueueNode<Waiter> {
  Condition wake;  // nd->cond.gvlq
};

// Names are Ruby's own where they say something.
class Gvl : public Gil {
 public:
  explicit Gvl(uint64_t quantum_ns) : quantum_ns_(quantum_ns) {}

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
    if (quantum_ran_out_) deadline_ns_ = monotonic_ns() + quantum_ns_;
    quantum_ran_out_ = waiter.wake.wait_until(lock, deadline_ns_);
    if (owner_) {
      quantum_ran_out_ ? thread.board.timed_out() : thread.board.woken_lost();
      owner_->eval_breaker.store(1, std::memory_order_relaxed);
      thread.board.drop_requested();
    }
    timer_ = false;
  }

  const uint64_t quantum_ns_;
  std::mutex mutex_;
  GilThread* owner_ = nullptr;
  WaitQueue<Waiter> waitq_;

  bool timer_ = false;           // one of the waiters is the timer
  bool quantum_ran_out_ = true;  // timer_err == ETIMEDOUT
  uint64_t deadline_ns_ = 0;

  Condition taken_;       // switch_cond
  Condition yield_over_;  // switch_wait_cond
  bool need_yield_ = false;
  bool wait_yield_ = false;
};

}  // namespace

std::unique_ptr<Gil> make_gvl(const PolicyArguments& arguments) {
  return std::make_unique<Gvl>(arguments.value);
}

}  // namespace gilscope
