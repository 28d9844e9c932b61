// Detects what stopped a run, at no cost within its window: the kernel records each of these as it
// happens, and gilscope reads the records when the run is over.
//
//   "signal"    the worker was stopped and continued (SIGSTOP, ^Z); the kernel tells its parent
//   "client"    the same for the client process
//   "freezer"   a freezer of its cgroups, or of one above them, was written to, or they froze
//   "cgroup"    the worker was moved to other cgroups, whose freezers were not watched
//   "suspend"   the machine slept: CLOCK_BOOTTIME counts that, CLOCK_MONOTONIC does not
//   "debugger"  a debugger was attached to the worker when its run ended
//
// A stop of the parent alone only delays the draining of records, and records lost to that are
// counted. Not detected: a debugger that came and went, the freezer of a cgroup that is not mounted
// here, and a virtual machine paused by its host.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "userspace/base/fd.h"
#include "userspace/base/mapping.h"
#include "userspace/base/result.h"

namespace gilscope {

class Stops {
 public:
  // Starts watching for one run; call it before starting the run's processes.
  static Result<Stops> watch();
  ~Stops();
  Stops(Stops&&) noexcept = default;
  Stops& operator=(Stops&&) = delete;

  // Readable when a child of this process has stopped, continued or ended; call heed() then.
  int fd() const { return child_signals_.get(); }
  void follow(pid_t worker, pid_t client) { worker_ = worker, client_ = client; }
  void read_child_signals();

  // For the worker: the descriptor to keep open, and what to call before and after its run.
  int inherited_descriptor() const { return freezers_.get(); }
  void begin_in_worker() const;
  void end_in_worker() const;
  // The latter for a worker that executes another program, by its parent while it is still there.
  void end_of_worker() const;

  // Call it when worker and client have ended. Returns what stopped them, each kind once. Empty if
  // no stop is known but some could have gone unseen.
  std::optional<std::vector<std::string>> end();

 private:
  void note_end(const std::string& process) const;

  // The worker reports these, in shared memory.
  struct Sheet {
    uint32_t began, ended;
    uint32_t freezers_watched;  // every one of them
    uint32_t moved, debugged;
    char cgroups[4096];  // its freezable cgroups at the start
  };

  // CLOCK_BOOTTIME minus CLOCK_MONOTONIC, as bounds, since both cannot be read at the same instant.
  struct SuspendedTime {
    int64_t at_least_ns = 0, at_most_ns = 0;
    static SuspendedTime now();
  };

  Stops() = default;

  Fd child_signals_;
  sigset_t before_{};
  Fd freezers_;
  bool freezers_watched_ = false;
  Mapping<Sheet> sheet_;
  SuspendedTime asleep_;
  pid_t worker_ = -1, client_ = -1;
  bool worker_stopped_ = false, client_stopped_ = false;
};

}  // namespace gilscope
