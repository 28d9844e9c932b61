// Permutation tests over blocks, two-sided. What is permuted are ranks: a wild block pulls them no
// further than the last place, and values of 0, which have no logarithm, have a rank.
#pragma once

#include <cstdint>
#include <vector>

namespace gilscope {

struct Permutation {
  double p = 1;       // the share of arrangements that are at least as far from the middle
  bool exact = true;  // every arrangement was counted
};

// Every arrangement is counted where that takes at most `steps` additions: by the sums that they
// come to, which gives what going through them one by one would, for 50 blocks a side as well.
// Above it the sum is taken for normally distributed, with the very mean and variance that all
// arrangements have, ties included, and a correction for its steps. Small p come out
// too large at that size, by a fifth at most, and p cannot be 0.
struct PermutationLimits {
  double steps = 16e6;
};

// Wilcoxon's signed ranks with every sign flipped or not; a difference of 0 has a rank, but no sign
// (Pratt 1959).
Permutation sign_flips(const std::vector<double>& differences,
                       const PermutationLimits& limits = {});

// Wilcoxon's rank sum with the values dealt out anew to the two sides.
Permutation relabelling(const std::vector<double>& a, const std::vector<double>& b,
                        const PermutationLimits& limits = {});

}  // namespace gilscope
