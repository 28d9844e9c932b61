// Rules within a report that no schema can say: its counters agree with one another.
#pragma once

#include <string>
#include <vector>

#include "userspace/report/model.h"

namespace gilscope {

// One line each, "/cells/0/runs/2: ..."; empty: all hold. Runs that did not finish are not held to
// the sums.
std::vector<std::string> broken_invariants(const Report& report);

}  // namespace gilscope
