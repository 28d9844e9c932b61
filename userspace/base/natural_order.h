// Sorts names, settings and versions by meaning: "2" before "10" before "all", "500us" before
// "1ms", "100" before "1k", "6.1.0-9" before "6.1.0-10", "6.18-rc1" before "6.18". Everything that
// sorts such texts, or takes the lowest of them, uses this.
#pragma once

#include <string_view>

namespace gilscope {

// A strict total order: texts that differ are never equal, so "2" comes before "02".
//
// A text is read as alternating words and numbers. Numbers compare by value, scaled by the unit
// that follows: k, M, G and T, Ki to Ti, ns to h, bytes, Hz and %. Numbers of different kinds
// compare by kind, plain ones first. "6.1" is a version, compared part by part, unless a unit or a
// sign makes it a decimal: "1.5ms", "-0.5". A pre-release comes before its release: "6.18-rc1",
// "6.18~bpo13", "1.0-beta2".
bool naturally_less(std::string_view a, std::string_view b);

// The same for texts that are decimals, so that 0.25 is less than 0.5. Texts that are not numbers
// come after all numbers.
bool numerically_less(std::string_view a, std::string_view b);

// For std::set and std::map.
struct NaturalOrder {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const { return naturally_less(a, b); }
};

}  // namespace gilscope
