// A matrix of counts as a table; larger counts have darker cells, and every count is there as text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gilscope {

struct HeatMap {
  std::string title;
  std::string from, to;  // headings of rows and columns
  std::vector<std::string> rows, columns;
  std::vector<std::vector<uint64_t>> counts;  // [row][column]
  std::string key;
  bool of_times = false;   // nanoseconds
  size_t own_columns = 0;  // so many of the last are never combined with others
};

// Combines all but the largest rows and columns into "others".
std::string heat_map(HeatMap map);

}  // namespace gilscope
