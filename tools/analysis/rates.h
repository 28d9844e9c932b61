// How computing threads beside the measured ones change a workload's rate.
#pragma once

#include <vector>

#include "tools/analysis/summary.h"

namespace gilscope {

// Pairs every cell that has background threads with the cell that differs in nothing else.
std::vector<RatePair> rate_pairs(const std::vector<CellSummary>& cells);

}  // namespace gilscope
