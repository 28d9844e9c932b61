#include "userspace/descriptor/workload.h"

namespace gilscope {

WorkloadDescriptor workload_bandwidth() {
  constexpr uint64_t kSmallest = 8;  // the heading of a datagram: the time of its sending
  return {
      .name = "bandwidth",
      .summary = "UDP datagrams sent back, after ccbench",
      .whose = "CPython's ccbench",
      .parameters = {seconds_parameter(2'000'000'000), count_parameter("port", 0, 0, 65535),
                     count_parameter("size", 1'024, kSmallest, 60'000),
                     count_parameter("window", 16, 1, 1'000)},
      .background = 1,
      .ends = WorkloadDescriptor::Ends::by_time,
      .operation = {.done = "sent back", .noun = "datagrams", .one = "a datagram sent back"},
      .brief = "bandwidth:seconds=60ms",
  };
}

}  // namespace gilscope
