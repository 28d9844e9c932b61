// How gilscope says that something failed: a Result must be looked at, and its Error carries the
// process exit code that the command line promises (docs/architecture.md, "Exit codes").
#pragma once

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace gilscope {

// The exit codes are a contract: scripts branch on them.
enum class Exit : int {
  done = 0,
  check_failed = 1,  // done, and a check failed or a regression was found
  error = 2,         // usage or run error
  no_data = 3,
  unable = 4,  // this machine can't: not root, no BTF, ...
  interrupted = 130,
};

struct Error {
  Exit code = Exit::error;
  std::string message;  // one line: what failed, with what, and what to do
};

template <typename T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
};

using Status = Result<void>;

inline tl::unexpected<Error> fail(Exit code, std::string message) {
  return tl::make_unexpected(Error{code, std::move(message)});
}

inline tl::unexpected<Error> fail(std::string message) {
  return fail(Exit::error, std::move(message));
}

inline tl::unexpected<Error> fail(Error error) {
  return tl::make_unexpected(std::move(error));
}

// For a system call that has just failed: appends errno's own words.
tl::unexpected<Error> fail_errno(const std::string& what, int error = errno);

}  // namespace gilscope
