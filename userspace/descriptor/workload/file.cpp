#include "userspace/descriptor/workload.h"

namespace gilscope {

WorkloadDescriptor workload_file() {
  return {
      .name = "file",
      .summary = "writes made durable by fsync",
      .parameters = {seconds_parameter(2'000'000'000), count_parameter("size", 4'096, 1, 1 << 26),
                     path_parameter("dir", "/var/tmp")},
      .background = 1,
      .ends = WorkloadDescriptor::Ends::by_time,
      .operation = {.done = "made", .noun = "writes durable", .one = "a write made durable"},
      .latency = "from before the write until the thread has the GIL again after fsync",
      .brief = "file:background=1,seconds=60ms",
  };
}

}  // namespace gilscope
