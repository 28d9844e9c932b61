// The stretches of a cell's runs that its page shows as timelines: the first 50 ms, and the worst.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/trace/run_trace.h"

namespace gilscope {

inline constexpr uint64_t kWindowNs = 50'000'000;

struct TraceWindow {
  const Run* run = nullptr;
  uint64_t trace_from_ns = 0;  // the run's first moment
  uint64_t from_ns = 0, to_ns = 0;
  // By thread. What lies in the window, and of each thread the last segment before it and the first
  // one behind: they say what the thread was between.
  std::vector<std::vector<gilscope_segment>> threads;
  uint64_t wasted_wakeups = 0;  // in the window, as far as it reaches
  bool cut = false;             // there was no room for all of it

  size_t segments() const;
  // Ends it earlier, so that about `share` of its segments are left.
  void shorten(double share);
};

struct CellWindows {
  std::optional<TraceWindow> first, worst;
};

// Of the cell's traced, measured, finished runs that the gates let pass; empty ones where none of
// them has segments. Reads each file once and two of them twice; memory grows with neither their
// length nor their number.
Result<CellWindows> cell_windows(const TraceDirectory& directory, const Report& report,
                                 const Cell& cell);

}  // namespace gilscope
