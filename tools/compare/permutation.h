// Permutation tests over blocks, two-sided. What is permuted are ranks: a wild block pulls them no
// further than the last place, and values of 0, which have no logarithm, have a rank.
#pragma once

#include <cstdint>
#include <vector>

namespace gilscope {

struct Permutation {
  double p = 1;        // the share of arrangements that are at least as far from the middle
  uint64_t draws = 0;  // 0: every arrangement was counted; else as many were drawn
  uint64_t seed = 0;   // of the draws
};

// Every arrangement is counted where that takes at most `steps` additions: by the sums that they
// come to, which gives what going through them one by one would, for 50 blocks a side as well.
// Above it `draws` arrangements are drawn, and the one that was seen counts as drawn too, (k + 1) /
// (n + 1), without which p could be 0 (Phipson and Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9:39).
struct PermutationLimits {
  double steps = 16e6;
  uint64_t draws = 19'999;
  uint64_t seed = 0x6769'6c73'636f'7065;  // the same always: the same blocks have the same p
};

// Wilcoxon's signed ranks with every sign flipped or not; a difference of 0 has a rank, but no sign
// (Pratt 1959).
Permutation sign_flips(const std::vector<double>& differences,
                       const PermutationLimits& limits = {});

// Wilcoxon's rank sum with the values dealt out anew to the two sides.
Permutation relabelling(const std::vector<double>& a, const std::vector<double>& b,
                        const PermutationLimits& limits = {});

}  // namespace gilscope
