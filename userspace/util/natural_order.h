// Names, settings and versions in the order of what they mean: "2" before "10" before "all",
// "500us" before "1ms", "100" before "1k", "6.1.0-9" before "6.1.0-10", "6.18-rc1" before "6.18".
// Everything that sorts such texts, or takes the lowest of them, uses this.
#pragma once

#include <string_view>

namespace gilscope {

// A strict total order: of two texts that differ, one comes first, "2" before "02".
//
// A text is read as words and numbers in turn. Numbers are compared by their value, with the unit
// that follows them: k, M, G and T, Ki to Ti, ns to h, bytes, Hz and %. Numbers of different kinds
// are ordered by the kind, plain ones first. "6.1" is a version, whose parts are compared one by
// one, unless a unit or a sign makes it a decimal: "1.5ms", "-0.5". A version that is still to come
// is before the one that it is to be: "6.18-rc1", "6.18~bpo13", "1.0-beta2".
bool naturally_less(std::string_view a, std::string_view b);

// The same for numbers that were written as decimals, where 0.25 is less than 0.5. What is no
// number comes after all that are.
bool numerically_less(std::string_view a, std::string_view b);

// For std::set and std::map.
struct NaturalOrder {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const { return naturally_less(a, b); }
};

}  // namespace gilscope
