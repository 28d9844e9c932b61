#include "userspace/descriptor/workload.h"

namespace gilscope {

WorkloadDescriptor workload_yield() {
  return {
      .name = "yield",
      .summary = "each thread gives up its CPU and the GIL, over and over",
      .parameters = {seconds_parameter(1'000'000'000)},
      .ends = WorkloadDescriptor::Ends::by_time,
      .operation = {.done = "made", .noun = "calls", .one = "a call of sched_yield"},
      .brief = "yield:seconds=20ms",
  };
}

}  // namespace gilscope
