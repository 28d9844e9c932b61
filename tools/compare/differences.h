// What makes two sides other than what was asked about: reasons not to compare them at all, and
// what to know before believing that the axis is what made the difference.
#pragma once

#include <string>
#include <vector>

#include "tools/compare/sides.h"

namespace gilscope {

struct Difference {
  std::string key;
  std::string a, b;  // every value on each side, shortened
};

// Keys with several values within one side of one cell, unasked.
struct Variation {
  std::string side;  // the level
  std::string key;
  std::string values;
};

struct Differences {
  std::vector<std::string> refusals;  // one sentence each; empty: nothing forbids it
  std::vector<Difference> between;
  std::vector<Variation> within;
};

Differences differences(const Contrast& contrast, const Axis& axis);

}  // namespace gilscope
