#include "userspace/descriptor/workload.h"

namespace gilscope {

WorkloadDescriptor workload_count() {
  constexpr uint64_t kDay = 86'400'000'000'000;
  return {
      .name = "count",
      .summary = "each thread counts n down to 0 in bytecode, the seed's own loop",
      .whose = "the article that gilscope began with",
      // With main_exit = "kill", and only with it, `seconds` is how long main lives.
      .parameters = {count_parameter("n", 20'000'000, 1, INT64_MAX, true),
                     duration_parameter("seconds", {}, 1, kDay)},
      .operation = {.done = "did", .noun = "iterations", .one = "an iteration of the loop"},
      .brief = "count:n=30k",
  };
}

}  // namespace gilscope
