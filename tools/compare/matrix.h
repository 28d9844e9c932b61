// Several levels against one baseline, over the CPU counts that they ran on: one matrix for each
// combination of the cells' other keys.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/compare/comparison.h"

namespace gilscope {

struct Matrix {
  struct Row {
    std::string level;
    std::vector<const MetricResult*> entries;  // by column; null where that cell is missing
  };
  std::string title;  // "check-interval:100, threaded: wall time"
  std::vector<std::string> columns;
  std::vector<Row> rows;
};

// Empty where only one level is held against the baseline: sentences are enough then.
std::vector<Matrix> matrices(const Comparison& comparison);

}  // namespace gilscope
