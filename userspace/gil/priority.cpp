#include "userspace/gil/priority.h"

#include <algorithm>
#include <mutex>

#include "userspace/gil/condition.h"
#include "userspace/gil/wait_queue.h"

namespace gilscope {
namespace {

constexpr int kLowest = -3, kHighest = 3;

// What a thread's eval breaker says; the later ones count for more.
enum Request : int32_t { kNone, kOutranked, kTimedOut };

struct Ranked : PolicyState, QueueNode<Ranked> {
  Condition wake;
  int priority = 0;
};

class Priority : public Gil {
 public:
  explicit Priority(const PriorityOptions& options) : options_(options) {}

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
  // Whether a thread that does not wait yet may take it.
  bool free_for(const Ranked& self) const {
    return !locked_ && (queue_.empty() || self.priority >= queue_.front()->priority);
  }

  void wait_for_turn(GilThread& thread, Ranked& self, std::unique_lock<std::mutex>& lock) {
    queue_up(self);
    if (locked_ && self.priority > state_of<Ranked>(*holder_).priority) request(thread, kOutranked);
    thread.board.contended();
    while (locked_ || queue_.front() != &self) {
      uint64_t saved_switch_number = switch_number_;
      bool ran_out = self.wake.wait_for(lock, options_.interval_ns);
      if (!locked_ && queue_.front() == &self) break;
      ran_out ? thread.board.timed_out() : thread.board.woken_lost();
      if (ran_out && locked_ && switch_number_ == saved_switch_number) request(thread, kTimedOut);
    }
    queue_.remove(self);
  }

  // Behind those of the same priority, and before lower ones.
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

  const PriorityOptions options_;
  std::mutex mutex_;
  bool locked_ = false;
  GilThread* holder_ = nullptr;  // the last one, while it is not locked
  uint64_t switch_number_ = 0;
  WaitQueue<Ranked> queue_;
  Condition switched_;
};

}  // namespace

std::unique_ptr<Gil> make_priority(const PriorityOptions& options) {
  return std::make_unique<Priority>(options);
}

}  // namespace gilscope
