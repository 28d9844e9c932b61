// The standard error that an interval stands for: its half width on the effect's scale over
// Student's quantile at what it covers (Cochrane Handbook for Systematic Reviews, 6.3.2).
#pragma once

#include <optional>

#include "tools/analysis/effect.h"

namespace gilscope {

// Empty without an interval.
std::optional<double> standard_error(const Effect& effect);

}  // namespace gilscope
