#include "userspace/machine/limit/machine_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "userspace/base/output.h"
#include "userspace/base/refusal.h"
#include "userspace/machine/machine.h"

namespace gilscope {
namespace {

// For display only: in another PID namespace the holder has another number.
std::string process(const std::optional<int64_t>& pid) {
  return pid && *pid > 0 ? fmt::format(" (process {})", *pid) : "";
}

std::string holder(const Fd& file) {
  char text[32] = {};
  const ssize_t got = ::pread(file.get(), text, sizeof(text) - 1, 0);
  return process(to_number(std::string_view(text, got > 0 ? static_cast<size_t>(got) : 0)));
}

// /proc/locks lists the locks of this PID namespace's processes: "1: FLOCK  ADVISORY  WRITE 1234
// 00:04:4026531834 0 EOF".
std::string holder_of_namespace(const Fd& file) {
  struct stat status {};
  const auto locks = Machine().text("/proc/locks");
  if (::fstat(file.get(), &status) != 0 || !locks) return "";
  const std::string inode = fmt::format(":{}", status.st_ino);
  for (const std::string& line : lines(*locks)) {
    const auto fields = words(line);
    if (fields.size() < 6 || fields[1] != "FLOCK" || !fields[5].ends_with(inode)) continue;
    return process(to_number(fields[4]));
  }
  return "";
}

tl::unexpected<Error> taken(const std::string& by) {
  return fail(fmt::format(
      "another gilscope{} is running an experiment on this machine, and two would measure each "
      "other: wait until it ends",
      by));
}

}  // namespace

MachineLock::~MachineLock() {
  // An empty file shows readers that nobody holds the lock.
  if (file_) static_cast<void>(::ftruncate(file_.get(), 0) == 0);
}

// Without `refuse`, only warns of a lock that another process holds.
Status MachineLock::lock_namespaces(bool refuse) {
  int error = 0;
  for (const char* name : {"time", "user", "pid", "net", "ipc", "uts", "cgroup", "mnt"}) {
    Fd file(::open(fmt::format("/proc/self/ns/{}", name).c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) {
      error = errno;
      continue;
    }
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK)
        return fail_errno(fmt::format("cannot lock /proc/self/ns/{}", name));
      if (refuse) return taken(holder_of_namespace(file));
      write_message(
          fmt::format("gilscope: another user's gilscope{} is running an experiment on this "
                      "machine: the two disturb each other\n",
                      holder_of_namespace(file)));
      return {};
    }
    namespaces_.push_back(std::move(file));
  }
  if (namespaces_.empty()) return refused("cannot open /proc/self/ns", error);
  return {};
}

Status MachineLock::lock_file(const std::string& directory) {
  auto opened = open_state_directory(directory);
  if (!opened) return fail(opened.error());
  auto file = open_state_file(*opened, "lock", O_RDWR | O_CREAT, directory + "/lock");
  if (!file) return fail(file.error());
  if (::flock(file->get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return taken(holder(*file));
    return fail_errno("cannot lock " + directory + "/lock");
  }
  file_ = std::move(*file);
  // For display only, so a full file system does not matter.
  const std::string pid = fmt::format("{}\n", ::getpid());
  static_cast<void>(::ftruncate(file_.get(), 0) == 0 &&
                    ::pwrite(file_.get(), pid.data(), pid.size(), 0) >= 0);
  return {};
}

Result<MachineLock> MachineLock::take(const std::string& directory) {
  MachineLock lock;
  const bool of_the_machine = directory == kStateDirectory;  // else a test's
  const bool root = ::geteuid() == 0;
  if (root || !of_the_machine) {
    const Status locked = lock.lock_file(directory);
    // Runs without the file if it cannot be written: MachineChanges then refuses every change.
    const bool without = of_the_machine && !locked && locked.error().code == Exit::unable;
    if (!locked && !without) return fail(locked.error());
  }
  if (!of_the_machine) return lock;
  bool marked = false;
  if (root) {
    lock.marker_ = ExperimentMarker::set();
    if (lock.marker_->state() == ExperimentMarker::State::taken) return taken("");
    marked = lock.marker_->state() == ExperimentMarker::State::alone;
  }
  if (Status locked = lock.lock_namespaces(!marked); !locked) return fail(locked.error());
  return lock;
}

}  // namespace gilscope
