#include "tools/trace/report_findings.h"

#include <algorithm>

namespace gilscope {

const CellFindings* ReportFindings::of(const Report& report, const Cell& cell) const {
  const auto index = static_cast<size_t>(&cell - report.cells.data());
  return index < cells.size() && cells[index] ? &*cells[index] : nullptr;
}

bool ReportFindings::any() const {
  return std::ranges::any_of(cells, [](const auto& cell) { return cell.has_value(); });
}

Result<ReportFindings> report_findings(const std::string& report_path, const Report& report) {
  auto directory = TraceDirectory::of(report_path);
  if (!directory) return fail(directory.error());
  ReportFindings findings;
  for (const Cell& cell : report.cells) {
    for (const Run& run : cell.runs) {
      findings.runs_without_files +=
          !run.segments_file.empty() && !directory->has(run.segments_file);
    }
    auto found = cell_findings(*directory, report, cell);
    if (!found) return fail(found.error());
    findings.cells.push_back(std::move(*found));
  }
  return findings;
}

}  // namespace gilscope
