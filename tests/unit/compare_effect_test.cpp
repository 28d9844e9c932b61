// What is compared, and what is refused; ratios and intervals where they can be worked out by hand.
#include "tools/compare/effect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/unit/compare_samples.h"

namespace gilscope {
namespace {

using testing::HasSubstr;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr Design kDesigns[] = {Design::paired, Design::unpaired};

std::string refusal(Design design, const Side& a, const Side& b) {
  const auto made = design == Design::paired ? paired_effect(a, b) : unpaired_effect(a, b);
  return made ? "" : made.error().message;
}

TEST(CompareEffect, RefusesWhatIsNoMeasurement) {
  const Side good = sample::side({1, 2, 3});
  for (const Design design : kDesigns) {
    EXPECT_EQ(refusal(design, good, good), "");
    for (const double value : {std::nan(""), kInfinity, -kInfinity, -1.0}) {
      const Side bad = sample::side({1, value, 3}, "wakeups of B");
      EXPECT_THAT(refusal(design, good, bad), HasSubstr("wakeups of B: block 1 has "));
      EXPECT_THAT(refusal(design, bad, good), HasSubstr("wakeups of B: block 1 has "));
    }
    const Side empty{"wakeups of B", {}};
    EXPECT_THAT(refusal(design, good, empty), HasSubstr("wakeups of B: no block has a value"));
    EXPECT_THAT(refusal(design, empty, good), HasSubstr("wakeups of B: no block has a value"));
  }
  EXPECT_EQ(paired_effect(good, Side{"B", {}}).error().code, Exit::no_data);
}

TEST(CompareEffect, PairsByBlockAndByNothingElse) {
  const Side a{"A", {{3, 30}, {1, 10}, {2, 20}, {7, 70}}};
  const Side b{"B", {{1, 20}, {2, 40}, {3, 60}, {9, 1}, {8, 1}}};
  const Effect effect = paired_effect(a, b).value();
  EXPECT_EQ(effect.blocks(), 3U);
  EXPECT_EQ(effect.left_out, 3U);
  EXPECT_DOUBLE_EQ(effect.median_a, 20);
  EXPECT_DOUBLE_EQ(effect.median_b, 40);
  EXPECT_DOUBLE_EQ(effect.estimate.ratio.value(), 2);
  EXPECT_FALSE(effect.estimate.interval);
  EXPECT_DOUBLE_EQ(effect.p(), 0.25);
  EXPECT_THAT(refusal(Design::paired, a, Side{"B", {{1, 1}, {1, 2}}}),
              HasSubstr("B: block 1 is there twice"));
  EXPECT_THAT(refusal(Design::paired, a, Side{"B", {{4, 1}, {5, 2}}}),
              HasSubstr("A and B have no block in common"));
  // Blocks of several reports may bear the same number.
  EXPECT_EQ(refusal(Design::unpaired, a, Side{"B", {{1, 1}, {1, 2}}}), "");
}

// Six pairs: from the smallest ratio to the largest, which covers 1 - 2/64.
TEST(CompareEffect, SixPairsByHand) {
  const auto [ratio, interval, confidence] =
      sample::effect(Design::paired, {1, 1, 1, 1, 1, 1}, {1.1, 1.2, 1.3, 1.4, 1.6, 1.5}).estimate;
  EXPECT_NEAR(interval->low, 1.1, 1e-12);
  EXPECT_NEAR(interval->high, 1.6, 1e-12);
  EXPECT_DOUBLE_EQ(confidence, 1 - 2.0 / 64);
  EXPECT_NEAR(*ratio, std::sqrt(1.2 * 1.5), 0.01);
}

// The tables of the rank sum have 6 as the sixth of 36 differences for 6 against 6 (U = 5 is the
// largest whose p is below 5 %), and of the signed ranks the ninth of 55 for 10 (W = 8).
TEST(CompareEffect, EndsAreThoseOfTheTables) {
  const std::vector<double> a{1, 1, 1, 1, 1, 1}, b{2, 3, 4, 5, 6, 7};
  const auto six = unpaired_ratio(a, b);
  EXPECT_NEAR(six.interval->low, 2, 1e-12);  // each ratio is there six times
  EXPECT_NEAR(six.interval->high, 7, 1e-12);
  EXPECT_NEAR(six.confidence, 1 - 2 * 0.0205628, 1e-6);
  std::vector<ValuePair> pairs;
  std::vector<double> averages;
  for (int i = 0; i < 10; ++i) pairs.push_back({1, std::exp(double(1 << i))});
  for (int i = 0; i < 10; ++i) {
    for (int j = i; j < 10; ++j) averages.push_back(double((1 << i) + (1 << j)) / 2);
  }
  std::sort(averages.begin(), averages.end());
  const auto ten = paired_ratio(pairs);
  EXPECT_NEAR(std::log(ten.interval->low), averages[8], 1e-9);
  EXPECT_NEAR(std::log(ten.interval->high), averages[55 - 9], 1e-9);
  EXPECT_NEAR(ten.confidence, 1 - 2 * 25.0 / 1024, 1e-12);
}

// An interval refuses 1 exactly where the test does: both are the same counting.
TEST(CompareEffect, IntervalAndTestAgree) {
  sample::Noise noise(21);
  size_t refused = 0;
  for (int i = 0; i < 400; ++i) {
    for (const Design design : kDesigns) {
      const auto blocks = std::vector<double>(6 + i % 7, 0);
      const auto a = sample::values(noise, 100, blocks, 0.03);
      const auto b = sample::values(noise, 104, blocks, 0.03);
      const Effect effect = sample::effect(design, a, b);
      EXPECT_EQ(effect.p() <= 0.05, !effect.estimate.interval->includes(1));
      if (effect.p() <= 0.05) ++refused;
    }
  }
  EXPECT_GT(refused, 100U);
  EXPECT_LT(refused, 700U);
}

TEST(CompareEffect, OrderChangesNothingAndSidesInvert) {
  sample::Noise noise(22);
  for (int i = 0; i < 50; ++i) {
    const auto blocks = noise.normals(9, 0.1);
    Side a = sample::side(sample::values(noise, 100, blocks, 0.1));
    Side b = sample::side(sample::values(noise, 108, blocks, 0.1));
    if (i % 3 == 0) a.values[2].value = b.values[5].value = 0;
    if (i % 3 == 1) a.values[4].value = b.values[4].value = 0;
    for (const auto make : {paired_effect, unpaired_effect}) {
      const Effect effect = make(a, b).value();
      const Effect swapped = make(b, a).value();
      std::reverse(a.values.begin(), a.values.end());
      std::rotate(b.values.begin(), b.values.begin() + 4, b.values.end());
      const Effect shuffled = make(a, b).value();
      EXPECT_EQ(effect.estimate.ratio, shuffled.estimate.ratio);
      EXPECT_EQ(effect.estimate.interval->low, shuffled.estimate.interval->low);
      EXPECT_EQ(effect.estimate.interval->high, shuffled.estimate.interval->high);
      EXPECT_EQ(effect.p(), shuffled.p());
      EXPECT_EQ(effect.p(), swapped.p());
      EXPECT_NEAR(*effect.estimate.ratio * *swapped.estimate.ratio, 1, 1e-12);
      const auto inverse = [](double end) { return end > 0 ? 1 / end : kInfinity; };
      EXPECT_DOUBLE_EQ(inverse(effect.estimate.interval->low), swapped.estimate.interval->high);
      EXPECT_DOUBLE_EQ(inverse(swapped.estimate.interval->low), effect.estimate.interval->high);
    }
  }
}

TEST(CompareEffect, ZerosLeaveOpenWhatTheyCannotBound) {
  // Nothing was counted on either side: nothing to tell apart, and no ratio.
  for (const Design design : kDesigns) {
    const Effect none =
        sample::effect(design, std::vector<double>(8, 0), std::vector<double>(8, 0));
    EXPECT_TRUE(none.all_zero);
    EXPECT_FALSE(none.estimate.ratio);
    EXPECT_EQ(none.p(), 1);
    // Nothing on one side, something on the other.
    const Effect all = sample::effect(design, std::vector<double>(8, 0), {5, 6, 7, 8, 9, 1, 2, 3});
    EXPECT_EQ(all.estimate.ratio, kInfinity);
    EXPECT_EQ(all.estimate.interval->low, kInfinity);
    EXPECT_LT(all.p(), 0.01);
  }
  // A pair of zeros says nothing: without it there are 7, not 8.
  const Effect one = sample::effect(Design::paired, {0, 5, 5, 5, 5, 5, 5, 5},
                                    {0, 6, 6.1, 6.2, 6.3, 6.4, 6.5, 6.6});
  EXPECT_EQ(one.both_zero, 1U);
  EXPECT_EQ(one.blocks(), 7U);
  EXPECT_DOUBLE_EQ(one.p(), 2.0 / 128);
  EXPECT_GT(one.estimate.interval->low, 1.1);
  // Half of the blocks counted nothing, on either side: the ratio could be anything.
  const Effect half =
      sample::effect(Design::unpaired, {0, 0, 0, 0, 5, 6, 7, 8}, {0, 0, 0, 0, 5.5, 6.5, 7.5, 8.5});
  EXPECT_EQ(half.estimate.interval->low, 0);
  EXPECT_EQ(half.estimate.interval->high, kInfinity);
}

}  // namespace
}  // namespace gilscope
