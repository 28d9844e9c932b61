// A process's usage by wait4(2), as a report has it.
#pragma once

#include <sys/resource.h>

#include "userspace/base/time.h"
#include "userspace/report/model.h"

namespace gilscope {

inline ResourceUsage resource_usage_of(const rusage& usage) {
  return {to_ns(usage.ru_utime),
          to_ns(usage.ru_stime),
          static_cast<uint64_t>(usage.ru_nvcsw),
          static_cast<uint64_t>(usage.ru_nivcsw),
          static_cast<uint64_t>(usage.ru_minflt),
          static_cast<uint64_t>(usage.ru_majflt),
          static_cast<uint64_t>(usage.ru_maxrss) * 1024};
}

}  // namespace gilscope
