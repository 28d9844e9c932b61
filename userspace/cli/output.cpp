#include "userspace/cli/output.h"

#include <unistd.h>

#include <cstdio>

namespace gilscope {

Exit write_output(std::string_view text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (written && std::fflush(stdout) == 0) return Exit::done;
  return write_error({Exit::error, fmt::format("cannot write: {}", std::strerror(errno))});
}

Exit write_error(const Error& error) {
  std::fprintf(stderr, "gilscope: %s\n", error.message.c_str());
  return error.code;
}

bool output_is_terminal() {
  return ::isatty(STDOUT_FILENO) == 1;
}

}  // namespace gilscope
