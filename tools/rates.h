// What computing threads beside the measured ones do to a workload's rate.
#pragma once

#include <vector>

#include "tools/summary.h"

namespace gilscope {

// Every cell with a background, with the cell that differs from it in that alone.
std::vector<RatePair> rate_pairs(const std::vector<CellSummary>& cells);

}  // namespace gilscope
