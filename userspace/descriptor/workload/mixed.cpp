#include "userspace/descriptor/workload.h"

namespace gilscope {

WorkloadDescriptor workload_mixed() {
  constexpr uint64_t kSecond = 1'000'000'000;
  return {
      .name = "mixed",
      .summary = "each thread computes, and blocks for a moment, in turn",
      .parameters = {count_parameter("n", 1'000, 1, INT64_MAX, true),
                     count_parameter("compute", 1'000, 1, INT64_MAX, true),
                     duration_parameter("block", 100'000, 1'000, 3600 * kSecond, true),
                     duration_parameter("seconds", {}, 1, 86'400 * kSecond)},
      .ends = WorkloadDescriptor::Ends::by_time_if_given,
      .operation = {.done = "did", .noun = "turns", .one = "a turn of computing and blocking"},
      .brief = "mixed:n=20,compute=1k,block=100us",
  };
}

}  // namespace gilscope
