#include "userspace/gil/gvl_handoff.h"

#include <mutex>

#include "userspace/gil/condition.h"
#include "userspace/gil/wait_queue.h"

namespace gilscope {
namespace {

constexpr uint64_t kTickNs = 10'000'000;

struct Ready : PolicyState, QueueNode<Ready> {
  Condition turn;  // nt->cond.readyq
  std::atomic<int32_t>* interrupt = nullptr;
  uint64_t running_time_ns = 0;
};

// The names are Ruby's own, as far as they say something.
class GvlHandoff : public Gil {
 public:
  explicit GvlHandoff(const GvlHandoffOptions& options) : options_(options) {}

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
    if (self.running_time_ns < options_.quantum_ns) return;
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
    if (running_ == &self) return;  // and somebody else may keep the time by now
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

  const GvlHandoffOptions options_;
  std::mutex mutex_;
  Ready* running_ = nullptr;
  WaitQueue<Ready> readyq_;

  Ready* timekeeper_ = nullptr;  // of those in readyq_
  uint64_t next_tick_ns_ = 0;
};

}  // namespace

std::unique_ptr<Gil> make_gvl_handoff(const GvlHandoffOptions& options) {
  return std::make_unique<GvlHandoff>(options);
}

}  // namespace gilscope
