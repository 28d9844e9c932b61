// bfs: the deadline scheduler that Nir Aides proposed for CPython in 2010 (bpo-7946, after Con
// Kolivas' Brain F**k Scheduler; as kept in a forward port, Python/bfs.c).
//
// Its clock, the Python time, advances only while a thread has the GIL, by at most 10 ms a turn.
// Each thread has a slice of 10 ms and a deadline. A thread that comes for the GIL with its slice
// used up gets a new slice and a deadline 80 ms of Python time ahead. A thread that blocks often
// uses its slice slowly, so its deadline is early, or past.
//
// A thread that comes while nobody runs takes the GIL. It is urgent if its deadline is not behind
// the running thread's, and that one's has not passed. An urgent thread takes the GIL from a thread
// that has been chosen but has not begun to run, if the giver left for a blocking call; otherwise
// it sets `preempt` for the running thread. A thread that is not urgent makes the running thread
// look at its slice. Either way it then queues, with a limit of 5.5 ms times the number of waiters;
// when the limit runs out, it makes the running thread look at its slice again.
//
// The giver charges its slice, chooses the next thread by the earliest deadline, or the first in
// the queue whose deadline has passed, and signals that thread's own condition. If the giver's
// slice is used up, or the chosen deadline is not behind the giver's, or has passed, the giver
// waits until somebody has begun to run. A chosen thread whose deadline is later than that of a
// giver who left for a blocking call spins for 12 us, so that the giver can come back and take the
// GIL.
//
// The running thread looks at its clock every 5000 counted opcodes, or when told to. A waiter tells
// it by setting the ticker to 0. The running thread counts the ticker down, and one of its stores
// may undo that; it then sees the request when the ticker has run out.
//
// A failed attempt is `contended` when a thread queues, `timed_out` where the limit ran out, and
// `woken_lost` where a thread was chosen and another took the GIL first. Every request to look at
// the slice or to give the GIL up is a drop request.
//
// Departures: the clock is CLOCK_MONOTONIC, not the CPU's cycle counter, and integers of ns. Slices
// and the Python time change under the mutex. The giver's deadline is kept apart from the giver,
// whose thread may be gone.
#include <algorithm>
#include <mutex>

#include "userspace/descriptor/policy.h"
#include "userspace/gil/condition.h"
#include "userspace/gil/gil.h"
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
  int64_t deadline_ns = 0;  // in Python time
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
  // `may_return`: the giver leaves for a blocking call and may come back before the next thread
  // runs.
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

  // The task with the earliest deadline, or the first in the queue whose deadline has passed.
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

  // The check comes one counted opcode after the ticker has reached 0.
  void reset_ticker() { ticker_.store(kTicks - 1, std::memory_order_relaxed); }

  std::mutex mutex_;
  // The task that has the GIL or was chosen to have it. Atomic, because a chosen thread spins on
  // it.
  std::atomic<Task*> running_{nullptr};
  WaitQueue<Task> queue_;
  uint64_t waiters_ = 0;
  int64_t python_ns_ = 0;

  // The task that left for a blocking call, until the next one runs: bfs_thread_prev.
  const Task* giver_ = nullptr;
  int64_t giver_deadline_ns_ = 0;
  Task* unconfirmed_ = nullptr;  // waits until somebody has begun to run: bfs_thread_switch

  std::atomic<bool> preempt_{false};
  std::atomic<int32_t> ticker_{0};  // one for all threads
};

}  // namespace

std::unique_ptr<Gil> make_bfs(const PolicyArguments&) {
  return std::make_unique<Bfs>();
}

}  // namespace gilscope
