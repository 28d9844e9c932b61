// Real interpreters, each started with a script of the test's.
//
// Which ones: python3 of this machine (the first in the PATH, and Debian's), and those that
// GILSCOPE_INTERPRETERS names, paths with colons between them. Where one of these is that of
// another root's /usr/bin, the interpreter runs in there, with the libraries of that root.
#pragma once

#include <sys/types.h>

#include <iosfwd>
#include <string>
#include <vector>

#include "userspace/base/fd.h"

namespace gilscope {

struct RealInterpreter {
  std::string path;  // "/usr/bin/python3.11", in its root
  std::string root;  // empty: the machine's
  std::string kind;  // python, pypy or ruby
  std::string name;  // letters, digits and _, as a test's name: "usr_bin_python3_11"
  // Of the language, as the interpreter itself says.
  int major = 0, minor = 0;
  bool free_threaded = false;  // CPython's build that can run without a GIL, and is run with it

  bool at_least(int other_major, int other_minor) const {
    return major != other_major ? major > other_major : minor >= other_minor;
  }
};

// For GoogleTest's messages.
std::ostream& operator<<(std::ostream& out, const RealInterpreter& interpreter);

// Those that can be started, in the order of their names, each file once.
const std::vector<RealInterpreter>& interpreters();

struct ScriptOptions {
  std::vector<std::string> prefix;     // that starts the interpreter: {"nice", "-n", "5"}
  std::vector<std::string> arguments;  // of the script
};

// An interpreter that runs a script; killed, with all that it started, at the end of the scope.
class RunningScript {
 public:
  RunningScript(const RealInterpreter& interpreter, const std::string& script,
                const ScriptOptions& options = {});
  ~RunningScript();
  RunningScript(const RunningScript&) = delete;
  RunningScript& operator=(const RunningScript&) = delete;

  // The interpreter's, also where the prefix is a program that forks.
  pid_t pid() const;
  // The next line that it prints, without its line feed; waits half a minute for it. Empty: there
  // is none.
  std::string line();
  // Writes a line to its standard input.
  void tell(const std::string& text);
  // Its standard error.
  std::string errors() const;
  // Its exit code, or 128 + the signal that ended it.
  int wait();

 private:
  pid_t child_ = -1;
  Fd in_, out_, err_;
  std::string read_;
};

// A command line that runs the interpreter in its root.
std::vector<std::string> command_of(const RealInterpreter& interpreter);

// Python 2.7 and 3, PyPy: `threads` threads that compute for ever. Prints "ready" once they run;
// then each line of standard input is executed and answered by "done".
std::string computing_threads(int threads);

// The same for Ruby.
std::string computing_threads_of_ruby(int threads);

}  // namespace gilscope
