// Ranks, and how their sums are distributed where chance alone deals them out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gilscope {

// Equal values share the mean of their ranks. All are doubled, which makes them whole numbers: sums
// of them are exact, and compare the same in whatever order they were added. Infinities are values
// like others; NaN is not one.
std::vector<uint32_t> doubled_ranks(const std::vector<double>& values);

// 2, 4, 6 ...: what distinct values get.
std::vector<uint32_t> distinct_doubled_ranks(size_t count);

// The probability of each sum (the index) when each rank is taken or left with probability 1/2.
std::vector<double> signed_rank_distribution(const std::vector<uint32_t>& ranks);

// The probability of each sum (the index) of `taken` of the ranks, each choice being as likely.
std::vector<double> rank_sum_distribution(std::vector<uint32_t> ranks, size_t taken);

// How many additions these take, at most.
double signed_rank_steps(size_t ranks);
double rank_sum_steps(size_t ranks, size_t taken);

}  // namespace gilscope
