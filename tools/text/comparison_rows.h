// The comparison as rows, one for each metric of each cell: CSV for scripts, Markdown for
// discussions on the web.
#pragma once

#include <string>

#include "tools/compare/comparison.h"

namespace gilscope {

// RFC 4180, with a row of names. Unknown values are empty.
std::string comparison_csv(const Comparison& comparison);
// GitHub's dialect: sentences, a table for each cell, differences, how to read them.
std::string comparison_markdown(const Comparison& comparison);

}  // namespace gilscope
