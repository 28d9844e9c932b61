// The comparison as text: sentences first, then a table for each cell.
#pragma once

#include <ostream>

#include "tools/compare/comparison.h"
#include "tools/text_report.h"

namespace gilscope {

void print_comparison(std::ostream& out, const Comparison& comparison, const TextOptions& options);

}  // namespace gilscope
