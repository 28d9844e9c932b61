// The flags that say what is compared with what: `compare` and `html` have the same.
#pragma once

#include "tools/compare/comparison.h"
#include "userspace/util/command.h"

namespace gilscope {

// `options` must outlive the parsing.
void add_sides(Command& command, ComparisonOptions& options);

}  // namespace gilscope
