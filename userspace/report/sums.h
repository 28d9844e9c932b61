// Sums of a number over the CPUs of a run.
#pragma once

#include <concepts>

#include "userspace/report/model.h"

namespace gilscope {

// Empty where one of the CPUs does not say.
std::optional<uint64_t> sum_over(const std::vector<CpuTrace>& cpus,
                                 std::invocable<const CpuTrace&> auto value) {
  uint64_t sum = 0;
  for (const CpuTrace& cpu : cpus) {
    const std::optional<uint64_t> one = value(cpu);
    if (!one) return std::nullopt;
    sum += *one;
  }
  return sum;
}

}  // namespace gilscope
