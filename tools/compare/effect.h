// How one metric differs between two sides, A (the baseline) and B: what compare says of it before
// it judges.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/compare/interval.h"
#include "tools/compare/permutation.h"
#include "userspace/util/result.h"

namespace gilscope {

// What a block has measured. One that measured nothing is not there; it is no 0.
struct BlockValue {
  int block = 0;  // as its report counts them: blocks of two reports have nothing in common
  double value = 0;
};

struct Side {
  std::string name;  // of the metric and where it is from, for errors
  std::vector<BlockValue> values;
};

enum class Design {
  paired,    // both sides were run in the same blocks of one report
  unpaired,  // in blocks of different reports, or boots
};

struct Effect {
  Design design = Design::unpaired;
  size_t blocks_a = 0, blocks_b = 0;  // whose values are compared
  size_t left_out = 0;                // paired: blocks that only one side has
  size_t both_zero = 0;               // paired: of the blocks compared, those that say nothing
  bool all_zero = false;              // on both sides
  double median_a = 0, median_b = 0;
  RatioEstimate estimate;  // of the blocks, and so not exactly median_b / median_a
  Permutation permutation;

  double p() const { return permutation.p; }
  // How many blocks, or pairs of them, the smaller side brings to the test.
  size_t blocks() const;
};

// Values must be finite and not negative, and there must be some on each side; a paired side has no
// block twice.
Result<Effect> paired_effect(const Side& a, const Side& b);
Result<Effect> unpaired_effect(const Side& a, const Side& b);

}  // namespace gilscope
