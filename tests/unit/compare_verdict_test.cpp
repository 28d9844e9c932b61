// Verdicts, Holm's adjustment, and how many more blocks it takes.
#include "tools/compare/verdict.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/compare_samples.h"
#include "tools/compare/holm.h"
#include "tools/compare/quantiles.h"

namespace gilscope {
namespace {

constexpr Design kDesigns[] = {Design::paired, Design::unpaired};

// Blocks that are spread as the normal distribution is, with no luck in it: its quantiles, scaled
// to have exactly that standard deviation.
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

TEST(CompareVerdict, SaysWhichSideIsBetter) {
  for (const Design design : kDesigns) {
    const Effect more = effect_of(design, 10, 1.2, 0.01), less = effect_of(design, 10, 0.8, 0.01);
    EXPECT_EQ(judge(more, more.p(), Better::lower), Verdict::slower);
    EXPECT_EQ(judge(less, less.p(), Better::lower), Verdict::faster);
    EXPECT_EQ(judge(more, more.p(), Better::higher), Verdict::faster);
    EXPECT_EQ(judge(less, less.p(), Better::higher), Verdict::slower);
    EXPECT_EQ(judge(more, more.p(), Better::neither), Verdict::more);
    EXPECT_EQ(judge(less, less.p(), Better::neither), Verdict::less);
    EXPECT_EQ(judge(more, 0.06, Better::lower), Verdict::undecided);
  }
  EXPECT_STREQ(name_of(Verdict::undecided), "undecided");
  EXPECT_STREQ(name_of(Verdict::slower), "slower");
}

TEST(CompareVerdict, MinimumEffectIsLeast) {
  for (const Design design : kDesigns) {
    // Surely different from 1, and nobody cares.
    const Effect small = effect_of(design, 12, 1.010, 0.001);
    EXPECT_LT(small.p(), 0.001);
    EXPECT_EQ(judge(small, small.p(), Better::lower), Verdict::same);
    EXPECT_EQ(judge(small, small.p(), Better::lower, {.min_effect = 0.005}), Verdict::slower);
    // Surely different, and perhaps somebody cares.
    const Effect between = effect_of(design, 12, 1.018, 0.008);
    EXPECT_LT(between.p(), 0.001);
    EXPECT_EQ(judge(between, between.p(), Better::lower), Verdict::undecided);
    EXPECT_TRUE(more_blocks(between, 1).has_value());
    // Where p and interval disagree, neither is believed.
    const Effect unsure = effect_of(design, 12, 1.05, 0.2);
    EXPECT_TRUE(unsure.estimate.interval->includes(1));
    EXPECT_EQ(judge(unsure, 0.001, Better::lower), Verdict::undecided);
    const Effect wide = effect_of(design, 12, 1.0, 0.2);
    EXPECT_EQ(judge(wide, wide.p(), Better::lower), Verdict::undecided);
  }
}

TEST(CompareVerdict, FewerThanSixBlocksAreUndecided) {
  for (const Design design : kDesigns) {
    for (const size_t blocks : {1, 2, 3, 4, 5}) {
      for (const double ratio : {1.0, 5.0}) {
        const Effect effect = effect_of(design, blocks, ratio, 0.0001);
        EXPECT_EQ(judge(effect, 0, Better::lower), Verdict::undecided) << blocks;
        EXPECT_EQ(more_blocks(effect, 1), 6 - blocks);
      }
    }
    EXPECT_EQ(judge(effect_of(design, 6, 5, 0.0001), 0, Better::lower), Verdict::slower);
    EXPECT_EQ(judge(effect_of(design, 6, 1, 0.0001), 1, Better::lower), Verdict::same);
  }
  const Effect few = sample::effect(Design::unpaired, even(5, 1, 0.001), even(40, 2, 0.001));
  EXPECT_TRUE(few.estimate.interval);
  EXPECT_EQ(judge(few, 0, Better::lower), Verdict::undecided);
  EXPECT_EQ(more_blocks(few, 1), 1U);
  // A block that only one side has does not help, nor does one with zeros on both.
  std::vector<double> a(6, 1), b(6, 2);
  a[3] = b[3] = 0;
  EXPECT_EQ(judge(sample::effect(Design::paired, a, b), 0, Better::lower), Verdict::undecided);
  const Effect five =
      paired_effect(sample::side({1, 1, 1, 1, 1}), sample::side({2, 2, 2, 2, 2, 2, 2})).value();
  EXPECT_EQ(judge(five, 0, Better::lower), Verdict::undecided);
}

TEST(CompareVerdict, ZerosOnBothSidesAreTheSame) {
  for (const Design design : kDesigns) {
    const auto zeros = [&](size_t blocks) {
      return sample::effect(design, std::vector<double>(blocks, 0), std::vector<double>(blocks, 0));
    };
    EXPECT_EQ(judge(zeros(6), 1, Better::lower), Verdict::same);
    EXPECT_EQ(judge(zeros(5), 1, Better::lower), Verdict::undecided);
    const Effect from_none = sample::effect(design, std::vector<double>(6, 0), even(6, 3, 0.1));
    EXPECT_EQ(judge(from_none, from_none.p(), Better::lower), Verdict::slower);
    const Effect to_none = sample::effect(design, even(6, 3, 0.1), std::vector<double>(6, 0));
    EXPECT_EQ(judge(to_none, to_none.p(), Better::lower), Verdict::faster);
  }
}

TEST(CompareVerdict, OfAReportWithItselfIsTheSame) {
  const auto values = even(8, 100, 0.1);
  const Effect paired = sample::effect(Design::paired, values, values);
  EXPECT_EQ(paired.p(), 1);
  EXPECT_EQ(judge(paired, paired.p(), Better::lower), Verdict::same);
  const Effect unpaired = sample::effect(Design::unpaired, values, values);
  EXPECT_EQ(judge(unpaired, unpaired.p(), Better::lower), Verdict::undecided);
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
      const Verdict verdict = judge(there, there.p(), Better::lower);
      const Verdict swapped = judge(back, back.p(), Better::lower);
      if (verdict == Verdict::faster || verdict == Verdict::slower) ++decided;
      EXPECT_EQ(swapped, verdict == Verdict::faster   ? Verdict::slower
                         : verdict == Verdict::slower ? Verdict::faster
                                                      : verdict);
      EXPECT_EQ(more_blocks(there, 12), more_blocks(back, 12));
    }
  }
  EXPECT_GT(decided, 100U);
}

// The smallest p of 6 pairs is 1/32, and twelve times that is no difference yet; of 9 it is 1/256.
TEST(CompareVerdict, MoreBlocksAreEnoughForHolm) {
  const Effect clear = effect_of(Design::paired, 6, 2, 0.001);
  EXPECT_EQ(more_blocks(clear, 12), 3U);
  EXPECT_EQ(more_blocks(clear, 1), 1U);
  EXPECT_EQ(more_blocks(effect_of(Design::unpaired, 4, 2, 0.001), 12), 2U);
}

TEST(CompareVerdict, MoreBlocksGrowWithTheSpread) {
  for (const Design design : kDesigns) {
    size_t before = 0;
    for (const double deviation : {0.05, 0.1, 0.2, 0.4}) {
      const auto more = more_blocks(effect_of(design, 10, 1.05, deviation), 1);
      ASSERT_TRUE(more) << deviation;
      EXPECT_GT(*more, 2 * before) << deviation;
      before = *more;
    }
    EXPECT_FALSE(more_blocks(effect_of(design, 10, 1.05, 20), 1));
    // What lies at the minimum effect itself is never found to be within it.
    EXPECT_FALSE(more_blocks(effect_of(design, 10, 1.01999999, 0.05), 1));
  }
  EXPECT_FALSE(more_blocks(
      sample::effect(Design::unpaired, {0, 0, 0, 0, 5, 6, 7, 8}, {0, 0, 0, 0, 5, 6, 7, 9}), 1));
}

// With as many blocks as were asked for, eight of ten comparisons are decided.
TEST(CompareVerdict, MoreBlocksDecide) {
  for (const Design design : kDesigns) {
    for (const auto& [ratio, deviation] : {std::pair(1.04, 0.07), std::pair(1.0, 0.03)}) {
      const Effect before = effect_of(design, 10, ratio, deviation);
      ASSERT_EQ(judge(before, before.p(), Better::lower), Verdict::undecided);
      const auto more = more_blocks(before, 1);
      ASSERT_TRUE(more);
      const auto blocks = std::vector<double>(10 + *more, 0);
      sample::Noise noise(32);
      constexpr int kRounds = int(sample::rounds(150));
      int decided = 0;
      for (int i = 0; i < kRounds; ++i) {
        const auto a = design == Design::paired ? std::vector<double>(blocks.size(), 1)
                                                : sample::values(noise, 1, blocks, deviation);
        const Effect after =
            sample::effect(design, a, sample::values(noise, ratio, blocks, deviation));
        const Verdict verdict = judge(after, after.p(), Better::lower);
        if (verdict == (ratio > 1 ? Verdict::slower : Verdict::same)) ++decided;
      }
      fmt::print("{}, ratio {}: {} more blocks decide {} of {}\n",
                 design == Design::paired ? "paired" : "unpaired", ratio, *more, decided, kRounds);
      if (sample::kFewRounds) continue;
      EXPECT_GE(decided, 0.7 * kRounds);
      EXPECT_LE(decided, 0.95 * kRounds);
    }
  }
}

// statsmodels 0.13.5: multipletests([0.01, 0.04, 0.03, 0.005], method='holm'); by hand 0.005 * 4,
// 0.01 * 3, 0.03 * 2, and 0.04, which is not below the one before it.
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
