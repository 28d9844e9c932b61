// The runs of a report that are exported.
#pragma once

#include <vector>

#include "userspace/base/result.h"
#include "userspace/report/model.h"

namespace gilscope {

// Both as the report numbers them; empty: all.
struct RunFilter {
  std::vector<int> cells;
  std::vector<int> blocks;
};

struct ExportedRun {
  size_t cell_index = 0;
  const Cell* cell = nullptr;
  const Run* run = nullptr;
  bool of_subjects = false;  // the report is of real programs: its rows have some columns more

  bool has_segments() const { return !run->segments_file.empty(); }
  // Records that found their CPU's buffer full.
  uint64_t dropped() const { return run->lost ? run->lost->segments : 0; }
  // When its first thread entered tracing; 0: none did.
  uint64_t first_ns() const;
};

// In the report's order. Fails where the filter names a cell or a block that is not there.
Result<std::vector<ExportedRun>> runs_to_export(const Report& report, const RunFilter& filter);

// Those of `runs` that have segments, in the order in which they ran. Fails with Exit::no_data
// where there are none.
Result<std::vector<ExportedRun>> with_segments(const std::vector<ExportedRun>& runs);

}  // namespace gilscope
