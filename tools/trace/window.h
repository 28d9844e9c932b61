// The period in which a run's counters counted.
#pragma once

#include <algorithm>
#include <cstdint>

namespace gilscope {

struct Window {
  uint64_t from_ns = 0, to_ns = UINT64_MAX;

  bool known() const { return from_ns != 0; }

  // How much of a period lies in it.
  uint64_t length_ns(uint64_t from, uint64_t to) const {
    from = std::max(from, from_ns);
    to = std::min(to, to_ns);
    return to > from ? to - from : 0;
  }
};

}  // namespace gilscope
