// Looks for the GILs of traced processes while they are traced. Finding one takes milliseconds to
// seconds, so it happens in a thread of its own, one process at a time.
#pragma once

#include <chrono>
#include <future>
#include <map>
#include <optional>
#include <string>

#include "userspace/base/result.h"
#include "userspace/subject/lock_name.h"
#include "userspace/subject/subject.h"

namespace gilscope {

class Search {
 public:
  // Looks for that lock in place of interpreters' GILs.
  explicit Search(std::optional<LockName> lock = {}) : lock_(std::move(lock)) {}
  // A process of interest, known by its place in the tracer's table; may be said again and again.
  // `threads`: how many have started. A process with a single one does not contend, so there is
  // nothing to observe; one that has started another is looked at again at once.
  void want(uint32_t place, pid_t pid, uint32_t threads);
  // Looks for it no more.
  void drop(uint32_t place);

  struct Found {
    uint32_t place = 0;
    Subject subject;
  };
  // Takes the result of the last search, and begins the next one that is due.
  std::optional<Found> step();
  // When step() wants to be called again; empty: no process is wanted.
  std::optional<std::chrono::milliseconds> wait() const;
  // Why the last search failed, in a process that runs an interpreter or for a lock; empty: none
  // did.
  const std::string& why_not() const { return why_not_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Wanted {
    pid_t pid = 0;
    uint32_t threads = 1;
    int tries = 0;
    Clock::time_point due;
  };
  void begin(uint32_t place);

  std::optional<LockName> lock_;
  std::map<uint32_t, Wanted> wanted_;
  std::future<Result<Subject>> running_;
  uint32_t running_for_ = 0;
  std::string why_not_;
};

}  // namespace gilscope
