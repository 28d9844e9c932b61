// The clock that the kernel side stamps with. Inside a time namespace, CLOCK_MONOTONIC runs at a
// distance from the kernel's own, which bpf_ktime_get_ns() reads and every time in a report is of.
#pragma once

#include <cstdint>
#include <string_view>

#include "userspace/util/result.h"

namespace gilscope {

// How far CLOCK_MONOTONIC of this process and its children is ahead of the kernel's; 0 outside of
// any time namespace with an offset. Fails where the children of this process would have another
// clock than the process itself.
Result<int64_t> time_namespace_offset_ns();

// The same out of the text of /proc/PID/timens_offsets; empty where it says nothing of the clock.
Result<int64_t> parse_timens_offsets(std::string_view text);

// Now, by the kernel's own clock.
uint64_t kernel_monotonic_ns();
// The same moment by that clock as `ns` is by this process's CLOCK_MONOTONIC.
uint64_t to_kernel_monotonic_ns(uint64_t ns);

}  // namespace gilscope
