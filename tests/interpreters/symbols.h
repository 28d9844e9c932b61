// Where a function of a mapped file is, for a uprobe: by libelf, and not by gilscope's own reader.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace gilscope::witness {

struct Function {
  std::string file;     // below /proc/PID/map_files
  uint64_t offset = 0;  // in the file
};

// The function in one of the files that the process executes. Of several versions it is the default
// one.
std::optional<Function> function_of(pid_t pid, const std::string& name);

}  // namespace gilscope::witness
