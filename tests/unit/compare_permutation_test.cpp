// p against every arrangement gone through one by one, the normal distribution against both, and
// against SciPy.
#include "tools/compare/permutation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "tests/unit/compare_samples.h"
#include "tools/compare/quantiles.h"

namespace gilscope {
namespace {

constexpr PermutationLimits kNormal{.steps = 0};

// Ranks of their own making, in halves: how many are smaller, and half of those that are equal.
std::vector<double> ranks_of(const std::vector<double>& values) {
  std::vector<double> ranks;
  for (const double value : values) {
    double rank = 0.5;
    for (const double other : values) rank += other < value ? 1 : other == value ? 0.5 : 0;
    ranks.push_back(rank);
  }
  return ranks;
}

double one_by_one(const std::vector<double>& differences) {
  std::vector<double> sizes;
  for (const double difference : differences) sizes.push_back(std::fabs(difference));
  const auto ranks = ranks_of(sizes);
  const size_t n = ranks.size();
  double seen = 0;
  for (size_t i = 0; i < n; ++i) {
    seen += differences[i] == 0 ? 0 : differences[i] > 0 ? ranks[i] : -ranks[i];
  }
  size_t as_far = 0;
  for (uint64_t flips = 0; flips < uint64_t(1) << n; ++flips) {
    double sum = 0;
    for (size_t i = 0; i < n; ++i) {
      if (differences[i] != 0) sum += flips >> i & 1 ? ranks[i] : -ranks[i];
    }
    if (std::fabs(sum) >= std::fabs(seen)) ++as_far;
  }
  return double(as_far) / std::pow(2.0, double(n));
}

double one_by_one(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> values = a;
  values.insert(values.end(), b.begin(), b.end());
  const auto ranks = ranks_of(values);
  const size_t n = values.size();
  const double mean = double(a.size()) * double(n + 1) / 2;
  const uint64_t seen_labels = (uint64_t(1) << a.size()) - 1;
  const auto distance = [&](uint64_t labels) {
    double sum = 0;
    for (size_t i = 0; i < n; ++i) sum += labels >> i & 1 ? ranks[i] : 0;
    return std::fabs(sum - mean);
  };
  size_t all = 0, as_far = 0;
  for (uint64_t labels = 0; labels < uint64_t(1) << n; ++labels) {
    if (std::popcount(labels) != int(a.size())) continue;
    ++all;
    if (distance(labels) >= distance(seen_labels)) ++as_far;
  }
  return double(as_far) / double(all);
}

std::vector<double> rounded(std::vector<double> values) {
  for (double& value : values) value = std::round(value);
  return values;
}

TEST(ComparePermutation, CountingAgreesWithEveryArrangement) {
  sample::Noise noise(11);
  for (const size_t n : {1, 2, 5, 6, 9, 12}) {
    for (const double scale : {1e6, 3.0}) {  // without ties, and with many, zeros among them
      auto differences = rounded(noise.normals(n, scale));
      for (double& difference : differences) difference += scale / 2 > 2 ? 0.5 : 1;
      EXPECT_NEAR(sign_flips(differences).p, one_by_one(differences), 1e-12) << n;
      const auto a = rounded(noise.normals(n, scale));
      auto b = rounded(noise.normals(n < 9 ? 8 : 4, scale));
      for (double& value : b) value += std::round(scale * 0.7);
      EXPECT_NEAR(relabelling(a, b).p, one_by_one(a, b), 1e-12) << n;
      EXPECT_EQ(relabelling(a, b).p, relabelling(b, a).p);
    }
  }
}

// As many blocks as are counted yet: there the normal distribution must have come near.
TEST(ComparePermutation, TheNormalDistributionAgreesWithCounting) {
  sample::Noise noise(12);
  for (const double scale : {1e6, 8.0}) {  // without ties, and with many
    for (const double shift : {0.0, 0.3, 0.6, 0.75}) {
      auto differences = rounded(noise.normals(60, scale));
      for (double& difference : differences) difference += std::round(shift * scale);
      auto a = rounded(noise.normals(40, scale)), b = rounded(noise.normals(50, scale));
      for (double& value : b) value += std::round(shift * scale);
      for (const auto& [counted, normal] :
           {std::pair(sign_flips(differences), sign_flips(differences, kNormal)),
            std::pair(relabelling(a, b), relabelling(a, b, kNormal))}) {
        EXPECT_TRUE(counted.exact);
        EXPECT_FALSE(normal.exact);
        // It errs on the careful side.
        EXPECT_GT(normal.p, 0.97 * counted.p - 2e-5) << shift << " " << scale;
        EXPECT_LT(normal.p, 1.25 * counted.p + 2e-5) << shift << " " << scale;
      }
    }
  }
}

TEST(ComparePermutation, OrderAndSideChangeNothing) {
  sample::Noise noise(13);
  auto a = noise.normals(90, 1), b = noise.normals(70, 1), differences = noise.normals(700, 1);
  const double unpaired = relabelling(a, b).p, paired = sign_flips(differences).p;
  std::reverse(a.begin(), a.end());
  std::rotate(b.begin(), b.begin() + 3, b.end());
  std::rotate(differences.begin(), differences.begin() + 31, differences.end());
  for (double& difference : differences) difference = -difference;
  EXPECT_EQ(relabelling(b, a).p, unpaired);
  EXPECT_NEAR(sign_flips(differences).p, paired, 1e-12);
}

TEST(ComparePermutation, ManyBlocksNeverGiveZero) {
  const std::vector<double> a(4000, 1), b(4000, 2);
  for (const Permutation& permutation : {relabelling(a, b), sign_flips(b)}) {
    EXPECT_FALSE(permutation.exact);
    EXPECT_GT(permutation.p, 0);
    EXPECT_LT(permutation.p, 1e-100);
  }
  EXPECT_EQ(relabelling(a, a).p, 1);
  EXPECT_EQ(sign_flips(std::vector<double>(4000, 0)).p, 1);
}

// SciPy 1.10.1; d, a and b are what is handed to ours.
TEST(ComparePermutation, AgreesWithScipy) {
  // scipy.stats.wilcoxon(d, mode='exact').pvalue
  EXPECT_NEAR(sign_flips({0.031, -0.012, 0.058, 0.047, 0.009, 0.026, -0.004, 0.071}).p, 0.0546875,
              1e-12);
  // scipy.stats.permutation_test((d,), statistic, permutation_type='samples', n_resamples=inf)
  // with statistic(d) = sum(sign(d) * rankdata(abs(d)))
  EXPECT_NEAR(sign_flips({3, 1, -1, 2, 2, 5, -2, 4, 0, 1}).p, 0.0859375, 1e-12);
  // scipy.stats.mannwhitneyu(a, b, method='exact').pvalue
  EXPECT_NEAR(relabelling({10.1, 9.7, 11.4, 10.8, 9.9, 10.3, 12.2},
                          {11.0, 10.9, 12.6, 11.8, 10.2, 13.1, 11.6, 12.9})
                  .p,
              0.04009324009324009, 1e-12);
  // scipy.stats.permutation_test((a, b), statistic, permutation_type='independent',
  // n_resamples=inf, alternative='greater') with statistic(a, b) = abs(the sum of a's ranks by
  // rankdata, less its mean)
  EXPECT_NEAR(relabelling({0, 0, 1, 2, 2, 3}, {2, 3, 3, 4, 0, 5, 6}).p, 0.07400932400932402, 1e-12);
}

// scipy.stats.norm.ppf, t.ppf, and 2 * t.sf, of SciPy 1.10.1; its t.ppf is good to nine digits (of
// two degrees of freedom there is a closed form: 0.95 / sqrt(2 * 0.975 * 0.025)).
TEST(ComparePermutation, QuantilesAgreeWithScipy) {
  EXPECT_NEAR(normal_quantile(0.8), 0.8416212335729143, 1e-12);
  EXPECT_NEAR(normal_quantile(0.025), -1.959963984540054, 1e-12);
  EXPECT_NEAR(normal_quantile(1 - 0.05 / 24), 2.8652602385321346, 1e-12);
  EXPECT_NEAR(student_quantile(0.975, 1), 12.706204736432095, 1e-9);
  EXPECT_NEAR(student_quantile(0.975, 2), 4.302652729911275, 1e-9);
  EXPECT_NEAR(student_quantile(0.01, 5), -3.3649299989072747, 1e-9);
  EXPECT_NEAR(student_quantile(0.975, 38), 2.024394164575136, 1e-9);
  EXPECT_NEAR(student_quantile(0.975, 2), 0.95 / std::sqrt(2 * 0.975 * 0.025), 1e-12);
  EXPECT_NEAR(student_two_sided(-2.2, 3), 0.1151719519764707, 1e-12);
  EXPECT_NEAR(student_two_sided(2.2, 8), 0.05899390791582341, 1e-12);
}

}  // namespace
}  // namespace gilscope
