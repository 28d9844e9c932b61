// A report's findings, in plain sentences.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/analysis/summary.h"
#include "tools/analysis/wording.h"

namespace gilscope {

struct Finding {
  Verdict kind = Verdict::undecided;
  std::string sentence;
  std::string about;  // "none on all 2 CPUs", for a list of several
  std::optional<double>
      factor;  // the slowdown; of a rate, what is lost; empty: no ratio to compare
};

// "1.4x", "4 %": how far a factor is from 1.
std::string distance(double factor);

// One for each pair of cells that has a slowdown or a rate, judged in Summary.
std::vector<Finding> findings(const Summary& summary, const Wording& wording);

// The place of the finding to begin with: the decided one that is furthest from 1, a loss before a
// gain. 0 where none is decided.
size_t leading(const std::vector<Finding>& all);

// Whether the spec's claim was reproduced; empty where it claims nothing.
// Slowdowns are named where there are at most `most` of them.
std::string claim_sentence(const Report& report, const Summary& summary, size_t most = SIZE_MAX);

}  // namespace gilscope
