// What compare says of a metric in one word, and how many more blocks would decide what is
// undecided.
#pragma once

#include <cstddef>
#include <optional>

#include "tools/analysis/effect.h"

namespace gilscope {

enum class Better { lower, higher, neither };

// Faster: B is better, whatever the metric counts; slower: B is worse. More and less are said of B
// where neither is better.
enum class Verdict { faster, slower, more, less, same, undecided };

// As scripts know it.
const char* name_of(Verdict verdict);

struct VerdictLimits {
  double significance = 0.05;
  double min_effect = 0.02;   // nobody cares for less: ratios between 1/1.02 and 1.02
  double min_difference = 0;  // nor for this, where the sides have a difference and no ratio
  size_t min_blocks = 6;      // 5 pairs cannot reach 95 %, nor can 3 blocks against 3
};

// The least that matters, on the effect's scale. A difference matters where it reaches both the
// metric's own minimum and the minimum effect of the larger side's median.
double least_that_matters(const Effect& effect, const VerdictLimits& limits);

// A difference is said where the adjusted p is at or below the significance, the interval excludes
// none and the estimate is beyond the least that matters; the same, where the interval lies within
// it; also where every block of both sides has 0.
Verdict judge(const Effect& effect, double adjusted_p, Better better,
              const VerdictLimits& limits = {});

// More blocks than this are not worth it: more than that are asked for by what nobody can see.
inline constexpr size_t kMostMoreBlocks = 100;

// How many more blocks on each side (paired: of both) would decide it in 8 of 10 cases, if the next
// blocks are like these; empty: more than kMostMoreBlocks. `critical` is what the joint test's
// largest statistic reaches by chance, as a normal deviate (JointOutcome).
//
// Where the effect is beyond the least that matters, Student's t of so many blocks must come to
// what is as far out as `critical`, and the estimate must stay beyond the least; else the interval
// must come to lie within it: sample sizes for superiority and for equivalence (Julious 2004, Stat.
// Med. 23:1921). What is undecided had its luck against it, and so it comes to rather more
// than 8 of 10. Never fewer than make 6, of which, with fewer than that, "at least" is to be said.
std::optional<size_t> more_blocks(const Effect& effect, double critical,
                                  const VerdictLimits& limits = {});

}  // namespace gilscope
