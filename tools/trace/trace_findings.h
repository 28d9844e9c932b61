// What the segments of a run can tell and no counter can. docs/metrics.md, "From the segments",
// defines each number.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/trace/run_trace.h"

namespace gilscope {

// One GIL's time. held_ns = held_on_cpu_ns + held_off_cpu_ns; held_ns + free_ns is the trace's.
struct GilUse {
  uint64_t held_on_cpu_ns = 0;   // its owner ran
  uint64_t held_off_cpu_ns = 0;  // its owner was preempted, or blocked with it
  uint64_t overlapping_ns = 0;   // of the two: segments do not tell which of several had it
  uint64_t free_ns = 0;
  // A core ran none of the run's threads while one of them could have run and the GIL was free.
  // Another process may have had that core: foreign_ns of the cores says how much that was.
  uint64_t idle_while_free_ns = 0;

  uint64_t handoffs = 0;
  uint64_t handoffs_unseen = 0;         // of these: no waking shows when the release was
  Histogram handoff;                    // latency of the others
  std::map<uint64_t, uint64_t> convoy;  // waiters at a hand-off -> hand-offs

  uint64_t held_ns() const { return held_on_cpu_ns + held_off_cpu_ns; }
};

// Scheduling delay summed along waker -> wakee: a woken thread's chain is its waker's so far and
// its own wake-to-run; a preempted one adds its own wait. A chain begins anew where the waker is
// not a thread of the run.
struct ChainDelay {
  Histogram delay;  // of each wakeup's chain, as the woken thread began to run
  uint64_t longest_ns = 0;
  uint64_t longest_wakeups = 0;  // links of that chain
};

// Counts, by slot; the last row stands for wakers that are not threads of the run.
using WakerMatrix = std::vector<std::vector<uint64_t>>;  // [waker][wakee]
// Migrations from one CPU to another.
using MoveMatrix = std::map<std::pair<int, int>, uint64_t>;

struct TraceFindings {
  size_t runs = 0;
  uint64_t records = 0;
  uint64_t dropped = 0;        // records that the ring had no room for: the rest lacks them
  uint64_t span_ns = 0;        // of the trace: the window, or where it is not known first to last
  std::optional<GilUse> gil;   // empty: no single lock
  Histogram holding, waiting;  // lengths of the threads' stretches of holding and waiting for it
  ChainDelay chain;
  WakerMatrix wakers;
  MoveMatrix moves;
  // Sums over the records, which equal the counters where nothing was dropped.
  uint64_t wakeups = 0, wasted_wakeups = 0, on_cpu_ns = 0, acquires = 0;
  FailedCounts failed;
};

Result<TraceFindings> trace_findings(const RunTrace& trace);

// Runs of the same cell put together.
TraceFindings& operator+=(TraceFindings& sum, const TraceFindings& other);

// What a cell's segments tell: of its traced, measured, finished runs that the gates let pass.
struct CellFindings {
  std::vector<std::pair<const Run*, TraceFindings>> runs;
  TraceFindings sum;
};

// Empty: none of these runs has segments, or none of their files is there. A file that is there and
// cannot be believed is an error.
Result<std::optional<CellFindings>> cell_findings(const TraceDirectory& directory,
                                                  const Report& report, const Cell& cell);

}  // namespace gilscope
