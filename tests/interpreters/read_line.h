// Reads what a program under test says, a line at a time.
#pragma once

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "userspace/base/fd.h"
#include "userspace/base/result.h"

namespace gilscope {

// Without its line feed. Fails at the program's end, and after so long without a byte.
inline Result<std::string> read_line(const Fd& out, int patience_ms) {
  std::string text;
  for (;;) {
    pollfd readable = {out.get(), POLLIN, 0};
    if (::poll(&readable, 1, patience_ms) != 1) return fail("the program says nothing");
    char c;
    const ssize_t got = ::read(out.get(), &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got != 1) return fail(fmt::format("the program has ended after '{}'", text));
    if (c == '\n') return text;
    text += c;
  }
}

}  // namespace gilscope
