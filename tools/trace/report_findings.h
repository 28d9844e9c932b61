// Findings from the segments of a whole report, cell by cell.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/trace/trace_findings.h"

namespace gilscope {

struct ReportFindings {
  std::vector<std::optional<CellFindings>> cells;  // as in the report; empty: no segments
  size_t runs_without_files = 0;  // runs whose segments the report names but that are not beside it

  const CellFindings* of(const Report& report, const Cell& cell) const;
  bool any() const;
};

// `report_path` is where the report was read from; its segments lie beside it.
Result<ReportFindings> report_findings(const std::string& report_path, const Report& report);

}  // namespace gilscope
