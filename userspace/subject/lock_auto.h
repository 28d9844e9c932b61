// The mutex of a process on which its threads are seen to sleep most.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/subject/glibc.h"
#include "userspace/subject/observe.h"

namespace gilscope {

struct ContendedMutex {
  uint64_t address = 0;
  uint32_t times = 0;  // looks at which a thread slept for it
  size_t threads = 0;
  std::string confirmed_by;
};

// Watches for `ms`. Fails, and says what was seen, where no thread sleeps for a mutex.
Result<ContendedMutex> most_contended_mutex(const ProcessMemory& process, const Glibc& glibc,
                                            int ms);

}  // namespace gilscope
