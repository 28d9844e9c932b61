// The page of a comparison: what differs that nobody asked about, what was found, and the blocks
// that it was found from.
#pragma once

#include <string>

#include "tools/compare/comparison.h"

namespace gilscope {

std::string comparison_page(const Comparison& comparison);

}  // namespace gilscope
