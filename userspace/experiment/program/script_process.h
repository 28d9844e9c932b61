// The process of one run that executes a real program: started on the run's CPUs, as the user who
// called sudo, at a gate that is closed. For a script there is a pipe of results, too.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "userspace/base/fd.h"
#include "userspace/base/result.h"
#include "userspace/experiment/disturbance/stops.h"
#include "userspace/experiment/program/messages.h"
#include "userspace/machine/limit/cpu_limiter.h"
#include "userspace/recording/child.h"

namespace gilscope {

// The owner of these processes, and how they find the machine: as gilscope was started.
struct ProgramOwner {
  std::optional<User> user;
  Inherited inherited;
};

// Both ends of a pipe, closed on execution.
struct PipeEnds {
  Fd read, write;
  static Result<PipeEnds> make();
};

class ScriptProcess {
 public:
  struct Options {
    const ProgramOwner* owner = nullptr;
    std::string root;  // in which it runs; empty: the machine's
    std::vector<int> cpus;
    const CpuLimiter* limiter = nullptr;  // already applied
    const Stops* stops = nullptr;
    int input = -1;                // its standard input; -1: nothing
    std::vector<int> descriptors;  // that it has besides its pipes
    std::vector<std::string> variables;
    bool has_results = true;
    std::function<Status()> in_child = [] { return Status(); };  // last, before it waits
    std::function<Status()> before_release = [] { return Status(); };
  };

  // Makes the pipes. Their ends for the script have numbers now, which its task names.
  static Result<ScriptProcess> prepare();
  ScriptProcess(ScriptProcess&&) noexcept = default;
  ~ScriptProcess();  // kills it

  int gate_fd() const { return gate_.read.get(); }
  int results_fd() const { return results_.write.get(); }

  Status start(const std::vector<std::string>& command, const Options& options);
  pid_t pid() const { return child_->pid(); }

  // Opens the gate by a word.
  Status say(std::string_view word);
  // Closes the gate for good: a script ends then.
  void close_gate() { gate_.write = Fd(); }
  void kill() const;

  // To poll: readable when it has ended, and when it has said something.
  int process_fd() const { return child_->fd(); }
  int results_to_read() const { return results_.read.get(); }
  int errors_to_read() const { return errors_.read.get(); }

  // Takes what is there, without waiting.
  Result<std::vector<ScriptMessage>> read_results();
  void read_errors();

  // Waits for its end; call it once.
  CommandEnd wait();
  // How it ended, and the last line that it wrote to its standard error: "ended with status 1:
  // NameError: ...".
  std::string how_it_ended(const CommandEnd& end);

 private:
  ScriptProcess() = default;

  PipeEnds gate_, results_, errors_;
  std::optional<Child> child_;
  MessageReader reader_;
  std::string last_errors_;  // the end of its standard output and error
};

}  // namespace gilscope
