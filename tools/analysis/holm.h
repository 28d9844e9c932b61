// Holm's adjustment (1979, Scand. J. Statist. 6:65): with the adjusted p at or below 5 %, the
// chance of even one false difference among all of a comparison's primary metrics is at most 5 %,
// however the metrics hang together.
#pragma once

#include <vector>

#include "userspace/base/result.h"

namespace gilscope {

// In the order of `p`. An error where one is no probability.
Result<std::vector<double>> holm(const std::vector<double>& p);

}  // namespace gilscope
