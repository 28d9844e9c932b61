// The derived numbers for scripts: `gilscope show --json`. The report itself holds the raw ones.
#pragma once

#include <string>

#include "tools/trace/report_findings.h"
#include "userspace/report/model.h"

namespace gilscope {

// `trace` is what the report's segments tell, where they are at hand.
std::string summary_json(const Report& report, const ReportFindings& trace = {});

}  // namespace gilscope
