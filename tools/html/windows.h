// The windows of a cell's runs that its page shows as timelines: the first 50 ms and the worst 50
// ms.
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
  // By thread: the segments in the window, plus the last one before it and the first one after it,
  // which determine the thread's state in between.
  std::vector<std::vector<gilscope_segment>> threads;
  uint64_t wasted_wakeups = 0;  // in the window, after any shortening
  bool cut = false;             // shortened for lack of room

  size_t segments() const;
  // Moves its end forward, so that about `share` of its segments are left.
  void shorten(double share);
};

struct CellWindows {
  std::optional<TraceWindow> first, worst;
};

// The windows of a cell's traced, measured and finished runs that no disturbance limit excludes;
// empty if none of them has segments. Reads each file once and two of them twice; memory use
// depends on neither their length nor their number.
Result<CellWindows> cell_windows(const TraceDirectory& directory, const Report& report,
                                 const Cell& cell);

}  // namespace gilscope
