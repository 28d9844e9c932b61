// What a worker tells its parent, in memory that both map. The worker writes as things happen, so
// that nothing measured before a crash or a kill is lost.
#pragma once

#include <sys/resource.h>

#include <atomic>
#include <cstdint>
#include <span>

#include "userspace/base/mapping.h"
#include "userspace/base/result.h"
#include "userspace/experiment/run/perf_events.h"

namespace gilscope {

// One thread of the worker. Rows are in the order main thread, measured threads, background
// threads.
struct ThreadRow {
  enum State : uint32_t { never_started, running, finished };

  char name[64];
  std::atomic<uint32_t> state;
  uint32_t daemon;
  uint64_t operations;  // final once finished; some workloads update it as they go
  uint64_t active_ns;   // from its barrier to the end of its work; 0 until then

  // The kernel's accounts of the thread while it was traced. A switch between reading the accounts
  // and entering or leaving the trace is counted on one side only: `slack_switches` counts those,
  // nearly always 0.
  uint64_t cpu_ns;
  uint64_t voluntary_switches, involuntary_switches;
  uint64_t slack_switches;
  PerfReading perf;  // over the same time, if requested
};

struct RunSheet {
  std::atomic<uint32_t> complete;  // the worker reached the end of its run
  uint64_t started_ns;             // CLOCK_MONOTONIC when the first barriers opened
  uint64_t wall_ns;                // from then to main's last join
  char failure[256];               // why the run failed; empty if it did not
  std::atomic<uint32_t> failed;    // set before `failure` is written

  // Records the first failure; later ones are mostly its consequences. Does not allocate.
  void fail_with(const char* why);
  void fail_with(const Error& error) { fail_with(error.message.c_str()); }
};

// One sheet and its rows, in memory that a worker forked later shares.
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
