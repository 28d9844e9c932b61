#include "userspace/base/output.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

namespace gilscope {
namespace {

// A terminal without a TERM is assumed to know no escape sequences.
bool knows_escapes(int fd) {
  const char* name = std::getenv("TERM");
  const std::string_view term = name == nullptr ? "" : name;
  return ::isatty(fd) == 1 && !term.empty() && term != "dumb" && term != "unknown";
}

}  // namespace

void write_message(std::string_view text) {
  // Waits once for a reader that has stopped reading, and not again until it reads: neither the
  // experiment nor an interrupt may be held up by it.
  constexpr int kPatienceMs = 1000;
  static bool patient = true;
  pollfd writable{STDERR_FILENO, POLLOUT, 0};
  const int ready = ::poll(&writable, 1, patient ? kPatienceMs : 0);
  patient = ready != 0;
  if (ready == 0) return;
  // One write, so that lines of several processes do not mix. A failure cannot be reported and must
  // not throw: the message may be the last one of a process that is out of memory.
  while (!text.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return;
    text.remove_prefix(static_cast<size_t>(written));
  }
}

Exit write_error(const Error& error) {
  write_message("gilscope: " + error.message + "\n");
  return error.code;
}

Exit exit_of(const Status& status) {
  return status ? Exit::done : write_error(status.error());
}

Exit exit_of(const Result<Exit>& result) {
  return result ? *result : write_error(result.error());
}

Status write_output(std::string_view text) {
  std::cout.write(text.data(), static_cast<std::streamsize>(text.size()));
  return flush_output();
}

Status flush_output() {
  errno = 0;
  std::cout.flush();
  if (std::cout) return {};
  return errno == 0 ? fail("cannot write to standard output")
                    : fail_errno("cannot write to standard output");
}

bool output_takes_colour() {
  const char* no_color = std::getenv("NO_COLOR");
  return knows_escapes(STDOUT_FILENO) && (no_color == nullptr || *no_color == '\0');
}

bool messages_can_be_replaced() {
  return knows_escapes(STDERR_FILENO);
}

bool output_can_be_replaced() {
  return knows_escapes(STDOUT_FILENO);
}

std::optional<int> terminal_columns(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return {};
  return size.ws_col;
}

}  // namespace gilscope
