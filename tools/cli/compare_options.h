// The flags by which `compare` and `html` choose the sides.
#pragma once

#include "tools/compare/comparison.h"
#include "userspace/base/command.h"

namespace gilscope {

// `options` must outlive the parsing.
void add_sides(Command& command, ComparisonOptions& options);

}  // namespace gilscope
