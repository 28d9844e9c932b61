// The page of a report: one file that needs nothing else.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/analysis/summary.h"
#include "tools/analysis/wording.h"
#include "tools/html/windows.h"
#include "tools/trace/report_findings.h"
#include "userspace/report/model.h"

namespace gilscope {

inline constexpr size_t kMaxPageBytes = 2'000'000;

// A page has timelines of so many cells; those that come first have them before the others.
inline constexpr size_t kMaxTimelineCells = 24;
// Threaded ones, which are what differs.
inline bool comes_first(const Cell& cell) {
  return cell.arrangement == "threaded";
}

struct PageTrace {
  ReportFindings findings;
  std::vector<CellWindows> windows;  // as the report's cells, empty ones where there are none
};

// What every section is made from.
struct PageContent {
  const Report& report;
  const Summary& summary;
  const Wording& wording;
  const PageTrace& trace;
};

// `json` is the report's text, which the page carries as it is where there is room.
std::string html_page(const Report& report, std::string_view json, const PageTrace& trace,
                      size_t max_bytes = kMaxPageBytes);

}  // namespace gilscope
