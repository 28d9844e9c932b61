// Numbers against CPU counts, a line for each cell, with the interval of each point drawn.
#pragma once

#include <string>

#include "tools/compare/curve.h"

namespace gilscope {

// Empty without a curve. Below the drawing every number stands as text.
std::string curve_plot(const Curves& curves, const Axis& axis);

}  // namespace gilscope
