// What a global interpreter lock is to the threads under it. Each policy is one file beside this
// one and says in its header whose algorithm it is and where it departs from it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "userspace/gil/board.h"

namespace gilscope {

// What a policy keeps of each thread: its condition, its priority, its place in a queue.
struct PolicyState {
  virtual ~PolicyState() = default;
};

// A thread, as a policy knows it. Belongs to one GIL, and lives as long as its thread may touch it.
struct GilThread {
  explicit GilThread(gilscope_slot& slot) : board(slot) {}

  BoardSlot board;
  // The thread's own eval-breaker word, for policies that have one a thread.
  std::atomic<int32_t> eval_breaker{0};
  // Of the pieces that a split lock has, the one that the thread holds (see Gil::pieces).
  uint32_t piece = 0;
  std::unique_ptr<PolicyState> policy;
};

// The policy's own state of a thread, made when the thread first comes to the GIL.
template <typename State>
State& state_of(GilThread& thread) {
  if (!thread.policy) thread.policy = std::make_unique<State>();
  return static_cast<State&>(*thread.policy);
}

class Gil {
 public:
  // Where the eval loop looks whether it must call checkpoint().
  enum class Checks {
    counted_opcodes,  // CPython 2: a word counted down at most opcodes; below 0 it is time
    back_edges,       // CPython 3.10+: a word read on backward jumps and after calls; not 0, time
  };

  virtual ~Gil() = default;

  virtual void acquire(GilThread& thread) = 0;
  virtual void release(GilThread& thread) = 0;

  // What a thread that holds the GIL does when the word says so; it holds the GIL again after.
  virtual void checkpoint(GilThread& thread) = 0;

  // Around a call that may block, as Py_BEGIN_ALLOW_THREADS and Py_END_ALLOW_THREADS.
  virtual void before_blocking(GilThread& thread) { release(thread); }
  virtual void after_blocking(GilThread& thread) { acquire(thread); }

  virtual Checks checks() const = 0;
  // The word that `thread` looks at; read and written by it while it holds the GIL, set by others.
  virtual std::atomic<int32_t>& breaker(GilThread& thread) = 0;

  // How many threads may hold it at once: a split lock guards as many pieces of the data.
  virtual uint32_t pieces() const { return 1; }
};

// Lets other threads have the GIL while a blocking call lasts.
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
