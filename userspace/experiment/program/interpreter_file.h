// The file of an interpreter, looked at before an experiment starts: what is wrong with it is one
// line, and nothing has run.
#pragma once

#include <map>
#include <span>
#include <string>

#include "userspace/base/result.h"
#include "userspace/descriptor/program.h"
#include "userspace/experiment/program/script_process.h"

namespace gilscope {

struct InterpreterFile {
  // Another system's root, in which it runs with the libraries of that: of
  // ROOT/usr/bin/python3.13, where ROOT has a dynamic loader of its own. Empty: the machine's.
  std::string root;
  std::string executable;  // within its root
  std::string version;     // of its language, as itself says: "3.11.2"
};

// The root of a path as above, and the rest of it.
std::string root_of(const std::string& path);

// Says what is wrong with a file that no interpreter can be, without executing it.
Status check_interpreter_file(const ProgramPolicy& program);

// The same, and asks the interpreter for its version, as its owner.
Result<InterpreterFile> look_at_interpreter(const ProgramPolicy& program,
                                            const ProgramOwner& owner);

// By policy: those of a spec that are interpreters.
using InterpreterFiles = std::map<std::string, InterpreterFile>;
Result<InterpreterFiles> look_at_interpreters(std::span<const std::string> policies,
                                              const ProgramOwner& owner);

}  // namespace gilscope
