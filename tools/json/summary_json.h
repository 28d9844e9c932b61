// The derived numbers for scripts: `gilscope show --json`. The report itself holds the raw ones.
#pragma once

#include <string>

#include "tools/trace/report_findings.h"

namespace gilscope {

struct Report;

// `trace` has the findings from the report's segments, where those are at hand.
std::string summary_json(const Report& report, const ReportFindings& trace = {});

}  // namespace gilscope
