#include "userspace/base/file_io.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace gilscope {
namespace {

constexpr size_t kPieceBytes = size_t{1} << 20;
// The kernel copies at most a little under 2 GiB per call; smaller pieces let signals in between.
constexpr uint64_t kCopiedAtOnce = uint64_t{64} << 20;

// Whether copy_file_range cannot copy between these files: they lie on different file systems
// (before Linux 5.19), their kind does not support it, or a system-call filter forbids it.
bool not_by_the_kernel(int error) {
  return error == EXDEV || error == EINVAL || error == ENOSYS || error == EOPNOTSUPP ||
         error == EPERM;
}

}  // namespace

Status write_all(int file, std::string_view bytes, const std::string& failure) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      // Another process that shares the pipe or terminal has made it non-blocking.
      struct pollfd room {
        file, POLLOUT, 0
      };
      if (::poll(&room, 1, -1) < 0 && errno != EINTR) return fail_errno(failure);
      continue;
    }
    if (written < 0) return fail_errno(failure);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

Result<size_t> read_at(int file, uint64_t offset, void* into, size_t bytes,
                       const std::string& failure) {
  size_t done = 0;
  while (done < bytes) {
    const ssize_t got = ::pread(file, static_cast<char*>(into) + done, bytes - done,
                                static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(failure);
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  return done;
}

Result<std::string> read_to_end(int file, size_t max_bytes, const std::string& failure,
                                const std::string& too_large) {
  std::string text;
  size_t used = 0;
  for (;;) {
    if (used == text.size()) text.resize(used == 0 ? 1 << 16 : used * 2);
    const ssize_t got = ::read(file, text.data() + used, text.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(failure);
    if (got == 0) break;
    used += static_cast<size_t>(got);
    if (used > max_bytes) return fail(Exit::no_data, too_large);
  }
  text.resize(used);
  return text;
}

Result<uint64_t> copy_bytes(int from, int to, uint64_t bytes, const std::string& failure) {
  uint64_t done = 0;
  while (done < bytes) {
    const ssize_t copied = ::copy_file_range(from, nullptr, to, nullptr,
                                             size_t(std::min(bytes - done, kCopiedAtOnce)), 0);
    if (copied < 0 && errno == EINTR) continue;
    if (copied < 0 && !not_by_the_kernel(errno)) return fail_errno(failure);
    if (copied <= 0) break;  // some file systems return 0 although read() has more
    done += static_cast<uint64_t>(copied);
  }
  std::vector<char> piece(done < bytes ? kPieceBytes : 0);
  while (done < bytes) {
    const ssize_t got =
        ::read(from, piece.data(), size_t(std::min<uint64_t>(bytes - done, piece.size())));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(failure);
    if (got == 0) break;
    if (Status s = write_all(to, {piece.data(), size_t(got)}, failure); !s) return fail(s.error());
    done += static_cast<uint64_t>(got);
  }
  return done;
}

Result<bool> same_contents(int one, int other, const std::string& failure) {
  std::vector<char> here(kPieceBytes), there(kPieceBytes);
  for (uint64_t offset = 0;;) {
    const auto got = read_at(one, offset, here.data(), here.size(), failure);
    if (!got) return fail(got.error());
    const auto also = read_at(other, offset, there.data(), there.size(), failure);
    if (!also) return fail(also.error());
    if (*got != *also || std::memcmp(here.data(), there.data(), *got) != 0) return false;
    if (*got == 0) return true;
    offset += *got;
  }
}

}  // namespace gilscope
