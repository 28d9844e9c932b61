#include "userspace/base/below.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "userspace/base/quote.h"

namespace gilscope {
namespace {

constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

// O_NOFOLLOW guards only the last component, so each component is opened by itself. (From Linux 5.6
// on, openat2 does this in one call.)
Result<Fd> step_by_step(int directory, std::string_view name, int flags,
                        const std::string& origin) {
  Fd at;
  for (;;) {
    const size_t slash = name.find('/');
    const std::string step(name.substr(0, slash));
    const bool last = slash == std::string_view::npos;
    Fd next(::openat(at ? at.get() : directory, step.c_str(), last ? flags : kDirectory));
    if (!next) {
      // The kernel reports a link in place of a directory as "not a directory".
      struct stat status {};
      const int error = errno;
      const bool link =
          (error == ENOTDIR || error == ELOOP) &&
          ::fstatat(at ? at.get() : directory, step.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
          S_ISLNK(status.st_mode);
      if (link) {
        return fail(fmt::format("cannot open {}: {} is a symbolic link, which is not followed",
                                in_quotes(origin), in_quotes(step)));
      }
      return fail_errno(fmt::format("cannot open {}", in_quotes(origin)), error);
    }
    if (last) return next;
    at = std::move(next);
    name.remove_prefix(slash + 1);
  }
}

}  // namespace

bool stays_below(std::string_view name) {
  for (;;) {
    const std::string_view step = name.substr(0, name.find('/'));
    if (step.empty() || step == "." || step == ".." || step.find('\0') != step.npos) return false;
    if (step.size() == name.size()) return true;
    name.remove_prefix(step.size() + 1);
  }
}

Result<Fd> open_below(int directory, const std::string& name, const std::string& origin) {
  if (!stays_below(name)) {
    return fail(Exit::no_data, fmt::format("{} leads out of its directory", in_quotes(origin)));
  }
  auto file = step_by_step(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, origin);
  if (!file) return fail(file.error());
  struct stat status {};
  if (::fstat(file->get(), &status) != 0) {
    return fail_errno(fmt::format("cannot read {}", in_quotes(origin)));
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(Exit::no_data, fmt::format("{} is not a regular file", in_quotes(origin)));
  }
  return file;
}

Result<Fd> open_directory_below(int directory, const std::string& name, const std::string& origin) {
  if (!stays_below(name)) {
    return fail(Exit::no_data, fmt::format("{} leads out of its directory", in_quotes(origin)));
  }
  return step_by_step(directory, name, kDirectory, origin);
}

}  // namespace gilscope
