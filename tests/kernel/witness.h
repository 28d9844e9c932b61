// Other people's programs that watch the same run as gilscope does: perf and bpftrace.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "userspace/util/result.h"

namespace gilscope::witness {

// A program that runs beside the test, in a mount namespace of its own where tracefs is mounted:
// nothing is left mounted, even if the test is killed. Its output goes to two files.
class Command {
 public:
  // The first argument is looked for in PATH; the files are `output`.out and `output`.err.
  static Result<Command> start(const std::vector<std::string>& arguments,
                               const std::string& output);
  Command(Command&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)), output_(std::move(other.output_)) {}
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;
  ~Command();  // kills it where it still runs

  bool running();
  pid_t pid() const { return pid_; }
  // Its exit status; 128 + n where signal n ended it.
  int wait();
  // What ^C does, which perf and bpftrace take as the end of their recording; then waits. Said
  // again and again: bpftrace looks for it only where it happens to be waiting.
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

// Tries until `done` or the command has ended; false where it ended first.
template <typename Done>
bool until(Command& command, Done done) {
  while (!done()) {
    if (!command.running()) return done();
    ::usleep(5'000);
  }
  return true;
}

// Keeps these CPUs from idling, with a process on each that gives way to any other. perf does not
// see on every kernel what happens while a CPU is idle: its guard against recursion belongs to the
// current task, and one that was left set blinds it to that task, an idle one as any, for good.
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
