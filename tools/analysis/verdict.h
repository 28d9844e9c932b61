// An effect in one word, and how many more blocks would decide an undecided one.
#pragma once

#include <cstddef>
#include <optional>

#include "tools/analysis/effect.h"

namespace gilscope {

enum class Better { lower, higher, neither };

// Faster: B is better, whatever the metric counts; slower: B is worse. More and less: of B, where
// neither is better.
enum class Verdict { faster, slower, more, less, same, undecided };

// The verdict's word in JSON, CSV and style sheets.
const char* name_of(Verdict verdict);

struct VerdictLimits {
  double significance = 0.05;
  double min_effect = 0.02;   // ratios between 1/1.02 and 1.02 do not matter
  double min_difference = 0;  // nor does a smaller difference, where there is no ratio
  size_t min_blocks = 6;      // neither 5 pairs nor 3 blocks against 3 can reach 95 %
};

// The smallest change that matters, on the effect's scale. A difference must reach both the
// metric's own minimum and the minimum effect of the larger side's median.
double equivalence_margin(const Effect& effect, const VerdictLimits& limits);

// The sides differ where the adjusted p is at or below the significance, the interval excludes no
// change, and the estimate is at least the smallest change that matters. They are the same where
// the interval lies within that change, and where every block of both sides has 0.
Verdict judge(const Effect& effect, double adjusted_p, Better better,
              const VerdictLimits& limits = {});

// More blocks than this are not worth it: only differences that nobody can see need them.
inline constexpr size_t kMaxMoreBlocks = 100;

// How many more blocks on each side (paired: of both) would decide it in 8 of 10 cases, if the next
// blocks are like these; empty for more than kMaxMoreBlocks. `critical` is the value that the
// joint test's largest statistic reaches by chance, as a normal deviate (JointOutcome).
//
// An effect that matters must bring Student's t to the same tail probability as `critical`, and its
// estimate must stay above the smallest change that matters. The interval of a smaller effect must
// come to lie within that change. These are sample sizes for superiority and for equivalence
// (Julious 2004, Stat. Med. 23:1921). Undecided effects were unlucky so far, so the share that is
// decided is rather more than 8 of 10. With fewer than 6 blocks the number makes 6, and it may take
// more.
std::optional<size_t> more_blocks(const Effect& effect, double critical,
                                  const VerdictLimits& limits = {});

}  // namespace gilscope
