// One line a CPU: what the scheduler did there beside what the GIL did there.
#pragma once

#include <optional>
#include <vector>

#include "tools/analysis/summary.h"

namespace gilscope {

// Medians over a cell's traced, measured, finished runs; counts are of a run.
struct CpuLine {
  int cpu = 0;
  std::optional<double> on_cpu_share;  // of the window
  std::optional<double> wakeups;       // that ran here
  std::optional<double> migrations;    // to here, after a sleep or a preemption
  std::optional<double> failed;        // acquisitions: contended, woken_lost and timed_out
  std::optional<double> wasted_share;  // of the wakeups
};

struct CellLines {
  const CellSummary* cell = nullptr;
  std::vector<CpuLine> lines;  // by CPU
};

// The cells that have lines, the ones to look at first in front: those with the largest decided
// slowdown, then the other decided ones, then the rest in the report's order. Sequential cells only
// where nothing ran threaded.
std::vector<CellLines> cpu_lines(const Summary& summary);

struct CpuSelection {
  std::vector<CellLines> cells;
  size_t cells_left_out = 0;  // of those that cpu_lines() gave
  size_t cpus_left_out = 0;   // of the cells that are shown
};

// At most `most` lines, and at least one: the first cells, the busiest CPUs of each.
CpuSelection selected(std::vector<CellLines> all, size_t most);

}  // namespace gilscope
