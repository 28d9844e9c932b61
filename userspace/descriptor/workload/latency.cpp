#include "userspace/descriptor/workload.h"

namespace gilscope {

WorkloadDescriptor workload_latency() {
  return {
      .name = "latency",
      .summary = "UDP pings from a process of their own, after ccbench",
      .whose = "CPython's ccbench",
      .parameters = {seconds_parameter(2'000'000'000), count_parameter("port", 0, 0, 65535),
                     duration_parameter("interval", 1'000'000, 10'000, 60'000'000'000)},
      .background = 1,
      .ends = WorkloadDescriptor::Ends::by_time,
      .operation = {.done = "received",
                    .noun = "pings",
                    .one = "a ping received",
                    .at_set_times = true},
      .latency = "from the client's send until a measured thread has the ping and the GIL",
      .brief = "latency:background=1,seconds=60ms",
  };
}

}  // namespace gilscope
