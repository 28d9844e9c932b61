// The cost of a command: wall time, CPU time, memory.
#pragma once

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "userspace/base/time.h"

namespace gilscope {

struct Cost {
  double wall_s = 0, cpu_s = 0;
  long max_rss_kib = 0;
  bool done = false;
};

inline double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

// Runs `command`, a program and its arguments, and discards its output. `accepted` is a bit mask of
// the exit codes that count as success.
inline Cost cost_of(const std::vector<std::string>& command, unsigned accepted = 1) {
  const uint64_t begin_ns = monotonic_ns();
  const pid_t child = fork();
  if (child == 0) {
    const int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDOUT_FILENO);
    std::vector<char*> arguments;
    for (const std::string& argument : command) {
      arguments.push_back(const_cast<char*>(argument.c_str()));
    }
    arguments.push_back(nullptr);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  int status = 0;
  rusage usage = {};
  wait4(child, &status, 0, &usage);
  return {static_cast<double>(monotonic_ns() - begin_ns) / 1e9,
          seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss,
          WIFEXITED(status) && (accepted >> WEXITSTATUS(status) & 1)};
}

}  // namespace gilscope
