// What a report found, in plain sentences.
#pragma once

#include <string>
#include <vector>

#include "tools/summary.h"
#include "tools/wording.h"

namespace gilscope {

struct Finding {
  enum class Kind { slower, faster, same, undecided };
  Kind kind;
  std::string sentence;
};

// As scripts and style sheets know it.
const char* name_of(Finding::Kind kind);

// Slower, faster or the same is said only where the 95 % interval says so.
Finding::Kind judge(const PairSummary& pair);

// One for each pair of cells that has a slowdown.
std::vector<Finding> findings(const Summary& summary, const Wording& wording);

// Whether what the spec claims was found; empty where it claims nothing.
std::string claim_sentence(const Report& report, const Summary& summary);

}  // namespace gilscope
