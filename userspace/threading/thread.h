// Threads that behave as those of Python's threading module: named, joinable with and without a
// time-out, daemon or not. At the end of a process, as there, non-daemon threads are joined and
// daemon threads die with the process.
//
// The kernel gets the name too (comm, its first 15 bytes), so every trace shows it.
#pragma once

#include <pthread.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "userspace/base/result.h"

namespace gilscope::threading {

struct ThreadState;

class Thread {
 public:
  using Body = std::function<void()>;

  // The default name is Thread-N, N counting up from 1 in this process. By default `daemon` is that
  // of the thread that creates it.
  explicit Thread(Body body, std::string name = "", std::optional<bool> daemon = std::nullopt);
  ~Thread();  // does not wait: a running thread goes on
  Thread(Thread&&) noexcept;
  Thread& operator=(Thread&&) noexcept;

  // Fails if it was started before, or if the system has no more threads to give.
  Status start();

  // Waits until the body has returned. Fails for a thread that was not started and for the calling
  // thread. A thread may be joined any number of times.
  Status join();
  // As join(), but waits no longer than that; is_alive() then says whether it has ended.
  Status join_for(std::chrono::nanoseconds timeout);

  // Started, and the body has not returned.
  bool is_alive() const;

  std::string name() const;
  void set_name(std::string name);

  bool daemon() const;
  Status set_daemon(bool daemon);  // fails once it was started

 private:
  std::shared_ptr<ThreadState> state_;  // shared with the running thread
};

// The name and the daemon flag of the calling thread; "MainThread" and false if it is no Thread.
std::string current_thread_name();
bool current_thread_daemon();

// The threading module's end of main: joins every living thread that is not a daemon, including
// those that are started meanwhile.
void join_all_non_daemon_threads();

}  // namespace gilscope::threading
