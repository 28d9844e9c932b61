// The interface of a global interpreter lock to the threads under it. Each policy is one file
// beside this one, which begins with whose algorithm it is and where it departs from it; what lists
// and documents show of it is in userspace/descriptor/policy.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "userspace/gil/board.h"

namespace gilscope {

// A policy's own state of a thread: its condition, its priority, its place in a queue.
struct PolicyState {
  virtual ~PolicyState() = default;
};

// A thread, as a policy knows it. It belongs to one GIL and lives as long as its thread may touch
// it.
struct GilThread {
  explicit GilThread(gilscope_slot& slot) : board(slot) {}

  BoardSlot board;
  // The thread's own eval-breaker word, for policies with a word for each thread.
  std::atomic<int32_t> eval_breaker{0};
  // The piece of a split lock that the thread holds (Gil::pieces).
  uint32_t piece = 0;
  std::unique_ptr<PolicyState> policy;
};

// Makes the state when the thread first comes to the GIL.
template <typename State>
State& state_of(GilThread& thread) {
  if (!thread.policy) thread.policy = std::make_unique<State>();
  return static_cast<State&>(*thread.policy);
}

class Gil {
 public:
  // Where the eval loop looks whether it has to call checkpoint().
  enum class Checks {
    counted_opcodes,  // CPython 2: most opcodes count a word down; it calls below 0
    back_edges,       // CPython 3.10+: backward jumps and calls read a word; it calls unless 0
  };

  virtual ~Gil() = default;

  virtual void acquire(GilThread& thread) = 0;
  virtual void release(GilThread& thread) = 0;

  // Called by the holder when its word says so; the thread holds the GIL again afterwards.
  virtual void checkpoint(GilThread& thread) = 0;

  // Around a call that may block, as Py_BEGIN_ALLOW_THREADS and Py_END_ALLOW_THREADS.
  virtual void before_blocking(GilThread& thread) { release(thread); }
  virtual void after_blocking(GilThread& thread) { acquire(thread); }

  virtual Checks checks() const = 0;
  // The word that `thread` looks at: it reads and writes it while it holds the GIL, others set it.
  virtual std::atomic<int32_t>& breaker(GilThread& thread) = 0;

  // The number of pieces that a split lock guards; as many threads may hold it at once.
  virtual uint32_t pieces() const { return 1; }
};

// Lets other threads have the GIL during a blocking call.
class AllowThreads {
 public:
  AllowThreads(Gil& gil, GilThread& thread) : gil_(gil), thread_(thread) {
    gil_.before_blocking(thread_);
  }
  ~AllowThreads() { gil_.after_blocking(thread_); }
  AllowThreads(const AllowThreads&) = delete;
  AllowThreads& operator=(const AllowThreads&) = delete;

 private:
  Gil& gil_;
  GilThread& thread_;
};

}  // namespace gilscope
