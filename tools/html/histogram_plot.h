// A distribution of times on a logarithmic axis, the same for every distribution of a page.
#pragma once

#include <string>

#include "userspace/report/model.h"

namespace gilscope {

// `key` names its numbers and its definition. Returns "" if there are no samples.
std::string histogram_plot(const std::string& name, const std::string& key,
                           const Histogram& histogram);

}  // namespace gilscope
