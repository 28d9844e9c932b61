// The sched events of all CPUs over a period, as `perf sched record` recorded them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/kernel/witness.h"

namespace gilscope::witness {

struct SchedEvent {
  enum Kind { switched, waking, wakeup, migrated, other };

  Kind kind = switched;
  uint64_t ns = 0;        // CLOCK_MONOTONIC
  int cpu = 0;            // where it happened
  int current = 0;        // the task running there; -1 if that task was exiting
  int tid = 0;            // the subject; of a switch, the task switched out
  int next = 0;           // switch: the task switched in
  bool runnable = false;  // switch: the task switched out was still runnable
  int from = 0, to = 0;   // migrated: CPUs; wakeup: `to` is the target CPU
};

// perf, recording from start() to stop().
class PerfRecording {
 public:
  // `directory` holds its files.
  static Result<PerfRecording> start(const std::string& directory);

  // The recorded events, in order of time; empty if perf lost events, so that the run must be
  // repeated.
  Result<std::optional<std::vector<SchedEvent>>> stop();

 private:
  PerfRecording(Command perf, std::string directory)
      : perf_(std::move(perf)), directory_(std::move(directory)) {}

  Command perf_;
  std::string directory_;
};

}  // namespace gilscope::witness
