// What the segments of a run can tell and no counter can. docs/metrics.md, "From the segments",
// defines each number.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tools/trace/run_trace.h"

namespace gilscope {

// Of the time of the trace, with one GIL. held_ns = held_on_cpu_ns + held_off_cpu_ns.
struct GilUse {
  uint64_t held_ns = 0;
  uint64_t held_on_cpu_ns = 0;   // its owner ran
  uint64_t held_off_cpu_ns = 0;  // its owner was preempted, or blocked with it
  uint64_t overlapping_ns = 0;   // of held_ns: the segments do not tell which of several had it
  uint64_t free_ns = 0;
  // A core ran none of the run's threads while one of them could have run and the GIL was free;
  // another process may have had that core (foreign_ns of the cores says how much that was).
  uint64_t idle_while_free_ns = 0;
  uint64_t handoffs = 0;
  uint64_t handoffs_within = 0;         // of these: the release lies within a segment, no latency
  Histogram handoff;                    // latency of the others
  std::map<uint64_t, uint64_t> convoy;  // waiters at a hand-off -> hand-offs
};

// Scheduling delay summed along waker -> wakee: a woken thread's chain is its waker's so far and
// its own wake-to-run; a preempted one adds its own wait. A chain begins anew where the waker is
// not a thread of the run.
struct ChainDelay {
  Histogram delay;           // of each segment's chain, as it began to run
  uint64_t longest_ns = 0;
  uint64_t longest_wakeups = 0;  // links of that chain
};

struct TraceFindings {
  uint64_t records = 0;
  uint64_t dropped = 0;  // records that the ring had no room for: what follows lacks them
  uint64_t span_ns = 0;  // of the trace: the window where the report has it, else first to last
  std::optional<GilUse> gil;  // empty: no single lock
  ChainDelay chain;
  // Counts; the last row and column are tasks that are not the run's.
  std::vector<std::vector<uint64_t>> wakers;      // [waker slot][wakee slot]
  std::map<std::pair<int, int>, uint64_t> moves;  // (from CPU, to CPU) -> migrations
  GilCounts gil_counts;   // sums over the records; releases are not in them and stay 0
  uint64_t wasted_wakeups = 0, wakeups = 0;
  uint64_t on_cpu_ns = 0;  // within the window where the report has it
};

Result<TraceFindings> trace_findings(const RunTrace& trace);

// The runs of one cell put together: sums, and histograms merged.
TraceFindings& operator+=(TraceFindings& sum, const TraceFindings& other);

// Why the segments say less than the counters; empty where they are complete.
std::string incomplete(const TraceFindings& findings);

}  // namespace gilscope
