#include "userspace/base/refusal.h"

#include <linux/magic.h>
#include <sys/resource.h>
#include <sys/vfs.h>

#include <fstream>

namespace gilscope {
namespace {

std::string first_line(const char* path, const std::string& starting) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with(starting)) return line.substr(starting.size());
  }
  return "";
}

// Lockdown, seccomp and RLIMIT_MEMLOCK can each refuse root, all with a bare EPERM or EACCES.
std::string who_forbids() {
  const std::string lockdown = first_line("/sys/kernel/security/lockdown", "");
  if (lockdown.find("[confidentiality]") != lockdown.npos) {
    return "the kernel is locked down ([confidentiality] in /sys/kernel/security/lockdown): boot "
           "without lockdown=confidentiality";
  }
  const std::string seccomp = first_line("/proc/self/status", "Seccomp:");
  if (seccomp.find('2') != seccomp.npos) {
    return "run gilscope as root; if it is root already, the container's seccomp profile may "
           "forbid this (docker run --security-opt seccomp=unconfined --privileged)";
  }
  rlimit locked{};
  constexpr rlim_t kEnough = rlim_t{256} << 20;
  if (::getrlimit(RLIMIT_MEMLOCK, &locked) == 0 && locked.rlim_cur < kEnough) {
    return "run gilscope as root (sudo gilscope ...); before Linux 5.11, also set `ulimit -l "
           "unlimited`";
  }
  return "run gilscope as root (sudo gilscope ...)";
}

Status require_file_system(const char* path, long magic, const char* type) {
  struct statfs status {};
  if (::statfs(path, &status) == 0 && status.f_type == magic) return {};
  return fail(
      Exit::unable,
      fmt::format("{0} is not mounted, but gilscope needs it: mount -t {1} {1} {0}", path, type));
}

}  // namespace

std::string remedy(int error) {
  switch (error) {
    case ENOMEM:
      return "raise `ulimit -v` and the memory limit of the cgroup, or stop other programs";
    case EMFILE:
      return "raise `ulimit -n`";
    case ENFILE:
      return "raise /proc/sys/fs/file-max";
    case EAGAIN:
      return "raise pids.max of the cgroup, `ulimit -u` and /proc/sys/kernel/threads-max";
    case ENOSPC:
      return "free some space, or choose another file system";
    case EFBIG:
      return "raise `ulimit -f`";
    case EROFS:
      return "remount it read-write";
    case EPERM:
    case EACCES:
      return who_forbids();
    case ENOSYS:
      return "boot Linux 5.10 or later, not under a system-call emulator";
    default:
      return "";
  }
}

tl::unexpected<Error> refused(const std::string& what, int error) {
  const std::string way = remedy(error);
  return fail(Exit::unable,
              fmt::format("{}: {}{}{}", what, std::strerror(error), way.empty() ? "" : ": ", way));
}

Status require_proc() {
  return require_file_system("/proc", PROC_SUPER_MAGIC, "proc");
}

Status require_sys() {
  return require_file_system("/sys", SYSFS_MAGIC, "sysfs");
}

}  // namespace gilscope
