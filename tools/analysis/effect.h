// How one number differs between two sides, A (the baseline) and B, before it is judged.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/analysis/estimate.h"
#include "tools/analysis/joint_test.h"
#include "userspace/base/result.h"

namespace gilscope {

// A block's value. A block that measured nothing has none, which is not 0.
struct BlockValue {
  int block = 0;  // its number in its report; equal numbers of two reports mean nothing
  double value = 0;
};

struct Side {
  std::string name;  // the metric and its source, for errors
  std::vector<BlockValue> values;
};

// Shares differ by percentage points, and so does a number that is 0 in some block, since there is
// no ratio to 0; all else by a ratio.
enum class Scale { ratio, difference };

struct Effect {
  Design design = Design::unpaired;
  Scale scale = Scale::ratio;
  size_t blocks_a = 0, blocks_b = 0;  // compared blocks of each side
  size_t left_out = 0;                // paired: blocks that only one side has
  bool all_zero = false;              // every value of both sides is 0
  bool constant = false;              // no arrangement of the values makes the sides differ
  double median_a = 0, median_b = 0;
  // On the scale: logarithms for ratios. It comes from the blocks, and so is not exactly the ratio
  // of the medians.
  Estimate estimate;
  double deviation_a = 0, deviation_b = 0;  // on the scale; paired: that of the differences, and 0
  JointSample sample;                       // for the joint test

  // How many blocks, or pairs of them, the smaller side brings to the test.
  size_t blocks() const;
  // The estimate and its interval as they are shown: ratios, or the differences themselves.
  double shown() const;
  std::optional<Interval> shown_interval() const;
};

// Converts from the scale to the ratio, or the difference itself, that is shown.
double from_scale(Scale scale, double value);
Interval from_scale(Scale scale, const Interval& interval);

// The difference of two values on the scale. For ratios both must be above 0.
double difference_on(Scale scale, double a, double b);

// Values must be finite and not negative, and above 0 for ratios. Each side must have some, and a
// paired side must not have a block twice.
Result<Effect> paired_effect(const Side& a, const Side& b, Scale scale);
Result<Effect> unpaired_effect(const Side& a, const Side& b, Scale scale);

// One side's Hodges-Lehmann estimate with its 95 % interval, on the logarithmic scale where all
// values are above 0.
struct Typical {
  std::optional<double> value;
  std::optional<Interval> interval;
};
Typical typical(const std::vector<double>& values);

}  // namespace gilscope
