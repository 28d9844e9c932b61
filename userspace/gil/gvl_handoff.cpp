// gvl-handoff:T: the thread scheduler of Ruby 3.3 within one ractor (thread_pthread.c,
// thread_pthread_mn.c, thread.c), with a native thread for each of its threads.
//
// It is one lock, the running thread, and a ready queue in order of arrival. The giver makes the
// first in the queue the running thread and only then signals that thread's own condition: a true
// hand-over. A newcomer finds it free only when nobody waits, so nobody barges.
//
// While somebody waits, a timer ticks every 10 ms and sets the running thread's interrupt. A thread
// that finds its interrupt set adds 10 ms to its running time, which began at 0 when it was
// switched in; from T up it yields to the back of the queue, if there is one. So the quantum counts
// in whole ticks, and the first of them may come at once.
//
// Departure: Ruby ticks in a thread of its own. That would be one more thread on the CPUs under
// test, and one that gilscope does not trace, so here a waiter keeps the time: the first to come
// while nobody does waits for the next tick with a limit, the others without. The time goes from
// tick to tick, whoever keeps it. Where its keeper is handed the GVL and its giver goes away, the
// giver wakes the last in the queue to go on with it; that wakeup, and those of the ticks, Ruby
// would have had in its timer thread.
//
// A failed attempt is `contended` when a thread queues, behind others or having yielded, and
// `timed_out` for each tick that a waiter kept and that set the interrupt, which is a drop request
// too. Being woken to keep the time is no attempt, so `woken_lost` stays 0: a thread that is woken
// for the GVL has it.
#include <mutex>

#include "userspace/descriptor/policy.h"
#include "userspace/gil/condition.h"
#include "userspace/gil/gil.h"
#include "userspace/gil/wait_queue.h"

namespace gilscope {
namespace {

constexpr uint64_t kTickNs = 10'000'000;

struct Ready : PolicyState, QueueNode<Ready> {
  Condition turn;  // nt->cond.readyq
  std::atomic<int32_t>* interrupt = nullptr;
  uint64_t running_time_ns = 0;
};

// Names are Ruby's own where they say something.
class GvlHandoff : public Gil {
 public:
  explicit GvlHandoff(uint64_t quantum_ns) : quantum_ns_(quantum_ns) {}

  void acquire(GilThread& thread) override {
    Ready& self = state_of<Ready>(thread);
    self.interrupt = &thread.eval_breaker;
    thread.board.waiting();  // the mutex itself may block
    std::unique_lock lock(mutex_);
    if (!running_) {
      running_ = &self;
    } else {
      if (readyq_.empty()) next_tick_ns_ = monotonic_ns() + kTickNs;
      readyq_.push_back(self);
      wait_for_turn(thread, self, lock);
    }
    switched_in(thread, self);
  }

  void release(GilThread& thread) override {
    thread.board.released();
    std::lock_guard lock(mutex_);
    hand_over();
    if (!timekeeper_ && !readyq_.empty()) readyq_.back()->turn.signal();
  }

  void checkpoint(GilThread& thread) override {
    Ready& self = state_of<Ready>(thread);
    thread.eval_breaker.store(0, std::memory_order_relaxed);
    self.running_time_ns += kTickNs;
    if (self.running_time_ns < quantum_ns_) return;
    std::unique_lock lock(mutex_);
    if (readyq_.empty()) return;
    thread.board.released();
    readyq_.push_back(self);
    hand_over();
    thread.board.waiting();
    wait_for_turn(thread, self, lock);
    switched_in(thread, self);
  }

  Checks checks() const override { return Checks::back_edges; }
  std::atomic<int32_t>& breaker(GilThread& thread) override { return thread.eval_breaker; }

 private:
  void hand_over() {
    running_ = readyq_.pop_front();
    if (!running_) return;
    if (timekeeper_ == running_) timekeeper_ = nullptr;
    running_->turn.signal();
  }

  void wait_for_turn(GilThread& thread, Ready& self, std::unique_lock<std::mutex>& lock) {
    thread.board.contended();
    while (running_ != &self) {
      if (timekeeper_) {
        self.turn.wait(lock);
      } else {
        keep_time(thread, self, lock);
      }
    }
  }

  void keep_time(GilThread& thread, Ready& self, std::unique_lock<std::mutex>& lock) {
    timekeeper_ = &self;
    bool tick = self.turn.wait_until(lock, next_tick_ns_);
    if (running_ == &self) return;  // somebody else may keep the time by now
    timekeeper_ = nullptr;
    if (!tick) return;
    next_tick_ns_ = monotonic_ns() + kTickNs;
    thread.board.timed_out();
    running_->interrupt->store(1, std::memory_order_relaxed);
    thread.board.drop_requested();
  }

  static void switched_in(GilThread& thread, Ready& self) {
    self.running_time_ns = 0;
    thread.board.acquired();
  }

  const uint64_t quantum_ns_;
  std::mutex mutex_;
  Ready* running_ = nullptr;
  WaitQueue<Ready> readyq_;

  Ready* timekeeper_ = nullptr;  // in readyq_
  uint64_t next_tick_ns_ = 0;
};

}  // namespace

std::unique_ptr<Gil> make_gvl_handoff(const PolicyArguments& arguments) {
  return std::make_unique<GvlHandoff>(arguments.value);
}

}  // namespace gilscope
