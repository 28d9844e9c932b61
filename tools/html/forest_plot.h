// One line a comparison: every block a dot, their estimate and its interval. Labels and numbers are
// text beside the drawing, so that they wrap, print and can be read aloud.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/analysis/numbers.h"
#include "tools/analysis/statistics.h"

namespace gilscope {

struct ForestRow {
  std::string group;  // heads a run of rows that share it
  std::string label;
  std::vector<double> values;
  std::optional<double> middle;  // the estimate
  std::optional<Interval> interval;
  std::string attributes;  // of its element, HTML
};

struct ForestAxis {
  std::string name;                 // of the quantity
  std::string key;                  // its data-key
  std::string each;                 // what a dot is: "block"
  std::optional<double> reference;  // drawn; where neither side is better
  bool times = false;               // nanoseconds; else factors
  std::string middle = "estimate";  // the name of the line
  // Replaces the usual way to write values.
  Number (*written)(std::optional<double>) = nullptr;
};

std::string forest_plot(const ForestAxis& axis, const std::vector<ForestRow>& rows);

}  // namespace gilscope
