#include "userspace/gil/bfs.h"

#include <algorithm>
#include <mutex>

#include "userspace/gil/condition.h"
#include "userspace/gil/wait_queue.h"

namespace gilscope {
namespace {

constexpr int64_t kSliceNs = 10'000'000;  // rr_interval
constexpr int64_t kDeadlineFactor = 8;
constexpr uint64_t kSwitchBackNs = 12'000;         // SWITCH_BACK_TIMEOUT
constexpr uint64_t kWaitNs = kSliceNs * 55 / 100;  // for each waiter
constexpr int32_t kTicks = 5000;

struct Task : PolicyState, QueueNode<Task> {
  Condition wake;
  int64_t slice_ns = 0;
  int64_t deadline_ns = 0;  // of Python time
  uint64_t ran_from_ns = 0;

  int64_t turn_ns() const {
    return std::min(static_cast<int64_t>(monotonic_ns() - ran_from_ns), kSliceNs);
  }
};

class Bfs : public Gil {
 public:
  void acquire(GilThread& thread) override {  // bfs_schedule
    Task& self = state_of<Task>(thread);
    thread.board.waiting();  // the mutex itself may block
    std::unique_lock lock(mutex_);
    if (self.slice_ns <= 0) {
      self.slice_ns = kSliceNs;
      self.deadline_ns = python_ns_ + kSliceNs * kDeadlineFactor;
      if (giver_ == &self) giver_deadline_ns_ = self.deadline_ns;
    }
    if (const Task* running = running_) {
      bool urgent = self.deadline_ns <= running->deadline_ns && running->deadline_ns >= python_ns_;
      if (!urgent || !giver_) wait_for_turn(thread, self, urgent, lock);
    }
    running_ = &self;
    giver_ = nullptr;
    if (unconfirmed_) unconfirmed_->wake.signal();
    unconfirmed_ = nullptr;
    self.ran_from_ns = monotonic_ns();
    thread.board.acquired();
  }

  void release(GilThread& thread) override { yield(thread, true); }

  void checkpoint(GilThread& thread) override {  // bfs_checkpoint
    const Task& self = state_of<Task>(thread);
    reset_ticker();
    if (!preempt_.load(std::memory_order_relaxed) && self.slice_ns > self.turn_ns()) return;
    yield(thread, false);
    acquire(thread);
  }

  Checks checks() const override { return Checks::counted_opcodes; }
  std::atomic<int32_t>& breaker(GilThread&) override { return ticker_; }

 private:
  // `may_return`: the giver leaves for a blocking call, and may be back before the next one runs.
  void yield(GilThread& thread, bool may_return) {  // bfs_yield
    Task& self = state_of<Task>(thread);
    int64_t turn_ns = self.turn_ns();
    thread.board.released();
    std::unique_lock lock(mutex_);
    python_ns_ += turn_ns;
    self.slice_ns -= turn_ns;
    preempt_.store(false, std::memory_order_relaxed);
    reset_ticker();
    if (may_return) {
      giver_ = &self;
      giver_deadline_ns_ = self.deadline_ns;
    }
    Task* next = choose();
    running_ = next;
    if (!next) return;
    next->wake.signal();
    if (!unconfirmed_ && (self.slice_ns <= 0 || next->deadline_ns < python_ns_ ||
                          self.deadline_ns >= next->deadline_ns)) {
      unconfirmed_ = &self;
      thread.board.waiting();
      while (unconfirmed_ == &self) self.wake.wait(lock);
      thread.board.outside();
    }
  }

  // The earliest deadline, or the first in the queue that has passed.
  Task* choose() const {  // bfs_find_task
    Task* chosen = queue_.front();
    if (!chosen) return nullptr;
    for (Task* task = chosen->behind; task && chosen->deadline_ns > python_ns_;
         task = task->behind) {
      if (task->deadline_ns < chosen->deadline_ns) chosen = task;
    }
    return chosen;
  }

  void wait_for_turn(GilThread& thread, Task& self, bool urgent,
                     std::unique_lock<std::mutex>& lock) {
    if (urgent) preempt_.store(true, std::memory_order_relaxed);
    make_running_thread_look(thread);
    queue_.push_back(self);
    ++waiters_;
    thread.board.contended();
    while (running_ != &self) {
      bool ran_out = self.wake.wait_for(lock, waiters_ * kWaitNs);
      if (ran_out && running_ != &self) make_running_thread_look(thread);
      if (running_ == &self && giver_ && self.deadline_ns > giver_deadline_ns_ &&
          self.deadline_ns >= python_ns_) {
        let_giver_come_back(self, lock);
      }
      if (running_ != &self) ran_out ? thread.board.timed_out() : thread.board.woken_lost();
    }
    queue_.remove(self);
    --waiters_;
  }

  void make_running_thread_look(GilThread& thread) {
    ticker_.store(0, std::memory_order_relaxed);
    thread.board.drop_requested();
  }

  void let_giver_come_back(const Task& self, std::unique_lock<std::mutex>& lock) {
    lock.unlock();
    uint64_t from_ns = monotonic_ns();
    do {
      for (int spin = 500; spin > 0 && running_.load(std::memory_order_relaxed) == &self; --spin) {
      }
    } while (monotonic_ns() - from_ns < kSwitchBackNs);
    lock.lock();
  }

  // The check falls one counted opcode after the ticker has reached 0.
  void reset_ticker() { ticker_.store(kTicks - 1, std::memory_order_relaxed); }

  std::mutex mutex_;
  // Who has the GIL, or has been chosen to. Atomic, because a chosen thread spins on it.
  std::atomic<Task*> running_{nullptr};
  WaitQueue<Task> queue_;
  uint64_t waiters_ = 0;
  int64_t python_ns_ = 0;

  // Who left for a blocking call, while nobody has run since: bfs_thread_prev.
  const Task* giver_ = nullptr;
  int64_t giver_deadline_ns_ = 0;
  Task* unconfirmed_ = nullptr;  // waits until somebody has begun to run: bfs_thread_switch

  std::atomic<bool> preempt_{false};
  std::atomic<int32_t> ticker_{0};  // one for all threads
};

}  // namespace

std::unique_ptr<Gil> make_bfs() {
  return std::make_unique<Bfs>();
}

}  // namespace gilscope
