// Comparisons over CPU counts, as text: matrices of levels by CPU counts, and curves.
#pragma once

#include "tools/text/comparison_style.h"

namespace gilscope {

// Every level by every CPU count: its first metric, and how that differs from the baseline's. A
// cell in which nothing is decided is only named, unless `all_of_them` asks for every matrix. False
// where the comparison has no matrix.
bool print_matrices(const ComparisonText& text, bool all_of_them);

// Curves of the first metric and of rates. Other metrics, such as the wall time of sequential
// cells, have a line a cell on one screen, and curves where `every_one` asks for them.
void print_curves(const ComparisonText& text, bool every_one);

}  // namespace gilscope
