// Which futexes the threads of a process sleep on, seen from outside: /proc/PID/task/TID/syscall
// names the system call of a thread that is blocked, and its arguments. Nothing is traced.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "userspace/subject/process_memory.h"

namespace gilscope {

// A wait for a futex.
struct FutexWait {
  uint64_t address = 0;
  bool timed = false;     // it ends at some time
  bool as_mutex = false;  // the call is one by which glibc waits for a mutex
};

// From the text of a task's file "syscall"; empty if it is in no wait for a futex.
std::optional<FutexWait> parse_futex_wait(std::string_view text);

// A futex on which threads were seen to sleep.
struct SeenFutex {
  uint64_t address = 0;
  uint32_t times = 0;     // looks at which a thread slept there
  uint32_t timed = 0;     // of these, with a time-out
  uint32_t as_mutex = 0;  // of these, by a call as for a mutex
  std::set<pid_t> threads;
};

// Looks every millisecond, for `ms` at most, until `enough`, called after each look, returns true.
// The futexes are in the order of their addresses. False: the time is up.
bool watch_futexes(const ProcessMemory& process, int ms,
                   const std::function<bool(const std::vector<SeenFutex>&)>& enough);

// The futexes that threads were seen to sleep on within `ms`.
std::vector<SeenFutex> seen_futexes(const ProcessMemory& process, int ms);

}  // namespace gilscope
