// A command that gilscope starts. It waits before it executes, so that it is traced from its first
// instruction. It shares gilscope's process group, and with it the terminal: the terminal's keys
// reach both. Unless the options say so, it never ends because gilscope does.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "userspace/base/fd.h"
#include "userspace/base/result.h"
#include "userspace/recording/inherited.h"
#include "userspace/recording/user.h"

namespace gilscope {

struct ChildOptions {
  // Called in the child, with gilscope's own privileges, before it waits. Where it fails, nothing
  // is executed.
  std::function<Status()> in_child = [] { return Status(); };
  std::optional<User> user;  // who it becomes; empty: it stays who gilscope is
  Inherited inherited;

  // For a run of an experiment.
  std::string root;                    // another root, in which it runs; empty: the machine's
  int standard[3] = {-1, -1, -1};      // its standard descriptors; -1: as inherited
  std::vector<int> descriptors;        // that it has besides those inherited, by the same numbers
  std::vector<std::string> variables;  // of its environment, besides those inherited
  bool dies_with_parent = false;
};

// How a command ended.
struct CommandEnd {
  int status = 0;  // as from wait(2)
  rusage usage = {};

  // As a shell has it: 128 and the number of a signal that ended it.
  int exit_status() const;
};

class Child {
 public:
  // Fails with in_child's error. `command` has at least one word.
  static Result<Child> start(const std::vector<std::string>& command, const ChildOptions& options);
  // A child that has not been released executes nothing and ends; any other lives on.
  ~Child();
  Child(Child&&) noexcept;
  Child& operator=(Child&&) = delete;

  pid_t pid() const { return pid_; }
  // Readable once it has ended.
  int fd() const { return process_.get(); }

  // Lets it execute the command. Where it cannot, the error's code is that of env(1): 127 if there
  // is no such file, else 126.
  Status release();
  // Sends it a signal, unless it has ended.
  void signal(int number) const;
  // Waits for its end; call it once.
  CommandEnd wait();

 private:
  Child() = default;

  std::string name_;  // the command's first word
  pid_t pid_ = -1;    // -1: waited for, or moved from
  Fd process_;
  Fd words_;  // to and from the child; closed by its exec
};

}  // namespace gilscope
