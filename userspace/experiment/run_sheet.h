// What a worker tells its parent: memory that both map, written as things happen, so that what a
// worker measured before it crashed or was killed is not lost with it.
#pragma once

#include <sys/resource.h>

#include <atomic>
#include <cstdint>
#include <span>

#include "userspace/experiment/perf_events.h"
#include "userspace/util/mapping.h"
#include "userspace/util/result.h"

namespace gilscope {

// One thread of the worker: first its main thread, then the measured ones, then the computing ones
// beside them.
struct ThreadRow {
  enum State : uint32_t { never_started, running, finished };

  char name[64];
  std::atomic<uint32_t> state;
  uint32_t daemon;
  uint64_t operations;  // grows while the thread works, in some workloads; final where finished
  uint64_t active_ns;   // from its gate to the end of its work; 0 while it has not come to that

  // The kernel's accounts of the thread while it was traced. A switch that falls between the
  // thread's look at its accounts and its entering (or leaving) is on one side only: `slack`
  // counts those, 0 nearly always.
  uint64_t cpu_ns;
  uint64_t voluntary_switches, involuntary_switches;
  uint64_t slack_switches;
  PerfReading perf;  // over the same time, where it was asked for
};

struct RunSheet {
  std::atomic<uint32_t> complete;  // the worker came to the end of its run
  uint64_t started_ns;             // CLOCK_MONOTONIC: the first gate opened
  uint64_t wall_ns;                // from there to main's last join
  char failure[256];               // why the run failed; empty: it did not
  std::atomic<uint32_t> failed;    // somebody has begun to write that

  // The first to fail is heard; the others are mostly its consequence. Neither allocates.
  void fail_with(const char* why);
  void fail_with(const Error& error) { fail_with(error.message.c_str()); }
};

// One sheet and its rows, in memory shared with a worker that is forked later.
class SharedSheet {
 public:
  static Result<SharedSheet> make(size_t rows);

  RunSheet& sheet() const { return sheet_[0]; }
  std::span<ThreadRow> rows() const { return rows_.span(); }

 private:
  Mapping<RunSheet> sheet_;
  Mapping<ThreadRow> rows_;
};

}  // namespace gilscope
