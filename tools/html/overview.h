// The page's first screen, and the tables that belong to it: what was run, where, and what
// happened.
#pragma once

#include <string>

#include "tools/html/page.h"

namespace gilscope {

// The spec's name for the experiment; what else it may be called where it has none.
std::string experiment_name(const Report& report);

std::string overview(const PageContent& page);
// Wall times of the pairs, and rates and latencies where a workload has them.
std::string time_tables(const PageContent& page);

}  // namespace gilscope
