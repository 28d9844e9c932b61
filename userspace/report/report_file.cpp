#include "userspace/report/report_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <new>

#include "userspace/report/json.h"
#include "userspace/util/fd.h"
#include "userspace/util/quote.h"

namespace gilscope {
namespace {

constexpr size_t kMaxBytes = size_t{1} << 30;

Result<std::string> read_all(int fd, const std::string& path) {
  std::string text;
  size_t used = 0;
  for (;;) {
    if (used == text.size()) text.resize(used == 0 ? 1 << 16 : used * 2);
    const ssize_t n = ::read(fd, text.data() + used, text.size() - used);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("cannot read " + printable(path));
    if (n == 0) break;
    used += size_t(n);
    if (used > kMaxBytes) {
      return fail(Exit::no_data, printable(path) + ": larger than 1 GiB, not a report");
    }
  }
  text.resize(used);
  return text;
}

struct Target {
  std::string directory, name;
};

Target split(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

// A rename would replace the link and leave what it points to behind, unnoticed.
Status refuse_what_is_no_file(int directory, const Target& target, const std::string& path) {
  struct stat old {};
  if (::fstatat(directory, target.name.c_str(), &old, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return {};
    return fail_errno("cannot write " + printable(path));
  }
  if (S_ISREG(old.st_mode)) return {};
  return fail(fmt::format("cannot write {}: it is {}", printable(path),
                          S_ISLNK(old.st_mode) ? "a symbolic link" : "no regular file"));
}

// A file that nobody else has, in the directory of the report; gone again unless it was renamed.
class Temporary {
 public:
  Temporary(int directory, const std::string& name) : directory_(directory) {
    // A process that was killed may have left one under our process id.
    for (int attempt = 0; attempt < 100 && !fd_; ++attempt) {
      name_ = fmt::format(".{}.{}.{}.tmp", name, ::getpid(), attempt);
      fd_ = Fd(::openat(directory, name_.c_str(),
                        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
      if (!fd_ && errno != EEXIST) break;
    }
  }
  ~Temporary() {
    if (fd_ && !renamed_) ::unlinkat(directory_, name_.c_str(), 0);
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

  explicit operator bool() const { return bool(fd_); }
  int fd() const { return fd_.get(); }
  bool rename_to(const std::string& name) {
    renamed_ = ::renameat(directory_, name_.c_str(), directory_, name.c_str()) == 0;
    return renamed_;
  }

 private:
  int directory_;
  std::string name_;
  Fd fd_;
  bool renamed_ = false;
};

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    text.remove_prefix(size_t(n));
  }
  return true;
}

}  // namespace

Result<std::string> read_report_text(const std::string& path) {
  std::string file = path;
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) file += "/report.json";
  Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail_errno("cannot read " + printable(file));
  try {
    return read_all(fd.get(), file);
  } catch (const std::bad_alloc&) {
    return fail(printable(file) + ": too large for the memory of this machine");
  }
}

Result<Report> read_report(const std::string& path) {
  const Result<std::string> text = read_report_text(path);
  if (!text) return fail(text.error());
  return from_json(*text, printable(path));
}

Status write_report(const Report& report, const std::string& path) {
  const Target target = split(path);
  const std::string what = "cannot write " + printable(path);
  if (target.name.empty()) return fail(what + ": no file name");
  Fd directory(::open(target.directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return fail_errno(what);
  if (Status ok = refuse_what_is_no_file(directory.get(), target, path); !ok) return ok;

  const std::string text = to_json(report);
  Temporary temporary(directory.get(), target.name);
  if (!temporary) return fail_errno(what);
  if (!write_all(temporary.fd(), text)) return fail_errno(what);
  if (::fsync(temporary.fd()) != 0) return fail_errno(what);
  if (!temporary.rename_to(target.name)) return fail_errno(what);
  // Without this a crash could undo the rename.
  if (::fsync(directory.get()) != 0) return fail_errno(what);
  return {};
}

}  // namespace gilscope
