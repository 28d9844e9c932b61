#include "userspace/descriptor/workload.h"

#include <utility>

namespace gilscope {

WorkloadDescriptor workload_throughput() {
  std::vector<std::string> tasks = task_names();
  std::swap(tasks[0], tasks[1]);  // pidigits, ccbench's first
  return {
      .name = "throughput",
      .summary = "each thread does n operations of a task, after ccbench",
      .whose = "CPython's ccbench",
      .parameters = {word_parameter("task", tasks, true),
                     count_parameter("n", 100, 1, INT64_MAX, true)},
      .operation = {.done = "did", .noun = "operations", .one = "an operation of the task"},
      .brief = "throughput:task=compress,n=20",
  };
}

}  // namespace gilscope
