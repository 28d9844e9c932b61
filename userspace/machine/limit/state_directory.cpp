#include "userspace/machine/limit/state_directory.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>

#include "userspace/base/quote.h"

namespace gilscope {

namespace {

// Returns Exit::unable for callers that can do without the directory. A link, or anything else of
// that name, is an ordinary error instead, because somebody put it there.
tl::unexpected<Error> no_place(const std::string& what) {
  const int error = errno;
  if (error == ELOOP || error == ENOTDIR || error == EISDIR || error == ENXIO) {
    return fail_errno(what, error);
  }
  return fail(
      Exit::unable,
      fmt::format("{}: {}: changes to this machine are recorded there before they are made: "
                  "mount a writable /run, or use --cpus-by affinity, which changes nothing",
                  what, std::strerror(error)));
}

}  // namespace

Result<Fd> open_state_directory(const std::string& path) {
  // A minimal system may lack /run itself.
  const std::string parent = std::filesystem::path(path).parent_path();
  const bool made =
      ::mkdir(path.c_str(), 0700) == 0 ||
      (errno == ENOENT && ::mkdir(parent.c_str(), 0755) == 0 && ::mkdir(path.c_str(), 0700) == 0);
  if (!made && errno != EEXIST) {
    return no_place("cannot create the directory " + printable(path));
  }
  Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) return no_place("cannot open the directory " + printable(path));
  struct stat status {};
  if (::fstat(directory.get(), &status) != 0) return fail_errno("fstat of " + printable(path));
  if (status.st_uid != ::geteuid() || (status.st_mode & 077) != 0) {
    return fail(fmt::format(
        "{} belongs to user {} and has mode {:o}, but must be this user's with mode 700: check its "
        "contents, then remove it",
        printable(path), status.st_uid, status.st_mode & 07777));
  }
  return directory;
}

Result<Fd> open_state_file(const Fd& directory, const std::string& name, int flags,
                           const std::string& shown) {
  Fd file(
      ::openat(directory.get(), name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600));
  if (!file) return no_place("cannot open " + printable(shown));
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return fail_errno("fstat of " + printable(shown));
  if (!S_ISREG(status.st_mode) || status.st_uid != ::geteuid() || status.st_nlink != 1 ||
      (status.st_mode & 022) != 0) {
    return fail(printable(shown) +
                " is not a file of this user alone: check its contents, then remove it");
  }
  return file;
}

}  // namespace gilscope
