// The plots of a comparison's page: ratios with their intervals, and both sides' blocks.
#pragma once

#include <string>

#include "tools/compare/comparison.h"

namespace gilscope {

// A cell's name on the page, with the levels where there are more than two.
std::string group_name(const Comparison& comparison, const ContrastResult& contrast,
                       const CellResult& cell);

// Every primary metric that has a ratio.
std::string ratio_plot(const Comparison& comparison);

// Both sides' blocks on one axis, for each primary metric of a cell.
std::string distributions(const CellResult& cell, const Contrast& contrast);

}  // namespace gilscope
