// The metrics that `gilscope compare` knows, and that a spec may declare its primary ones. What
// each is stands in tools/compare/metrics.cpp and in docs/metrics.md.
#pragma once

#include <string>
#include <vector>

namespace gilscope {

// Those that are primary where no spec says which are come first.
const std::vector<std::string>& metric_names();

}  // namespace gilscope
