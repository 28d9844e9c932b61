// What the segments of a cell tell, for scripts.
#pragma once

#include <nlohmann/json.hpp>

#include "tools/trace/trace_findings.h"

namespace gilscope {

nlohmann::ordered_json trace_json(const CellFindings& found);

}  // namespace gilscope
