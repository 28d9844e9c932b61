// The comparison for scripts. docs/compare.md has the keys.
#pragma once

#include <string>

#include "tools/compare/comparison.h"

namespace gilscope {

std::string comparison_json(const Comparison& comparison);

}  // namespace gilscope
