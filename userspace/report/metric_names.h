// The names of compare's metrics (bpf/numbers.def), of which a spec may declare its primary ones.
#pragma once

#include <string>
#include <vector>

namespace gilscope {

// The metrics that are primary by default come first.
const std::vector<std::string>& metric_names();

}  // namespace gilscope
