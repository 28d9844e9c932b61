// The progress of an experiment in one line.
#pragma once

#include <optional>
#include <string>

#include "userspace/experiment/experiment.h"

namespace gilscope {

// The longest form that leaves the last of `columns` free, since writing there makes terminals
// wrap; empty if no form fits.
std::string progress_line(const Progress& progress, int columns);

// "block 3/9 (warm-up), 2 min 05 s left": a line per block, for output whose lines cannot be
// overwritten. `columns` is a terminal's width; empty for a file, which takes the longest form.
std::string block_line(const Progress& progress, std::optional<int> columns);

}  // namespace gilscope
