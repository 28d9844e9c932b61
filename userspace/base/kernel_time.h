// The clock of the kernel side. Inside a time namespace, CLOCK_MONOTONIC has an offset from the
// kernel's own clock, which bpf_ktime_get_ns() reads and every time in a report uses.
#pragma once

#include <cstdint>
#include <string_view>

#include "userspace/base/result.h"

namespace gilscope {

// How far CLOCK_MONOTONIC of this process and its children is ahead of the kernel's; 0 without a
// time namespace. Fails if the children of this process would be in a different time namespace.
Result<int64_t> time_namespace_offset_ns();

// The same from the text of /proc/PID/timens_offsets; fails if it has no line for the clock.
Result<int64_t> parse_timens_offsets(std::string_view text);

// The current time on the kernel's own clock.
uint64_t kernel_monotonic_ns();
// Converts a time on this process's CLOCK_MONOTONIC to the kernel's own clock.
uint64_t to_kernel_monotonic_ns(uint64_t ns);

}  // namespace gilscope
