// Verdicts, Holm's adjustment for machines, and the number of further blocks needed.
#include "tools/analysis/verdict.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/compare_samples.h"
#include "tools/analysis/holm.h"
#include "tools/analysis/quantiles.h"
#include "tools/compare/metrics.h"

namespace gilscope {
namespace {

constexpr Design kDesigns[] = {Design::paired, Design::unpaired};

// Blocks spread exactly like the normal distribution, without randomness: its quantiles, scaled to
// the given standard deviation.
std::vector<double> even(size_t blocks, double typical, double deviation) {
  std::vector<double> z;
  double squares = 0;
  for (size_t i = 0; i < blocks; ++i) {
    z.push_back(normal_quantile((double(i) + 0.5) / double(blocks)));
    squares += z.back() * z.back();
  }
  const double scale = blocks > 1 ? deviation / std::sqrt(squares / double(blocks - 1)) : 0;
  std::vector<double> values;
  for (const double quantile : z) values.push_back(typical * std::exp(scale * quantile));
  return values;
}

Effect effect_of(Design design, size_t blocks, double ratio, double deviation) {
  const auto b = even(blocks, ratio, deviation);
  return design == Design::paired ? sample::effect(design, std::vector<double>(blocks, 1), b)
                                  : sample::effect(design, even(blocks, 1, deviation), b);
}

// The p of this test alone.
double p_of(const Effect& effect) {
  return effect.constant ? 1 : joint_test({effect.sample}).tests[0].p;
}

constexpr double kAlone = 1.96;  // the critical value of a single test

TEST(CompareVerdict, SaysWhichSideIsBetter) {
  for (const Design design : kDesigns) {
    const Effect more = effect_of(design, 10, 1.2, 0.01), less = effect_of(design, 10, 0.8, 0.01);
    EXPECT_EQ(judge(more, p_of(more), Better::lower), Verdict::slower);
    EXPECT_EQ(judge(less, p_of(less), Better::lower), Verdict::faster);
    EXPECT_EQ(judge(more, p_of(more), Better::higher), Verdict::faster);
    EXPECT_EQ(judge(less, p_of(less), Better::higher), Verdict::slower);
    EXPECT_EQ(judge(more, p_of(more), Better::neither), Verdict::more);
    EXPECT_EQ(judge(less, p_of(less), Better::neither), Verdict::less);
    EXPECT_EQ(judge(more, 0.06, Better::lower), Verdict::undecided);
  }
  EXPECT_STREQ(name_of(Verdict::undecided), "undecided");
  EXPECT_STREQ(name_of(Verdict::slower), "slower");
}

TEST(CompareVerdict, MinimumEffectIsLeast) {
  for (const Design design : kDesigns) {
    // Surely different from 1, but too small to matter.
    const Effect small = effect_of(design, 12, 1.010, 0.001);
    EXPECT_LT(p_of(small), 0.001);
    EXPECT_EQ(judge(small, p_of(small), Better::lower), Verdict::same);
    EXPECT_EQ(judge(small, p_of(small), Better::lower, {.min_effect = 0.005}), Verdict::slower);
    // Surely different, and perhaps large enough to matter.
    const Effect between = effect_of(design, 12, 1.018, 0.008);
    EXPECT_LT(p_of(between), 0.001);
    EXPECT_EQ(judge(between, p_of(between), Better::lower), Verdict::undecided);
    // If p and interval disagree, neither is trusted.
    const Effect unsure = effect_of(design, 12, 1.05, 0.2);
    EXPECT_TRUE(unsure.estimate.interval->includes(0));
    EXPECT_EQ(judge(unsure, 0.001, Better::lower), Verdict::undecided);
    const Effect wide = effect_of(design, 12, 1.0, 0.2);
    EXPECT_EQ(judge(wide, p_of(wide), Better::lower), Verdict::undecided);
  }
}

TEST(CompareVerdict, FewerThanSixBlocksAreUndecided) {
  for (const Design design : kDesigns) {
    for (const size_t blocks : {1, 2, 3, 4, 5}) {
      for (const double ratio : {1.0, 5.0}) {
        const Effect effect = effect_of(design, blocks, ratio, 0.0001);
        EXPECT_EQ(judge(effect, 0, Better::lower), Verdict::undecided) << blocks;
        EXPECT_EQ(more_blocks(effect, kAlone), 6 - blocks);
      }
    }
    EXPECT_EQ(judge(effect_of(design, 6, 5, 0.0001), 0, Better::lower), Verdict::slower);
    EXPECT_EQ(judge(effect_of(design, 6, 1, 0.0001), 1, Better::lower), Verdict::same);
  }
  const Effect few = sample::effect(Design::unpaired, even(5, 1, 0.001), even(40, 2, 0.001));
  EXPECT_TRUE(few.estimate.interval);
  EXPECT_EQ(judge(few, 0, Better::lower), Verdict::undecided);
  EXPECT_EQ(more_blocks(few, kAlone), 1U);
  // A block of one side only does not help, nor does a block without a difference.
  std::vector<double> a(6, 1), b(6, 2);
  b[3] = 1;
  EXPECT_EQ(judge(sample::effect(Design::paired, a, b), 0, Better::lower), Verdict::undecided);
  const Effect five = paired_effect(sample::side({1, 1, 1, 1, 1}),
                                    sample::side({2, 2, 2, 2, 2, 2, 2}), Scale::ratio)
                          .value();
  EXPECT_EQ(judge(five, 0, Better::lower), Verdict::undecided);
}

// A share of 0.1 % is three times one of 0.03 %, but too small to matter.
TEST(CompareVerdict, DifferencesHaveAMinimumOfTheirOwn) {
  for (const Design design : kDesigns) {
    const auto shares = [&](double other) {
      return sample::effect(design, even(8, 0.0003, 0.1), even(8, other, 0.1), Scale::difference);
    };
    const VerdictLimits limits{.min_difference = minimum_difference(Metric::Unit::share, 0.02)};
    const Effect little = shares(0.001), much = shares(0.65);
    EXPECT_EQ(judge(little, p_of(little), Better::lower, limits), Verdict::same);
    EXPECT_EQ(judge(much, p_of(much), Better::lower, limits), Verdict::slower);
    EXPECT_NEAR(much.estimate.value, 0.65, 0.05);
    EXPECT_NEAR(equivalence_margin(little, limits), 0.02, 1e-12);
    // For large counts the minimum effect is a share of them.
    const Effect large = sample::effect(design, {0, 9e4, 1e5, 1e5, 1e5, 1.1e5},
                                        {1e5, 1e5, 1e5, 1e5, 1e5, 1e5}, Scale::difference);
    EXPECT_NEAR(equivalence_margin(large, {.min_difference = 1}), 2e3, 1e-9);
  }
}

TEST(CompareVerdict, ZerosOnBothSidesAreTheSame) {
  for (const Design design : kDesigns) {
    const auto zeros = [&](size_t blocks) {
      return sample::effect(design, std::vector<double>(blocks, 0), std::vector<double>(blocks, 0),
                            Scale::difference);
    };
    EXPECT_EQ(judge(zeros(6), 1, Better::lower), Verdict::same);
    EXPECT_EQ(judge(zeros(5), 1, Better::lower), Verdict::undecided);
    const Effect from_none =
        sample::effect(design, std::vector<double>(6, 0), even(6, 3, 0.1), Scale::difference);
    EXPECT_EQ(judge(from_none, p_of(from_none), Better::lower), Verdict::slower);
    const Effect to_none =
        sample::effect(design, even(6, 3, 0.1), std::vector<double>(6, 0), Scale::difference);
    EXPECT_EQ(judge(to_none, p_of(to_none), Better::lower), Verdict::faster);
  }
}

TEST(CompareVerdict, OfAReportWithItselfIsTheSame) {
  const auto values = even(8, 100, 0.1);
  const Effect paired = sample::effect(Design::paired, values, values);
  EXPECT_EQ(p_of(paired), 1);
  EXPECT_EQ(judge(paired, p_of(paired), Better::lower), Verdict::same);
  const Effect unpaired = sample::effect(Design::unpaired, values, values);
  EXPECT_EQ(judge(unpaired, p_of(unpaired), Better::lower), Verdict::undecided);
}

TEST(CompareVerdict, SwappingSidesSwapsTheVerdict) {
  sample::Noise noise(31);
  size_t decided = 0;
  for (int i = 0; i < 200; ++i) {
    const auto blocks = noise.normals(8, 0.02);
    const double ratio = std::exp(0.04 * noise.normal());
    const auto a = sample::values(noise, 1, blocks, 0.01);
    const auto b = sample::values(noise, ratio, blocks, 0.01);
    for (const Design design : kDesigns) {
      const Effect there = sample::effect(design, a, b), back = sample::effect(design, b, a);
      const Verdict verdict = judge(there, p_of(there), Better::lower);
      const Verdict swapped = judge(back, p_of(back), Better::lower);
      if (verdict == Verdict::faster || verdict == Verdict::slower) ++decided;
      EXPECT_EQ(swapped, verdict == Verdict::faster   ? Verdict::slower
                         : verdict == Verdict::slower ? Verdict::faster
                                                      : verdict);
      EXPECT_EQ(more_blocks(there, 3), more_blocks(back, 3));
    }
  }
  EXPECT_GT(decided, 100U);
}

TEST(CompareVerdict, MoreBlocksGrowWithTheSpreadAndEnd) {
  for (const Design design : kDesigns) {
    size_t before = 0;
    for (const double deviation : {0.05, 0.1, 0.15}) {
      const auto more = more_blocks(effect_of(design, 10, 1.08, deviation), kAlone);
      ASSERT_TRUE(more) << deviation;
      EXPECT_GE(*more, before) << deviation;
      EXPECT_LE(*more, kMaxMoreBlocks);
      before = *more;
      // More tests need more blocks.
      EXPECT_GE(more_blocks(effect_of(design, 10, 1.08, deviation), 4).value_or(1000), *more);
    }
    EXPECT_FALSE(more_blocks(effect_of(design, 10, 1.08, 20), kAlone));
    // An effect exactly at the minimum is never found to be within it, nor beyond it.
    EXPECT_FALSE(more_blocks(effect_of(design, 10, 1.01999999, 0.05), kAlone));
    EXPECT_FALSE(more_blocks(effect_of(design, 10, 1.0201, 0.05), kAlone));
  }
}

// Comparisons of eight blocks and twelve metrics, of which the first is undecided: run again with
// as many more blocks as were asked for, at least eight of ten decide it.
TEST(CompareVerdict, MoreBlocksDecideInEightOfTen) {
  constexpr size_t kMetrics = 12;
  for (const Design design : kDesigns) {
    for (const auto& [ratio, deviation] :
         {std::pair(1.10, 0.08), std::pair(1.25, 0.15), std::pair(1.0, 0.025)}) {
      sample::Noise noise(32);
      const auto compared = [&, ratio = ratio, deviation = deviation](size_t blocks) {
        std::vector<JointSample> samples;
        Effect first;
        for (size_t metric = 0; metric < kMetrics; ++metric) {
          const std::vector<double> none(blocks, 0);
          const Effect effect = sample::effect(
              design, sample::values(noise, 1, none, deviation / std::sqrt(2)),
              sample::values(noise, metric == 0 ? ratio : 1, none, deviation / std::sqrt(2)));
          samples.push_back(effect.sample);
          if (metric == 0) first = effect;
        }
        const auto outcome = joint_test(samples, {.most = 256, .fewest = 256});
        return std::tuple(judge(first, outcome.tests[0].adjusted, Better::lower),
                          more_blocks(first, outcome.critical[0]));
      };
      size_t asked = 0, decided = 0, sum = 0, too_many_needed = 0;
      const size_t rounds = sample::rounds(40);
      for (size_t i = 0; asked < rounds && i < 20 * rounds; ++i) {
        const auto [verdict, more] = compared(8);
        if (verdict != Verdict::undecided) continue;
        if (!more) {
          ++too_many_needed;
          continue;
        }
        ++asked, sum += *more;
        if (std::get<0>(compared(8 + *more)) != Verdict::undecided) ++decided;
      }
      fmt::print(
          "{}, ratio {} at {:.1f} %: {} more blocks on average decide {} of {}; {} times more than "
          "{}\n",
          design == Design::paired ? "paired" : "unpaired", ratio, 100 * deviation,
          sum / std::max<size_t>(asked, 1), decided, asked, too_many_needed, kMaxMoreBlocks);
      if (sample::kFewRounds) continue;
      EXPECT_GE(double(decided), 0.8 * double(asked) - 2);
    }
  }
}

// statsmodels 0.13.5: multipletests([0.01, 0.04, 0.03, 0.005], method='holm'). By hand: 0.005 * 4,
// 0.01 * 3, 0.03 * 2, and 0.04, raised to the value before it.
TEST(CompareHolm, WorkedExample) {
  const auto adjusted = holm({0.01, 0.04, 0.03, 0.005}).value();
  const std::vector<double> expected{0.03, 0.06, 0.06, 0.02};
  ASSERT_EQ(adjusted.size(), 4U);
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(adjusted[i], expected[i], 1e-15);
  EXPECT_EQ(holm({0.7, 0.8}).value(), (std::vector<double>{1, 1}));
  EXPECT_TRUE(holm({}).value().empty());
}

TEST(CompareHolm, RefusesWhatIsNoProbability) {
  for (const double p : {std::nan(""), -0.1, 1.1}) EXPECT_FALSE(holm({0.5, p}));
}

}  // namespace
}  // namespace gilscope
