// Real interpreters that run the programs beside this file: where they are, and one that runs.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "userspace/base/fd.h"
#include "userspace/base/result.h"

namespace gilscope {

struct Installed {
  std::string name;  // python3.13
  std::string path;  // of its executable; its root is what stands before /usr/bin
  std::string root() const;
};

// The machine's /usr/bin/python3, and those that $GILSCOPE_INTERPRETERS names, paths with colons
// between them.
std::vector<Installed> installed();
// The first whose name begins so.
std::optional<Installed> installed(const std::string& name);

// Between fork and exec: enters that root, with the machine's /proc and /dev and, as /mnt, a
// directory. False where it cannot.
bool enter_root(const std::string& root, const std::string& programs);

// An interpreter that runs one of the programs, in the interpreter's own root, with its gate
// closed. Killed when it goes out of scope.
class AtWork {
 public:
  // `program`: "count.py", or a path; the arguments are for the program.
  static Result<AtWork> start(const Installed& interpreter, const std::string& program,
                              const std::vector<std::string>& arguments = {});
  AtWork(AtWork&& other) noexcept;
  AtWork(const AtWork&) = delete;
  ~AtWork();

  pid_t pid() const { return pid_; }
  // Opens the gate for so long, and does not wait.
  Status go(double seconds);
  // Waits until the gate is closed again: how often the threads went round, since the start.
  Result<uint64_t> done();
  // Lets it end; its exit code, or 128 + the signal that ended it.
  int end();

 private:
  AtWork(pid_t pid, Fd in, Fd out);
  Result<std::string> line();

  pid_t pid_;  // -1: reaped
  Fd in_, out_;
};

}  // namespace gilscope
