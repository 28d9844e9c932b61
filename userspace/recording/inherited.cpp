#include "userspace/recording/inherited.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <string_view>

#include "userspace/base/process.h"

namespace gilscope {
namespace {

// The descriptors that are open now.
Result<std::vector<int>> open_descriptors() {
  constexpr const char* kPath = "/proc/self/fd";
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(kPath), ::closedir);
  if (!directory) return fail_errno(fmt::format("cannot read {}", kPath));
  std::vector<int> open;
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    int fd = -1;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), fd);
    if (error == std::errc() && end == name.data() + name.size() && fd != ::dirfd(directory.get()))
      open.push_back(fd);
  }
  return open;
}

// By the system call, because glibc's function hides two real-time signals.
bool change_mask(int how, const uint64_t* mask, uint64_t* before) {
  return ::syscall(SYS_rt_sigprocmask, how, mask, before, sizeof(uint64_t)) == 0;
}

}  // namespace

Result<Inherited> Inherited::look() {
  Inherited inherited;
  auto open = open_descriptors();
  if (!open) return fail(open.error());
  inherited.descriptors_ = std::move(*open);
  if (!change_mask(SIG_BLOCK, nullptr, &inherited.blocked_)) return fail_errno("rt_sigprocmask");
  for (size_t i = 0; i < inherited.limits_.size(); ++i) {
    if (::getrlimit(static_cast<__rlimit_resource>(i), &inherited.limits_[i]))
      return fail_errno("getrlimit");
  }
  return inherited;
}

Status Inherited::give_back() const {
  const auto open = open_descriptors();
  if (!open) return fail(open.error());
  for (const int fd : *open) {
    if (std::ranges::find(descriptors_, fd) != descriptors_.end()) continue;
    if (::fcntl(fd, F_SETFD, FD_CLOEXEC)) return fail_errno("fcntl(F_SETFD)");
  }
  for (size_t i = 0; i < limits_.size(); ++i) {
    rlimit now = {};
    const auto resource = static_cast<__rlimit_resource>(i);
    if (::getrlimit(resource, &now)) return fail_errno("getrlimit");
    if (now.rlim_cur == limits_[i].rlim_cur && now.rlim_max == limits_[i].rlim_max) continue;
    if (::setrlimit(resource, &limits_[i])) return fail_errno("setrlimit");
  }
  undo_start_up();
  return {};
}

void Inherited::unblock() const {
  change_mask(SIG_SETMASK, &blocked_, nullptr);
}

}  // namespace gilscope
