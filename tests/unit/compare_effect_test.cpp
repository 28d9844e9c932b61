// Comparisons that are made and that are refused; estimates and intervals against values worked out
// by hand or by SciPy.
#include "tools/analysis/effect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/unit/compare_samples.h"
#include "tools/compare/metrics.h"

namespace gilscope {
namespace {

using testing::HasSubstr;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr Design kDesigns[] = {Design::paired, Design::unpaired};
constexpr Scale kScales[] = {Scale::ratio, Scale::difference};

Result<Effect> made(Design design, const Side& a, const Side& b, Scale scale = Scale::ratio) {
  return design == Design::paired ? paired_effect(a, b, scale) : unpaired_effect(a, b, scale);
}

std::string refusal(Design design, const Side& a, const Side& b, Scale scale = Scale::ratio) {
  const auto effect = made(design, a, b, scale);
  return effect ? "" : effect.error().message;
}

TEST(CompareEffect, RefusesWhatIsNoMeasurement) {
  const Side good = sample::side({1, 2, 3});
  for (const Design design : kDesigns) {
    for (const Scale scale : kScales) {
      EXPECT_EQ(refusal(design, good, good, scale), "");
      for (const double value : {std::nan(""), kInfinity, -kInfinity, -1.0}) {
        const Side bad = sample::side({1, value, 3}, "wakeups of B");
        EXPECT_THAT(refusal(design, good, bad, scale), HasSubstr("wakeups of B: block 1 has "));
        EXPECT_THAT(refusal(design, bad, good, scale), HasSubstr("wakeups of B: block 1 has "));
      }
      const Side empty{"wakeups of B", {}};
      EXPECT_THAT(refusal(design, good, empty, scale),
                  HasSubstr("wakeups of B: no block has a value"));
      EXPECT_THAT(refusal(design, empty, good, scale),
                  HasSubstr("wakeups of B: no block has a value"));
    }
    const Side zero = sample::side({1, 0, 3});
    EXPECT_THAT(refusal(design, good, zero),
                HasSubstr("only finite values above 0 by their ratio"));
    EXPECT_EQ(refusal(design, good, zero, Scale::difference), "");
  }
  EXPECT_EQ(paired_effect(good, Side{"B", {}}, Scale::ratio).error().code, Exit::no_data);
}

TEST(CompareEffect, PairsByBlockAndByNothingElse) {
  const Side a{"A", {{3, 30}, {1, 10}, {2, 20}, {7, 70}}};
  const Side b{"B", {{1, 20}, {2, 40}, {3, 60}, {9, 1}, {8, 1}}};
  const Effect effect = paired_effect(a, b, Scale::ratio).value();
  EXPECT_EQ(effect.blocks(), 3U);
  EXPECT_EQ(effect.left_out, 3U);
  EXPECT_DOUBLE_EQ(effect.median_a, 20);
  EXPECT_DOUBLE_EQ(effect.median_b, 40);
  EXPECT_DOUBLE_EQ(from_scale(Scale::ratio, effect.estimate.value), 2);
  EXPECT_FALSE(effect.estimate.interval);
  EXPECT_THAT(refusal(Design::paired, a, Side{"B", {{1, 1}, {1, 2}}}),
              HasSubstr("B: block 1 is there twice"));
  EXPECT_THAT(refusal(Design::paired, a, Side{"B", {{4, 1}, {5, 2}}}),
              HasSubstr("A and B have no block in common"));
  // Blocks of several reports may have the same number.
  EXPECT_EQ(refusal(Design::unpaired, a, Side{"B", {{1, 1}, {1, 2}}}), "");
}

// Six pairs: the interval reaches from the smallest ratio to the largest, and covers 1 - 2/64.
TEST(CompareEffect, SixPairsByHand) {
  const Effect effect =
      sample::effect(Design::paired, {1, 1, 1, 1, 1, 1}, {1.1, 1.2, 1.3, 1.4, 1.6, 1.5});
  const Interval interval = from_scale(Scale::ratio, *effect.estimate.interval);
  EXPECT_NEAR(interval.low, 1.1, 1e-12);
  EXPECT_NEAR(interval.high, 1.6, 1e-12);
  EXPECT_DOUBLE_EQ(effect.estimate.confidence, 1 - 2.0 / 64);
  EXPECT_NEAR(from_scale(Scale::ratio, effect.estimate.value), std::sqrt(1.2 * 1.5), 0.01);
}

// SciPy 1.10.1, by bisection. Paired: the shifts d at which 5 % of all 256 sign flips of D - d have
// a scipy.stats.ttest_1samp at least as far from 0; numpy.median of all means of two. Unpaired: the
// shifts d at which ttest_ind(a, b - d, permutations=numpy.inf, equal_var=False).pvalue is 5 %;
// numpy.median of all differences.
TEST(CompareEffect, IntervalsAreTheTestsInverted) {
  const Estimate paired = paired_estimate({0.31, 0.42, 0.28, 0.39, 0.35, 0.45, 0.30, 0.13});
  EXPECT_NEAR(paired.interval->low, 0.24, 1e-7);
  EXPECT_NEAR(paired.interval->high, 0.40666666666, 1e-7);
  EXPECT_NEAR(paired.value, 0.34, 1e-12);
  const Estimate unpaired = unpaired_estimate({10.1, 9.7, 11.4, 10.8, 9.9, 10.3},
                                              {11.0, 10.9, 12.6, 11.8, 10.2, 13.1, 11.6});
  EXPECT_NEAR(unpaired.interval->low, 0.20180477567374666, 0.01);
  EXPECT_NEAR(unpaired.interval->high, 2.2596383676634098, 0.01);
  EXPECT_NEAR(unpaired.value, 1.2, 1e-12);
}

// An interval excludes 0 exactly if the test's own p is at most 5 %.
TEST(CompareEffect, IntervalAndTestAgree) {
  sample::Noise noise(21);
  size_t refused = 0;
  for (int i = 0; i < 300; ++i) {
    for (const Design design : kDesigns) {
      const auto blocks = std::vector<double>(size_t(6 + i % 2), 0);
      const auto a = sample::values(noise, 100, blocks, 0.03);
      const auto b = sample::values(noise, 104, blocks, 0.03);
      const Effect effect = sample::effect(design, a, b);
      const double p = joint_test({effect.sample}).tests[0].p;
      EXPECT_EQ(p <= 0.05, !effect.estimate.interval->includes(0)) << p;
      if (p <= 0.05) ++refused;
    }
  }
  EXPECT_GT(refused, 50U);
  EXPECT_LT(refused, 550U);
}

TEST(CompareEffect, OrderChangesNothingAndSidesInvert) {
  sample::Noise noise(22);
  for (const size_t units : {9, 40, 120}) {
    for (int i = 0; i < 6; ++i) {
      const auto blocks = noise.normals(units, 0.1);
      Side a = sample::side(sample::values(noise, 100, blocks, 0.1));
      Side b = sample::side(sample::values(noise, 108, blocks, 0.1));
      const Scale scale = kScales[i % 2];
      if (scale == Scale::difference) a.values[2].value = b.values[5].value = 0;
      for (const Design design : kDesigns) {
        const Estimate estimate = made(design, a, b, scale)->estimate;
        const Estimate swapped = made(design, b, a, scale)->estimate;
        std::ranges::reverse(a.values);
        std::rotate(b.values.begin(), b.values.begin() + 4, b.values.end());
        const Estimate shuffled = made(design, a, b, scale)->estimate;
        EXPECT_EQ(estimate.value, shuffled.value);
        EXPECT_EQ(estimate.interval->low, shuffled.interval->low);
        EXPECT_EQ(estimate.interval->high, shuffled.interval->high);
        // Other drawn arrangements move the ends slightly.
        const double width = estimate.interval->high - estimate.interval->low;
        EXPECT_NEAR(estimate.value, -swapped.value, 1e-12);
        EXPECT_NEAR(estimate.interval->low, -swapped.interval->high, 0.1 * width);
        EXPECT_NEAR(estimate.interval->high, -swapped.interval->low, 0.1 * width);
      }
    }
  }
}

TEST(CompareEffect, AMetricThatIsZeroOnOneSideHasADifference) {
  for (const Design design : kDesigns) {
    const Effect none = sample::effect(design, std::vector<double>(8, 0), std::vector<double>(8, 0),
                                       Scale::difference);
    EXPECT_TRUE(none.all_zero);
    EXPECT_TRUE(none.constant);
    const Effect some = sample::effect(design, std::vector<double>(8, 0), {5, 6, 7, 8, 9, 1, 2, 3},
                                       Scale::difference);
    EXPECT_FALSE(some.all_zero);
    EXPECT_NEAR(some.estimate.value, 5, 0.51);
    EXPECT_GT(some.estimate.interval->low, 1);
    EXPECT_LT(some.estimate.interval->high, 9);
  }
  const Side none = sample::side({0, 0, 0}), some = sample::side({1, 2, 0}),
             all = sample::side({1, 2, 3});
  const Metric& rate = metrics()[*find_metric("contended_per_s")];
  const Metric& share = metrics()[*find_metric("wasted_share")];
  EXPECT_EQ(scale_of(rate, {&all, &all}), Scale::ratio);
  EXPECT_EQ(scale_of(rate, {&all, &some}), Scale::difference);
  EXPECT_EQ(scale_of(rate, {&none, &all}), Scale::difference);
  EXPECT_EQ(scale_of(share, {&all, &all}), Scale::difference);
}

TEST(CompareEffect, NoSpreadIsNoFault) {
  const Estimate paired = paired_estimate(std::vector<double>(8, 0.25));
  EXPECT_EQ(paired.interval->low, 0.25);
  EXPECT_EQ(paired.interval->high, 0.25);
  for (const size_t units : {6, 60}) {
    const Estimate unpaired =
        unpaired_estimate(std::vector<double>(units, 3), std::vector<double>(units, 5));
    EXPECT_NEAR(unpaired.interval->low, 2, 1e-9);
    EXPECT_NEAR(unpaired.interval->high, 2, 1e-9);
  }
  EXPECT_FALSE(paired_estimate({1, 2, 3, 4, 5}).interval);
  EXPECT_FALSE(unpaired_estimate({1, 2, 3}, {4, 5, 6}).interval);
  EXPECT_FALSE(unpaired_estimate({1}, {4, 5, 6, 7, 8, 9, 10}).interval);
}

}  // namespace
}  // namespace gilscope
