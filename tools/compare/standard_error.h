// The standard error that an interval stands for: its half width on the logarithms' scale over
// Student's quantile at what it covers (Cochrane Handbook for Systematic Reviews, 6.3.2).
#pragma once

#include <optional>

#include "tools/compare/effect.h"

namespace gilscope {

// Of the log ratio. Empty without an interval, or where the interval is open at one end.
std::optional<double> standard_error(const Effect& effect);

}  // namespace gilscope
