// Other tracers, set to observe what gilscope observes.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "tests/kernel/witness.h"

namespace gilscope::bench {

struct PeerResult {
  uint64_t bytes = 0;            // written to disk
  std::optional<uint64_t> lost;  // events, as it reports them; empty: it does not report any
};

// A tracer that is already running; end() stops it.
class Peer {
 public:
  Peer(witness::Command command, std::function<Result<PeerResult>(witness::Command&)> result)
      : command_(std::move(command)), result_(std::move(result)) {}

  Result<PeerResult> end() {
    command_.interrupt();
    return result_(command_);
  }

 private:
  witness::Command command_;
  std::function<Result<PeerResult>(witness::Command&)> result_;
};

// Each returns once the tracer is running, and ends the program with a message on failure. The
// names of its files begin with `output`.
Peer perf_stat(const std::string& output);
Peer perf_sched_record(const std::string& output);
// Counts wakeups, migrations and run-queue latency by CPU, in three maps, and keeps ready times in
// a fourth.
Peer bpftrace(const std::string& output);

// Samples one process's stacks a thousand times a second, as py-spy does from outside, which Debian
// does not have; `perf record` interrupts the process for each.
Peer perf_record(pid_t pid, const std::string& output);
// Writes each futex call, with its result.
Peer perf_trace_futex(pid_t pid, const std::string& output);
// Counts how long each acquisition takes, by probes on the function that gets the GIL back:
// take_gil or, in an interpreter without symbols, PyEval_RestoreThread.
Peer bpftrace_take_gil(pid_t pid, const std::string& output);

}  // namespace gilscope::bench
