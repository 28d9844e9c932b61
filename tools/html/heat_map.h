// A matrix of counts as a table whose cells are the darker the more; every number is in it as text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gilscope {

struct HeatMap {
  std::string title;
  std::string from, to;  // what rows and columns are
  std::vector<std::string> rows, columns;
  std::vector<std::vector<uint64_t>> counts;  // [row][column]
  std::string key;
};

// Rows and columns beyond the largest few are put together as the others.
std::string heat_map(HeatMap map);

}  // namespace gilscope
