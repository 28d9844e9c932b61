#include "userspace/util/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "userspace/util/fd.h"
#include "userspace/util/file_io.h"
#include "userspace/util/quote.h"

namespace gilscope {
namespace {

constexpr size_t kBufferBytes = 1 << 18;

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

}  // namespace

// A file that nobody else has; gone again unless it was renamed.
class OutputFile::Temporary {
 public:
  Temporary(Fd directory, const std::string& name) : directory_(std::move(directory)) {
    // A process that was killed may have left one under our process id.
    for (int attempt = 0; attempt < 100 && !fd_; ++attempt) {
      name_ = fmt::format(".{}.{}.{}.tmp", name, ::getpid(), attempt);
      fd_ = Fd(::openat(directory_.get(), name_.c_str(),
                        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
      if (!fd_ && errno != EEXIST) break;
    }
  }
  ~Temporary() {
    if (fd_ && !renamed_) ::unlinkat(directory_.get(), name_.c_str(), 0);
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

  explicit operator bool() const { return bool(fd_); }
  int fd() const { return fd_.get(); }
  bool rename_to(const std::string& name) {
    renamed_ = ::renameat(directory_.get(), name_.c_str(), directory_.get(), name.c_str()) == 0;
    // Without the sync a crash could undo the rename.
    return renamed_ && ::fsync(directory_.get()) == 0;
  }

 private:
  Fd directory_;
  std::string name_;
  Fd fd_;
  bool renamed_ = false;
};

OutputFile::OutputFile() = default;
OutputFile::OutputFile(OutputFile&&) noexcept = default;
OutputFile& OutputFile::operator=(OutputFile&&) noexcept = default;
OutputFile::~OutputFile() = default;

Result<OutputFile> OutputFile::create(const std::string& path) {
  const Target target = split(path);
  const std::string what = "cannot write " + printable(path);
  if (target.name.empty()) return fail(what + ": no file name");
  Fd directory(::open(target.directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return fail_errno(what);
  if (Status ok = refuse_what_is_no_file(directory.get(), target, path); !ok) {
    return fail(ok.error());
  }
  OutputFile file;
  file.path_ = path;
  file.name_ = target.name;
  file.temporary_ = std::make_unique<Temporary>(std::move(directory), target.name);
  if (!*file.temporary_) return fail_errno(what);
  return file;
}

Status OutputFile::flush() {
  Status status = write_all(temporary_->fd(), buffer_, "cannot write " + printable(path_));
  buffer_.clear();
  return status;
}

Status OutputFile::write(std::string_view bytes) {
  buffer_ += bytes;
  return buffer_.size() < kBufferBytes ? Status() : flush();
}

Status OutputFile::finish() {
  if (Status s = flush(); !s) return s;
  if (::fsync(temporary_->fd()) != 0 || !temporary_->rename_to(name_)) {
    return fail_errno("cannot write " + printable(path_));
  }
  return {};
}

}  // namespace gilscope
