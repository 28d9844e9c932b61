// A distribution of times, on a logarithmic axis that is the same for every one of a page.
#pragma once

#include <string>

#include "userspace/report/model.h"

namespace gilscope {

// `key` names its numbers and its definition. Empty text without samples.
std::string histogram_plot(const std::string& name, const std::string& key,
                           const Histogram& histogram);

}  // namespace gilscope
