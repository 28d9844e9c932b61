// The wait matrix of one cell: a map of all pairs, and a table of the worst.
#pragma once

#include <string>

#include "tools/analysis/numbers.h"
#include "tools/trace/report_findings.h"

namespace gilscope {

// Empty where the cell's lock has no single owner, or nobody waited.
std::string wait_section(const Cell& cell, const CellFindings& found, const Times& times);

}  // namespace gilscope
