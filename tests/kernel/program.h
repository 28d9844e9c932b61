// The program itself, run as a user runs it.
#pragma once

#include <string>
#include <vector>

#include "userspace/base/fd.h"

namespace gilscope {

struct Ended {
  int status = -1;  // exit code, or 128 + the signal that ended it
  std::string out, err;
};

// The path of the program under test: $GILSCOPE, or build/gilscope.
std::string program();

// A process whose output is kept; killed when it goes out of scope.
class Process {
 public:
  explicit Process(const std::vector<std::string>& arguments);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  int pid() const { return pid_; }
  void signal(int number) const;
  Ended wait();

 private:
  int pid_ = -1;
  Fd out_, err_;  // unlinked files
};

// Runs program() with these arguments to its end.
Ended gilscope_run(const std::vector<std::string>& arguments);
// Runs any command line in the shell.
Ended shell(const std::string& command);

// A directory that is removed, with its contents, at the end of the scope.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  std::string path(const std::string& name) const { return directory_ + "/" + name; }
  // Writes a file and returns its path.
  std::string file(const std::string& name, const std::string& text) const;

 private:
  std::string directory_;
};

}  // namespace gilscope
