// What a comparison comes to, in the few sentences that answer what was asked.
#pragma once

#include <string>
#include <vector>

#include "tools/compare/comparison.h"

namespace gilscope {

// For each level that was held against the baseline: which cell differs most, and in what, the
// kernel's side of it, and what became of the other cells; at the end how sure that is.
std::vector<std::string> answer(const Comparison& comparison);

// The decided metrics of a cell but for its first, those that differ most first.
std::vector<const MetricResult*> others_decided(const CellResult& cell);
// "contended a second 35.6x (310 /s to 11 k/s)"
std::string decided_text(const MetricResult& result);

// What is undecided, in one sentence; empty where nothing is.
std::string undecided_line(const Comparison& comparison);
// What differs that was not asked about, in one sentence; empty where nothing does.
std::string environment_line(const ContrastResult& contrast, size_t most);

}  // namespace gilscope
