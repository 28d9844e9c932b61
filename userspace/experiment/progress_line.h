// How far an experiment is, in one line for a terminal.
#pragma once

#include <optional>
#include <string>

#include "userspace/experiment/experiment.h"

namespace gilscope {

// The longest of its forms that leaves the last of `columns` free, where terminals go on to the
// next line; empty where there is room for none.
std::string progress_line(const Progress& progress, int columns);

// "block 3/9 (warm-up), 2 min 05 s left": for where lines cannot be replaced, one each block. The
// columns are those of a terminal; a file takes all.
std::string block_line(const Progress& progress, std::optional<int> columns);

}  // namespace gilscope
