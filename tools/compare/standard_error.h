// The standard error behind an interval: its half width on the effect's scale over Student's
// quantile at the interval's confidence (Cochrane Handbook for Systematic Reviews, 6.3.2).
#pragma once

#include <optional>

#include "tools/analysis/effect.h"

namespace gilscope {

// Empty without an interval.
std::optional<double> standard_error(const Effect& effect);

}  // namespace gilscope
