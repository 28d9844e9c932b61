// A process that `attach` is asked to follow, looked at before anything is loaded or changed.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "userspace/base/fd.h"
#include "userspace/base/result.h"

namespace gilscope {

// A process's number, as a command line has it.
Result<pid_t> parse_pid(const std::string& text);

struct Target {
  pid_t pid = 0;
  Fd process;                     // its pidfd: readable once it has ended
  std::vector<std::string> argv;  // its command line
  pid_t tracer = 0;               // who traces it by ptrace(2): gdb, rr; 0: nobody
};

// Fails with one line for a process that is not there, a zombie, a kernel thread, a thread that is
// no process, this process itself, and for one at which this user may not look.
Result<Target> look_at(pid_t pid);

// A command line as reports and messages show it: one line of a readable length.
std::string command_text(const std::vector<std::string>& argv);

}  // namespace gilscope
