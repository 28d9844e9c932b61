#include "userspace/descriptor/workload.h"

namespace gilscope {

WorkloadDescriptor workload_ping_pong() {
  return {
      .name = "ping-pong",
      .summary = "threads pass a token round a ring, by a semaphore each",
      .parameters = {seconds_parameter(1'000'000'000)},
      .ends = WorkloadDescriptor::Ends::by_time,
      .operation = {.done = "made", .noun = "passes", .one = "a pass of the token"},
      .brief = "ping-pong:seconds=20ms",
  };
}

}  // namespace gilscope
