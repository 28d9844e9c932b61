// The kernel's way to write a set of CPUs: "0,2-3".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "userspace/util/result.h"

namespace gilscope {

// No kernel has more CPUs; a list that names a higher one is a mistake, not a request for memory.
inline constexpr int kMaxCpus = 8192;

// Ascending. The empty text is the empty set: the kernel writes that where no CPU is meant.
Result<std::vector<int>> parse_cpu_list(std::string_view text);

// From an ascending list.
std::string format_cpu_list(const std::vector<int>& cpus);

}  // namespace gilscope
