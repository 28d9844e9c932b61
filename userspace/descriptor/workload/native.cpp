#include "userspace/descriptor/workload.h"

namespace gilscope {

WorkloadDescriptor workload_native() {
  constexpr uint64_t kDay = 86'400'000'000'000;
  return {
      .name = "native",
      .summary = "native calls that never release the GIL",
      .parameters = {count_parameter("n", 20, 1, INT64_MAX, true),
                     duration_parameter("length", 10'000'000, 1'000, kDay, true)},
      .operation = {.done = "made", .noun = "calls", .one = "a native call"},
      .brief = "native:n=2,length=1ms",
  };
}

}  // namespace gilscope
