// The kernel's notation for a set of CPUs: "0,2-3".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "userspace/base/result.h"

namespace gilscope {

// No kernel has more CPUs. Bounds the memory that a mistaken list can ask for.
inline constexpr int kMaxCpus = 8192;

// Returns the CPUs in ascending order. An empty text, which the kernel writes for no CPUs, is the
// empty set.
Result<std::vector<int>> parse_cpu_list(std::string_view text);

// `cpus` must be ascending.
std::string format_cpu_list(const std::vector<int>& cpus);

}  // namespace gilscope
