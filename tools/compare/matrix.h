// Several levels against one baseline, over the CPU counts that they were run on: one matrix for
// each of what else cells differ in.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/compare/comparison.h"

namespace gilscope {

struct Matrix {
  struct Row {
    std::string level;
    std::vector<const MetricResult*> entries;  // by column; null: that cell is not there
  };
  std::string title;  // "check-interval:100, threaded: wall time"
  std::vector<std::string> columns;
  std::vector<Row> rows;
};

// Empty where there is but one level: sentences say it as well.
std::vector<Matrix> matrices(const Comparison& comparison);

}  // namespace gilscope
