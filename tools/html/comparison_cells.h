// The lower part of a comparison's page: each cell with all of its numbers.
#pragma once

#include <string>

#include "tools/compare/comparison.h"

namespace gilscope {

std::string cell_sections(const Comparison& comparison);

}  // namespace gilscope
