// How one metric differs between two sides, A (the baseline) and B: what compare says of it before
// it judges.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/analysis/estimate.h"
#include "tools/analysis/joint_test.h"
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

// How sides are held against one another. Shares have a difference, in percentage points, and so
// has what is 0 in some block: there is no ratio to 0.
enum class Scale { ratio, difference };

struct Effect {
  Design design = Design::unpaired;
  Scale scale = Scale::ratio;
  size_t blocks_a = 0, blocks_b = 0;  // whose values are compared
  size_t left_out = 0;                // paired: blocks that only one side has
  bool all_zero = false;              // on both sides
  bool constant = false;              // in no arrangement do the sides differ
  double median_a = 0, median_b = 0;
  // On the scale, logarithms for ratios. It is of the blocks, and so not exactly what the medians
  // would give.
  Estimate estimate;
  double deviation_a = 0, deviation_b = 0;  // on the scale; paired: of the differences, and 0
  JointSample sample;                       // for the test

  // How many blocks, or pairs of them, the smaller side brings to the test.
  size_t blocks() const;
};

// From the scale to what is shown: the ratio, or the difference itself.
double shown_on(Scale scale, double value);
Interval shown_on(Scale scale, const Interval& interval);

// The difference of two values of a metric on the scale; for ratios both are above 0.
double difference_on(Scale scale, double a, double b);

// Values must be finite and not negative, above 0 on the scale of ratios, and there must be some on
// each side; a paired side has no block twice.
Result<Effect> paired_effect(const Side& a, const Side& b, Scale scale);
Result<Effect> unpaired_effect(const Side& a, const Side& b, Scale scale);

}  // namespace gilscope
