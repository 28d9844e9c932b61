#include "userspace/descriptor/workload.h"

namespace gilscope {

WorkloadDescriptor workload_echo() {
  return {
      .name = "echo",
      .summary = "TCP request and response over loopback",
      .parameters = {seconds_parameter(2'000'000'000), count_parameter("port", 0, 0, 65535),
                     count_parameter("size", 64, 1, 1 << 20)},
      .background = 1,
      .ends = WorkloadDescriptor::Ends::by_time,
      .operation = {.done = "answered", .noun = "requests", .one = "a request answered"},
      .latency = "from before the client's send to the whole answer",
      .brief = "echo:background=1,seconds=60ms",
  };
}

}  // namespace gilscope
