// The comparison as rows, one for each metric of each cell: CSV for scripts, Markdown for threads
// on the web.
#pragma once

#include <string>

#include "tools/compare/comparison.h"

namespace gilscope {

// RFC 4180, with a row of names. What is not known is empty.
std::string comparison_csv(const Comparison& comparison);
// GitHub's dialect: sentences, a table for each cell, what differs, how to read it.
std::string comparison_markdown(const Comparison& comparison);

}  // namespace gilscope
