#include "userspace/base/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <climits>
#include <cstdlib>
#include <optional>

#include "userspace/base/fd.h"
#include "userspace/base/file_io.h"
#include "userspace/base/quote.h"

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

std::string failure_of(const std::string& path) {
  return "cannot write " + printable(path);
}

const char* kind_of(mode_t mode) {
  if (S_ISLNK(mode)) return "a symbolic link";
  if (S_ISDIR(mode)) return "a directory";
  return "not a regular file";
}

// A rename would silently replace a link and leave its target unchanged.
Status refuse_what_is_no_file(int directory, const Target& target, const std::string& path) {
  struct stat old {};
  if (::fstatat(directory, target.name.c_str(), &old, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return {};
    return fail_errno(failure_of(path));
  }
  if (S_ISREG(old.st_mode)) return {};
  return fail(fmt::format("{}: it is {}", failure_of(path), kind_of(old.st_mode)));
}

std::string resolved(const std::string& directory) {
  char path[PATH_MAX];
  return ::realpath(directory.c_str(), path) ? path : "";
}

bool holds_our_descriptors(const std::string& directory) {
  const std::string path = resolved(directory);
  return !path.empty() &&
         (path == resolved("/proc/self/fd") || path == resolved("/proc/thread-self/fd"));
}

std::optional<int> number(const std::string& name) {
  int value = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), value);
  if (error != std::errc() || end != name.data() + name.size() || value < 0) return {};
  return value;
}

// The descriptor of this process that the path names, through any links: 1 for /dev/stdout, 3 for
// /dev/fd/3. Opening a regular file by such a path would overwrite it from its beginning.
std::optional<int> descriptor_named_by(std::string path) {
  constexpr int kMaxLinks = 40;
  for (int hop = 0; hop < kMaxLinks; ++hop) {
    const Target target = split(path);
    if (const auto descriptor = number(target.name);
        descriptor && holds_our_descriptors(target.directory)) {
      return descriptor;
    }
    char link[PATH_MAX];
    const ssize_t length = ::readlink(path.c_str(), link, sizeof(link));
    if (length <= 0 || size_t(length) == sizeof(link)) return {};
    const std::string next(link, size_t(length));
    path = next.starts_with('/') ? next : target.directory + "/" + next;
  }
  return {};
}

bool is_stream(const std::string& path) {
  struct stat there {};
  return ::stat(path.c_str(), &there) == 0 && (S_ISFIFO(there.st_mode) || S_ISCHR(there.st_mode));
}

}  // namespace

class OutputFile::Place {
 public:
  virtual ~Place() = default;
  virtual int fd() const = 0;
  virtual bool is(const struct stat& file) const = 0;
  // Returns false, with errno set, if the data may not have reached its place.
  virtual bool finish() = 0;
};

// A file under a temporary name of its own, removed unless finish() renames it.
class OutputFile::Temporary : public Place {
 public:
  Temporary(Fd directory, std::string name)
      : directory_(std::move(directory)), name_(std::move(name)) {
    // A killed process with the same process id may have left such a file.
    for (int attempt = 0; attempt < 100 && !fd_; ++attempt) {
      temporary_ = fmt::format(".{}.{}.{}.tmp", name_, ::getpid(), attempt);
      fd_ = Fd(::openat(directory_.get(), temporary_.c_str(),
                        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
      if (!fd_ && errno != EEXIST) break;
    }
  }
  ~Temporary() override {
    if (fd_ && !renamed_) ::unlinkat(directory_.get(), temporary_.c_str(), 0);
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

  explicit operator bool() const { return bool(fd_); }
  int fd() const override { return fd_.get(); }

  bool is(const struct stat& file) const override {
    struct stat old {};
    return ::fstatat(directory_.get(), name_.c_str(), &old, 0) == 0 && old.st_dev == file.st_dev &&
           old.st_ino == file.st_ino;
  }

  bool finish() override {
    if (::fsync(fd_.get()) != 0) return false;
    renamed_ =
        ::renameat(directory_.get(), temporary_.c_str(), directory_.get(), name_.c_str()) == 0;
    // Without this sync, a crash could undo the rename.
    return renamed_ && ::fsync(directory_.get()) == 0;
  }

 private:
  Fd directory_;
  std::string name_, temporary_;
  Fd fd_;
  bool renamed_ = false;
};

class OutputFile::Stream : public Place {
 public:
  Stream(Fd fd, bool standard_output) : fd_(std::move(fd)), standard_output_(standard_output) {}

  bool standard_output() const { return standard_output_; }
  int fd() const override { return fd_.get(); }

  bool is(const struct stat& file) const override {
    struct stat own {};
    return ::fstat(fd_.get(), &own) == 0 && own.st_dev == file.st_dev && own.st_ino == file.st_ino;
  }

  // Some file systems report a full disk only here.
  bool finish() override {
    struct stat own {};
    if (::fstat(fd_.get(), &own) == 0 && S_ISREG(own.st_mode) && ::fsync(fd_.get()) != 0) {
      return false;
    }
    return ::close(fd_.release()) == 0 || errno == EINTR;
  }

 private:
  Fd fd_;
  bool standard_output_;
};

OutputFile::OutputFile(std::unique_ptr<Place> place, std::string shown, std::string failure)
    : place_(std::move(place)), shown_(std::move(shown)), failure_(std::move(failure)) {}
OutputFile::OutputFile(OutputFile&&) noexcept = default;
OutputFile& OutputFile::operator=(OutputFile&&) noexcept = default;
OutputFile::~OutputFile() = default;

Result<OutputFile> OutputFile::create(const std::string& path) {
  const Target target = split(path);
  const std::string failure = failure_of(path);
  if (target.name.empty()) return fail(failure + ": no file name");
  Fd directory(::open(target.directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return fail_errno(failure);
  if (Status ok = refuse_what_is_no_file(directory.get(), target, path); !ok) {
    return fail(ok.error());
  }
  auto temporary = std::make_unique<Temporary>(std::move(directory), target.name);
  if (!*temporary) return fail_errno(failure);
  return OutputFile(std::move(temporary), printable(path), failure);
}

Result<OutputFile> OutputFile::open(const std::string& path) {
  const auto descriptor = path == "-" ? STDOUT_FILENO : descriptor_named_by(path);
  const bool standard_output = descriptor == STDOUT_FILENO;
  if (!descriptor && !is_stream(path)) return create(path);
  const std::string shown = standard_output ? "standard output" : printable(path);
  const std::string failure =
      standard_output ? "cannot write to standard output" : failure_of(path);
  Fd fd(descriptor ? ::fcntl(*descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
                   : ::open(path.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC));
  if (!fd) return fail_errno(failure);
  return OutputFile(std::make_unique<Stream>(std::move(fd), standard_output), shown, failure);
}

bool OutputFile::is_standard_output() const {
  const auto* stream = dynamic_cast<const Stream*>(place_.get());
  return stream && stream->standard_output();
}

bool OutputFile::is_terminal() const {
  return ::isatty(place_->fd()) == 1;
}

bool OutputFile::is(const struct stat& file) const {
  return place_->is(file);
}

Status OutputFile::flush() {
  Status status = write_all(place_->fd(), buffer_, failure_);
  buffer_.clear();
  return status;
}

Status OutputFile::write(std::string_view bytes) {
  buffer_ += bytes;
  return buffer_.size() < kBufferBytes ? Status() : flush();
}

Status OutputFile::finish() {
  if (Status s = flush(); !s) return s;
  if (!place_->finish()) return fail_errno(failure_);
  return {};
}

}  // namespace gilscope
