// The comparison as text, in one screen: the answer, a line for each cell with its other decided
// metrics, differences of the environment, undecided metrics. `all` adds every number behind it.
#pragma once

#include <ostream>

#include "tools/compare/comparison.h"
#include "tools/text/report.h"

namespace gilscope {

void print_comparison(std::ostream& out, const Comparison& comparison, const TextOptions& options,
                      bool all = false);

}  // namespace gilscope
