// The answer of a comparison, in a few sentences.
#pragma once

#include <string>
#include <vector>

#include "tools/compare/comparison.h"

namespace gilscope {

// For each level against the baseline: the cell that differs most, the kernel's side of it, and how
// the other cells came out.
std::vector<std::string> answer(const Comparison& comparison);

// A cell's decided metrics without its first one, the largest change first.
std::vector<const MetricResult*> other_decided_metrics(const CellResult& cell);
// "contended a second 35.6x (310 /s to 11 k/s)"
std::string decided_text(const MetricResult& result);

// The undecided metrics in one sentence; empty where there are none.
std::string undecided_line(const Comparison& comparison);
// Differences that were not asked about, in one sentence; empty where there are none.
std::string environment_line(const ContrastResult& contrast, size_t most);

}  // namespace gilscope
