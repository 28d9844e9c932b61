// By how much two sides typically differ, and the 95 % interval of it, on the scale of the values
// that are given: of logarithms it is the logarithm of a ratio.
//
// The estimate is Hodges' and Lehmann's (1963): the median over all means of two blocks'
// differences (paired), or over the differences of every unit of B from every unit of A (unpaired).
// One wild block hardly moves it.
//
// The interval holds the differences that the studentized permutation test does not refuse, of this
// one test, so that it excludes 0 where the test's p is at most 5 %. Paired, its ends are found by
// counting: they are means of some of the differences (Hartigan 1969, J. Am. Stat. Ass. 64:1303).
// Unpaired, they are searched for, with Welch's statistic, which takes each side's own spread. All
// arrangements are gone through where there are at most 16 384, else 4 096 are drawn; above 100
// units the interval is Student's, which the other comes to.
#pragma once

#include <optional>
#include <vector>

#include "tools/analysis/statistics.h"

namespace gilscope {

struct Estimate {
  double value = 0;                  // B less A
  std::optional<Interval> interval;  // empty: too few units to reach 95 %
  double confidence = 0;             // what the interval reaches, at least 0.95 but for drawing
};

// Neither is empty; the order of values changes nothing.
Estimate paired_estimate(std::vector<double> differences);
Estimate unpaired_estimate(std::vector<double> a, std::vector<double> b);

}  // namespace gilscope
