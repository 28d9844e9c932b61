// The typical difference of two sides, with its 95 % interval, on the scale of the given values:
// from logarithms it is the logarithm of a ratio.
//
// The estimate is Hodges' and Lehmann's (1963): the median over all means of two blocks'
// differences (paired), or over the differences of every unit of B from every unit of A (unpaired).
// One wild block hardly moves it.
//
// The interval holds every difference that the studentized permutation test of these values does
// not refuse, so it excludes 0 where that test's p is at most 5 %. Paired, its ends are means of
// some of the differences and are found by counting (Hartigan 1969, J. Am. Stat. Ass. 64:1303).
// Unpaired, they are searched for, with Welch's statistic, which uses each side's own spread. All
// arrangements are used where there are at most 16 384; otherwise 4 096 are drawn. Above 100 units
// the interval is Student's, to which the permutation interval converges.
#pragma once

#include <optional>
#include <vector>

#include "tools/analysis/statistics.h"

namespace gilscope {

struct Estimate {
  double value = 0;                  // B minus A
  std::optional<Interval> interval;  // empty: too few units to reach 95 %
  double confidence = 0;             // of the interval, at least 0.95 where nothing is drawn
};

// No side may be empty. The order of the values changes nothing.
Estimate paired_estimate(std::vector<double> differences);
Estimate unpaired_estimate(std::vector<double> a, std::vector<double> b);

}  // namespace gilscope
