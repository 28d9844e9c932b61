// The findings from the segments of a cell, for scripts.
#pragma once

#include <nlohmann/json.hpp>

#include "tools/trace/trace_findings.h"

namespace gilscope {

nlohmann::ordered_json trace_json(const CellFindings& found);

}  // namespace gilscope
