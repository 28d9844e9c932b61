// The tasks of computing threads, after ccbench's (CPython 2.7 to 3.11, Tools/ccbench). Their names
// are task_names() of userspace/descriptor/workload.h.
//
//   count     1000 iterations of counting down, in bytecode
//   pidigits  50 digits of pi in bytecode, as pure Python
//   regex     a native call that searches 2000 characters and holds the GIL
//   compress  a native call that compresses 6 kB by zlib and releases the GIL meanwhile
#pragma once

#include <memory>
#include <string>

#include "userspace/eval/interpreter.h"

namespace gilscope {

// Belongs to one thread, which has to hold its interpreter's GIL.
class Task {
 public:
  Task(const std::string& name, Interpreter& interpreter);

  // Does one operation.
  void run_once() { interpreter_.run(code_, {&argument_, 1}); }

 private:
  Interpreter& interpreter_;
  Code code_;
  int64_t argument_ = 1;
};

bool releases_the_gil(const std::string& task);

// The time of one operation on this machine, alone under this policy. Measured once a process.
double seconds_of(const std::string& task, const std::string& policy);
double seconds_of_counting(double iterations, const std::string& policy);

}  // namespace gilscope
