// What keeps a run from running, seen without taking a moment of its window: the kernel notes each
// of these as it happens, and nobody looks before the run is over.
//
//   "signal"    the worker was stopped and continued (SIGSTOP, ^Z): its parent is told
//   "client"    the same of the process at the other end of its conversation
//   "freezer"   somebody wrote to a freezer of its cgroups or one above them, or they froze
//   "cgroup"    it was moved to other cgroups, whose freezers nobody watched
//   "suspend"   the machine slept: CLOCK_BOOTTIME counts that and CLOCK_MONOTONIC does not
//   "debugger"  one was attached to the worker when its run ended
//
// A stop of the parent alone disturbs no more than the draining of records, and those that are
// lost by it are counted. Not seen: a debugger that came and went, the freezer of a cgroup that is
// mounted nowhere here, and a virtual machine that its host stopped.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "userspace/util/fd.h"
#include "userspace/util/mapping.h"
#include "userspace/util/result.h"

namespace gilscope {

class Stops {
 public:
  // Before the run's processes are started; for one run.
  static Result<Stops> watch();
  ~Stops();
  Stops(Stops&&) noexcept = default;
  Stops& operator=(Stops&&) = delete;

  // Readable when a child of this process has stopped, gone on or ended: then heed().
  int fd() const { return child_signals_.get(); }
  void follow(pid_t worker, pid_t client) { worker_ = worker, client_ = client; }
  void heed();

  // In the worker: what it needs to keep open, and what it does before its run and after it.
  int kept_descriptor() const { return freezers_.get(); }
  void begin_in_worker() const;
  void end_in_worker() const;

  // When worker and client have ended: the ways in which they were kept from running, each once.
  // Empty: there was none that is known of, and some could not have been seen.
  std::optional<std::vector<std::string>> end();

 private:
  // What the worker tells, in memory that both have.
  struct Sheet {
    uint32_t began, ended;
    uint32_t freezers_watched;  // all there are
    uint32_t moved, debugged;
    char cgroups[4096];  // those that can be frozen, as they were when it began
  };

  // CLOCK_BOOTTIME less CLOCK_MONOTONIC, which cannot be read in one moment.
  struct Asleep {
    int64_t at_least_ns = 0, at_most_ns = 0;
    static Asleep now();
  };

  Stops() = default;

  Fd child_signals_;
  sigset_t before_{};
  Fd freezers_;
  bool freezers_watched_ = false;
  Mapping<Sheet> sheet_;
  Asleep asleep_;
  pid_t worker_ = -1, client_ = -1;
  bool worker_stopped_ = false, client_stopped_ = false;
};

}  // namespace gilscope
