// How long to record, as `--for` has it.
#pragma once

#include <cstdint>
#include <string_view>

#include "userspace/base/result.h"

namespace gilscope {

// "500ms", "10s", "2m", "1.5h". Refuses less than a millisecond, 0 with it, and more than 30 days.
Result<uint64_t> parse_window_ns(std::string_view text);

}  // namespace gilscope
