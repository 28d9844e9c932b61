// The sched events of a stretch of time as `perf sched record` recorded them, on all CPUs.
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
  int current = 0;        // the task that ran there; -1 where that task was exiting
  int tid = 0;            // whom it is about; of a switch, who was switched out
  int next = 0;           // switch: who was switched in
  bool runnable = false;  // switch: the one switched out could have gone on
  int from = 0, to = 0;   // migrated: CPUs; wakeup: `to` is where it was put
};

// perf, recording from start() to stop().
class PerfRecording {
 public:
  // `directory` is for its files.
  static Result<PerfRecording> start(const std::string& directory);

  // What it recorded, in the order of time; empty where perf lost events and another try is needed.
  Result<std::optional<std::vector<SchedEvent>>> stop();

 private:
  PerfRecording(Command perf, std::string directory)
      : perf_(std::move(perf)), directory_(std::move(directory)) {}

  Command perf_;
  std::string directory_;
};

}  // namespace gilscope::witness
