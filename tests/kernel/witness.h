// Other programs that observe the same run as gilscope: perf and bpftrace.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "userspace/base/result.h"

namespace gilscope::witness {

// A program that runs beside the test, in its own mount namespace with tracefs mounted: nothing is
// left mounted, even if the test is killed. Its output goes to two files.
class Command {
 public:
  // Looks for the first argument in PATH; writes the files `output`.out and `output`.err.
  static Result<Command> start(const std::vector<std::string>& arguments,
                               const std::string& output);
  Command(Command&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)), output_(std::move(other.output_)) {}
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;
  ~Command();  // kills it if it still runs

  bool running();
  pid_t pid() const { return pid_; }
  // Its exit code, or 128 + the signal that ended it.
  int wait();
  // Sends SIGINT, which ends a recording of perf or bpftrace, and waits. Repeats the signal:
  // bpftrace only checks for it at certain points.
  int interrupt();

  std::string out_path() const { return output_ + ".out"; }
  std::string out() const;
  std::string err() const;

 private:
  Command(pid_t pid, std::string output) : pid_(pid), output_(std::move(output)) {}

  pid_t pid_;  // -1: reaped
  int status_ = 0;
  std::string output_;
};

// Polls until `done` or until the command has ended; false if it ended first.
template <typename Done>
bool until(Command& command, Done done) {
  while (!done()) {
    if (!command.running()) return done();
    ::usleep(5'000);
  }
  return true;
}

// Keeps these CPUs from idling, with a process on each that yields to any other. On some kernels
// perf does not see everything on an idle CPU: its recursion guard belongs to the current task, and
// a guard left set blinds it to that task, also an idle task, for good.
class NeverIdle {
 public:
  explicit NeverIdle(const std::vector<int>& cpus);
  NeverIdle(const NeverIdle&) = delete;
  NeverIdle& operator=(const NeverIdle&) = delete;
  ~NeverIdle();

 private:
  std::vector<pid_t> pids_;
};

std::string contents_of(const std::string& path);

}  // namespace gilscope::witness
