// Threads that behave as those of Python's threading module: named, joinable with and without a
// time-out, daemon or not. And, for the end of a process, what the module does there: non-daemon
// threads are joined, daemon threads die with the process.
//
// The name is given to the kernel too (comm, its first 15 bytes), so it stands in every trace.
#pragma once

#include <pthread.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "userspace/util/result.h"

namespace gilscope::threading {

struct ThreadState;

class Thread {
 public:
  using Body = std::function<void()>;

  // Without a name it is called Thread-N, N counting up from 1 in this process. Without a word on
  // daemon it inherits from the thread that creates it.
  explicit Thread(Body body, std::string name = "", std::optional<bool> daemon = std::nullopt);
  ~Thread();  // does not wait: a thread that runs goes on running
  Thread(Thread&&) noexcept;
  Thread& operator=(Thread&&) noexcept;

  // Fails when it was started before, or when the system has no more threads to give.
  Status start();

  // Waits until the body has returned. Fails on a thread that was not started, and on the calling
  // thread. A thread may be joined any number of times.
  Status join();
  // The same, for so long at most; whether it has ended is what is_alive() says afterwards.
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

// The name and the daemon flag of the calling thread; "MainThread" and false where it is none of
// the above.
std::string current_thread_name();
bool current_thread_daemon();

// What happens at the end of main under the threading module: joins every thread that was started,
// is not a daemon and is still alive, those that are started meanwhile included.
void join_all_non_daemon_threads();

}  // namespace gilscope::threading
