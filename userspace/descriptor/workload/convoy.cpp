#include "userspace/descriptor/workload.h"

namespace gilscope {

WorkloadDescriptor workload_convoy() {
  return {
      .name = "convoy",
      .summary = "short I/O that never waits, and queues for the GIL",
      .parameters = {count_parameter("burst", 100, 0, INT64_MAX, true),
                     seconds_parameter(2'000'000'000)},
      .background = 1,
      .ends = WorkloadDescriptor::Ends::by_time,
      .operation = {.done = "made", .noun = "exchanges", .one = "a send and its receipt"},
      .latency = "from before the send until the thread has the GIL again after the receipt",
      .brief = "convoy:seconds=60ms",
  };
}

}  // namespace gilscope
