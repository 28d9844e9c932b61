// priority:T: a priority GIL in the manner of David Beazley (Feb 2010, "Revisiting thread
// priorities and the new GIL"): a thread's priority rises when it gives the GIL up of its own
// accord, and falls when it is timed out. His patch was not at hand, so all details below are ours.
//
// Otherwise it is the GIL of switch-interval: a flag under a mutex, a drop request in the holder's
// own word after waiting T without a switch, and a forced switch after a requested drop.
//
// - Priorities go from -3 to 3 and begin at 0. A voluntary release (before_blocking) that nobody
//   had asked for adds one. A drop after a wait that ran out takes one off, also if it comes by way
//   of a blocking call. A drop that a thread of higher priority asked for changes nothing.
// - Waiters queue by priority, and in order of arrival among equals; each has its own condition.
// - A waiter with a higher priority than the holder's asks for the GIL at once.
// - A release wakes the first in the queue. The free GIL goes to that thread, or to a newcomer
// whose
//   priority is no lower: among equals there is barging, as in CPython, and the woken thread may
//   lose. A thread that waits already must be the first in the queue.
// - A requested drop waits until another thread has taken the GIL.
//
// So threads that compute sink together and take turns of T, and one that blocks often rises above
// them and has the GIL at the holder's next back edge. If it computes after all it sinks again, a
// step for each T. Threads of high priority that never rest can starve the others for as long.
//
// A failed attempt is `contended` the first time, `timed_out` where a wait of T ran out, and
// `woken_lost` otherwise. A drop request is made at once, or after a wait.
#include <algorithm>
#include <mutex>

#include "userspace/descriptor/policy.h"
#include "userspace/gil/condition.h"
#include "userspace/gil/gil.h"
#include "userspace/gil/wait_queue.h"

namespace gilscope {
namespace {

constexpr int kLowest = -3, kHighest = 3;

// A thread's eval breaker; a later value outranks an earlier one.
enum Request : int32_t { kNone, kOutranked, kTimedOut };

struct Ranked : PolicyState, QueueNode<Ranked> {
  Condition wake;
  int priority = 0;
};

class Priority : public Gil {
 public:
  explicit Priority(uint64_t interval_ns) : interval_ns_(interval_ns) {}

  void acquire(GilThread& thread) override {
    Ranked& self = state_of<Ranked>(thread);
    thread.board.waiting();  // the mutex itself may block
    std::unique_lock lock(mutex_);
    if (!free_for(self)) wait_for_turn(thread, self, lock);
    locked_ = true;
    if (holder_ != &thread) {
      holder_ = &thread;
      ++switch_number_;
      switched_.broadcast();
    }
    thread.board.acquired();
  }

  void release(GilThread& thread) override { drop(thread, false); }
  void before_blocking(GilThread& thread) override { drop(thread, true); }

  void checkpoint(GilThread& thread) override {
    drop(thread, false);
    acquire(thread);
  }

  Checks checks() const override { return Checks::back_edges; }
  std::atomic<int32_t>& breaker(GilThread& thread) override { return thread.eval_breaker; }

 private:
  // A thread that does not wait yet may take it.
  bool free_for(const Ranked& self) const {
    return !locked_ && (queue_.empty() || self.priority >= queue_.front()->priority);
  }

  void wait_for_turn(GilThread& thread, Ranked& self, std::unique_lock<std::mutex>& lock) {
    queue_up(self);
    if (locked_ && self.priority > state_of<Ranked>(*holder_).priority) request(thread, kOutranked);
    thread.board.contended();
    while (locked_ || queue_.front() != &self) {
      uint64_t saved_switch_number = switch_number_;
      bool ran_out = self.wake.wait_for(lock, interval_ns_);
      if (!locked_ && queue_.front() == &self) break;
      ran_out ? thread.board.timed_out() : thread.board.woken_lost();
      if (ran_out && locked_ && switch_number_ == saved_switch_number) request(thread, kTimedOut);
    }
    queue_.remove(self);
  }

  // Behind threads of the same priority and before lower ones.
  void queue_up(Ranked& self) {
    Ranked* place = queue_.back();
    while (place && place->priority < self.priority) place = place->before;
    queue_.insert_behind(place, self);
  }

  void request(GilThread& thread, Request request) {
    std::atomic<int32_t>& word = holder_->eval_breaker;
    word.store(std::max<int32_t>(word.load(std::memory_order_relaxed), request),
               std::memory_order_relaxed);
    thread.board.drop_requested();
  }

  void drop(GilThread& thread, bool voluntary) {
    Ranked& self = state_of<Ranked>(thread);
    thread.board.released();
    std::unique_lock lock(mutex_);
    int32_t asked = thread.eval_breaker.exchange(kNone, std::memory_order_relaxed);
    if (asked == kTimedOut) {
      self.priority = std::max(self.priority - 1, kLowest);
    } else if (asked == kNone && voluntary) {
      self.priority = std::min(self.priority + 1, kHighest);
    }
    locked_ = false;
    if (!queue_.empty()) queue_.front()->wake.signal();
    if (asked == kNone) return;
    thread.board.waiting();
    while (holder_ == &thread) switched_.wait(lock);
    thread.board.outside();
  }

  const uint64_t interval_ns_;
  std::mutex mutex_;
  bool locked_ = false;
  GilThread* holder_ = nullptr;  // the last one, while it is not locked
  uint64_t switch_number_ = 0;
  WaitQueue<Ranked> queue_;
  Condition switched_;
};

}  // namespace

std::unique_ptr<Gil> make_priority(const PolicyArguments& arguments) {
  return std::make_unique<Priority>(arguments.value);
}

}  // namespace gilscope
