// What compare says of a metric in one word, and how many more blocks would decide what is
// undecided.
#pragma once

#include <cstddef>
#include <optional>

#include "tools/compare/effect.h"

namespace gilscope {

enum class Better { lower, higher, neither };

// Faster: B is better, whatever the metric counts; slower: B is worse. More and less are said of B
// where neither is better.
enum class Verdict { faster, slower, more, less, same, undecided };

// As scripts know it.
const char* name_of(Verdict verdict);

struct VerdictLimits {
  double significance = 0.05;
  double min_effect = 0.02;  // nobody cares for less: ratios between 1/1.02 and 1.02
  size_t min_blocks = 6;     // 5 pairs cannot reach 95 %, nor can 3 blocks against 3
};

// A difference is said where the adjusted p is at or below the significance, the interval excludes
// 1 and the ratio is beyond the minimum effect; the same, where the interval lies within it; also
// where every block of both sides has 0.
Verdict judge(const Effect& effect, double adjusted_p, Better better,
              const VerdictLimits& limits = {});

// How many more blocks on each side (paired: of both) would decide it in 8 of 10 cases, if the next
// blocks are like these. The standard error s that the interval has now shrinks with the root of
// the blocks. Where the effect is beyond the minimum effect, (z(1 - significance / 2m) + z(0.8)) s
// must come down to the effect, m being the number of primary metrics (Holm's hardest step); else
// (z(1 - significance / 2) + z(0.9)) s to what is left between the effect and the minimum effect:
// sample sizes for superiority and for equivalence (Julious 2004, Stat. Med. 23:1921). Never fewer
// than make 6, nor than it takes for the smallest p there is to survive m metrics.
//
// With fewer blocks than 6 these last two are all that can be said, and "at least" is to be said of
// them. Empty where nothing can: zeros leave the interval open, or it would take more than 10 000.
std::optional<size_t> more_blocks(const Effect& effect, size_t primary_metrics,
                                  const VerdictLimits& limits = {});

}  // namespace gilscope
