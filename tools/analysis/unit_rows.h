// The tables that the joint test's arrangements are summed over: a row for each unit.
#pragma once

#include <cstddef>
#include <map>

namespace gilscope {

using UnitRows = std::map<int, size_t>;  // a unit's number, and its row

inline void number_in_order(UnitRows& rows) {
  size_t next = 0;
  for (auto& [unit, row] : rows) row = next++;
}

// A spread of less than this share of the difference counts as none: rounding alone makes as much.
inline constexpr double kNoSpread = 1e-12;

}  // namespace gilscope
