#include "tools/export/runs.h"

#include <algorithm>

namespace gilscope {
namespace {

bool passes(const std::vector<int>& wanted, int number) {
  return wanted.empty() || std::ranges::find(wanted, number) != wanted.end();
}

}  // namespace

uint64_t ExportedRun::first_ns() const {
  uint64_t first = UINT64_MAX;
  for (const Thread& thread : run->threads) {
    if (thread.trace) first = std::min(first, thread.trace->entered_ns);
  }
  return first == UINT64_MAX ? 0 : first;
}

Result<std::vector<ExportedRun>> runs_to_export(const Report& report, const RunFilter& filter) {
  const auto cells = static_cast<int>(report.cells.size());
  for (const int cell : filter.cells) {
    if (cell < 0 || cell >= cells) {
      return fail(
          fmt::format("there is no cell {}: the report has cells 0 to {}", cell, cells - 1));
    }
  }
  std::vector<ExportedRun> runs;
  std::vector<int> missing = filter.blocks;
  const bool of_subjects =
      std::ranges::any_of(report.cells, [](const Cell& cell) { return cell.subject.has_value(); });
  for (size_t index = 0; index < report.cells.size(); ++index) {
    if (!passes(filter.cells, static_cast<int>(index))) continue;
    for (const Run& run : report.cells[index].runs) {
      if (!passes(filter.blocks, run.block)) continue;
      runs.push_back({index, &report.cells[index], &run, of_subjects});
      std::erase(missing, run.block);
    }
  }
  if (!missing.empty()) {
    return fail(fmt::format("no run of block {} is in the report{}", missing.front(),
                            filter.cells.empty() ? "" : " for these cells"));
  }
  if (runs.empty()) return fail(Exit::no_data, "there is no run in it yet");
  return runs;
}

Result<std::vector<ExportedRun>> with_segments(const std::vector<ExportedRun>& runs) {
  std::vector<ExportedRun> kept;
  for (const ExportedRun& run : runs) {
    if (run.has_segments()) kept.push_back(run);
  }
  if (kept.empty()) {
    return fail(
        Exit::no_data,
        "none of these runs has segments: `gilscope run --trace full --out DIR` keeps them");
  }
  std::ranges::stable_sort(kept, {}, &ExportedRun::first_ns);
  return kept;
}

}  // namespace gilscope
