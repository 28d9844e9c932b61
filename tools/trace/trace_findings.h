// Numbers that only a run's segments can give, and no counter. docs/metrics.md, "From the
// segments", defines each.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/trace/run_trace.h"
#include "tools/trace/wait_matrix.h"

namespace gilscope {

// How a GIL's time was spent. held_ns = held_on_cpu_ns + held_off_cpu_ns; held_ns + free_ns is the
// length of the trace.
struct GilUse {
  uint64_t held_on_cpu_ns = 0;   // its owner ran
  uint64_t held_off_cpu_ns = 0;  // its owner was preempted, or blocked while holding it
  uint64_t overlapping_ns = 0;   // part of these two: segments cannot tell which of several held it
  uint64_t free_ns = 0;
  // The GIL was free and a thread of the run was runnable, but some CPU ran none of the run's
  // threads. Another process may have had that CPU; the CPUs' foreign_ns shows how much that was.
  uint64_t idle_while_free_ns = 0;

  uint64_t handoffs = 0;
  uint64_t handoffs_unseen = 0;         // part of these: no waking shows the time of the release
  Histogram handoff;                    // latencies of the others
  std::map<uint64_t, uint64_t> convoy;  // waiters at a hand-off -> hand-offs

  uint64_t held_ns() const { return held_on_cpu_ns + held_off_cpu_ns; }
};

// Scheduling delay summed along waker -> wakee: a woken thread's chain is its waker's chain so far
// plus its own wake-to-run; a preempted thread adds its wait. A chain starts anew if the waker is
// not a thread of the run.
struct ChainDelay {
  Histogram delay;  // of each wakeup's chain, when the woken thread starts to run
  uint64_t longest_ns = 0;
  uint64_t longest_wakeups = 0;  // links of that chain
};

// Counts by slot; the last row is for wakers that are not threads of the run.
using WakerMatrix = std::vector<std::vector<uint64_t>>;  // [waker][wakee]
// Migrations from one CPU to another.
using MoveMatrix = std::map<std::pair<int, int>, uint64_t>;

struct TraceFindings {
  size_t runs = 0;
  bool of_subject = false;  // of a real program with a GIL
  uint64_t records = 0;
  uint64_t dropped = 0;        // records that a full buffer lost; the other numbers lack them
  uint64_t span_ns = 0;        // the window, or from first to last moment if it is not known
  std::optional<GilUse> gil;   // empty: no single lock
  WaitMatrix waits;            // empty: no single lock
  Histogram holding, waiting;  // lengths of the threads' periods of holding and waiting
  ChainDelay chain;
  WakerMatrix wakers;
  MoveMatrix moves;
  // Sums over the records, equal to the counters if nothing was dropped.
  uint64_t wakeups = 0, wasted_wakeups = 0, on_cpu_ns = 0, acquires = 0;
  FailedCounts failed;
};

Result<TraceFindings> trace_findings(const RunTrace& trace);

// Adds up runs of the same cell.
TraceFindings& operator+=(TraceFindings& sum, const TraceFindings& other);

// Findings from a cell's traced, measured and finished runs that no disturbance limit excludes.
struct CellFindings {
  std::vector<std::pair<const Run*, TraceFindings>> runs;
  TraceFindings sum;
};

// Empty if none of these runs has segments, or none of their files exists. A file that exists but
// fails its checks is an error.
Result<std::optional<CellFindings>> cell_findings(const TraceDirectory& directory,
                                                  const Report& report, const Cell& cell);

}  // namespace gilscope
