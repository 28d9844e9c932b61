// Things that two sides should have and lack: cells, blocks, machines, and runs that failed, were
// interrupted or never took place. A comparison that lacks some of them does not pass.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "tools/compare/cell_names.h"
#include "tools/compare/comparison.h"

namespace gilscope {

// For a cell that is on both sides.
std::vector<Missing> missing_of(const CellResult& cell, const Contrast& contrast, const Axis& axis);

// Cells that are on one side only.
std::vector<Missing> unmatched_of(const Contrast& contrast, const Axis& axis,
                                  const CellNames& names);

// Reports that are not finished, each once.
std::vector<UnfinishedReport> unfinished(const std::vector<ComparedReport>& reports);

}  // namespace gilscope
