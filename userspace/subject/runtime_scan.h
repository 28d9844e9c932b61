// CPython 3.7 to 3.12: the GIL's structure lies in _PyRuntime, and is known by its contents.
#pragma once

#include <optional>

#include "userspace/subject/condition_gil.h"

namespace gilscope {

struct ScannedGil {
  uint64_t address = 0;
  SeenGil seen;
};

// The first that certainly is a GIL; else the first that may be one, at the default interval.
std::optional<ScannedGil> scan_for_gil(Look& look, std::span<const MappedRange> ranges);

// The GILs of 3.12's sub-interpreters that have one of their own, beside the main one's at `gil`.
std::vector<ScannedGil> gils_of_sub_interpreters(Look& look, std::span<const MappedRange> runtime,
                                                 uint64_t gil);

}  // namespace gilscope
