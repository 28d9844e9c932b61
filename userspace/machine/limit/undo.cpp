#include "userspace/machine/limit/undo.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "userspace/base/fd.h"
#include "userspace/base/quote.h"
#include "userspace/machine/cpu_list.h"
#include "userspace/machine/limit/cpusets.h"
#include "userspace/machine/limit/masks.h"

namespace gilscope {
namespace {

// Writes the value unless the file already has it, and reads it back.
Status put_back(const Machine& machine, const std::string& path, const std::string& value) {
  if (machine.line(path).value_or("") == value) return {};
  if (Status written = write_value(machine, path, value); !written) return written;
  const auto now = machine.line(path);
  if (now && *now == value) return {};
  return fail(fmt::format("cannot restore {} to '{}': it is {}", printable(path), value,
                          now ? in_quotes(*now) : now.error().message));
}

Status undo_cpuset_cpus(const Machine& machine, const Change& change) {
  const auto hierarchy = find_cpusets(machine);
  if (!hierarchy || hierarchy->v2) {
    return fail(fmt::format(
        "cannot restore cpuset.cpus of {} to '{}': the cpuset hierarchy of cgroup v1 is no longer "
        "mounted",
        in_quotes(change.subject), change.found));
  }
  const std::string directory = hierarchy->mount + "/" + change.subject;
  if (!machine.exists(directory)) return {};
  return put_back(machine, directory + "/cpuset.cpus", change.found);
}

// Retries, because the worker in the cgroup dies with its parent, which takes the kernel a moment.
Status undo_cpuset_made(const Machine& machine, const Change& change) {
  constexpr int kPatience = 200;
  const auto hierarchy = find_cpusets(machine);
  if (!hierarchy || hierarchy->v2 != (change.subject == "v2"))
    return {};  // the hierarchy is gone, and its cgroups with it
  const std::string directory = hierarchy->mount + "/" + kOwnCgroup;
  for (int attempt = 0; attempt < kPatience; ++attempt) {
    if (::rmdir(machine.at(directory).c_str()) == 0 || errno == ENOENT) return {};
    if (errno != EBUSY) break;
    ::usleep(10'000);
  }
  return fail_errno(fmt::format("cannot remove {} (its cgroup.procs lists the processes in it)",
                                printable(directory)));
}

Status undo_controller(const Machine& machine) {
  const auto hierarchy = find_cpusets(machine);
  if (!hierarchy || !hierarchy->v2) return {};
  const std::string path = hierarchy->mount + "/cgroup.subtree_control";
  const auto enabled = [&] {
    const auto all = words(machine.line(path).value_or(""));
    return std::find(all.begin(), all.end(), "cpuset") != all.end();
  };
  if (!enabled()) return {};
  if (Status written = write_value(machine, path, "-cpuset"); !written) return written;
  if (!enabled()) return {};
  return fail(fmt::format("cannot remove cpuset from {}: it is still there", printable(path)));
}

// Offline CPUs make no difference to what a task may do.
std::vector<int> usable(const Machine& machine, const std::vector<int>& cpus) {
  const auto online = parse_cpu_list(machine.line("/sys/devices/system/cpu/online").value_or(""));
  if (!online || online->empty()) return cpus;
  std::vector<int> both;
  std::set_intersection(cpus.begin(), cpus.end(), online->begin(), online->end(),
                        std::back_inserter(both));
  return both;
}

Status undo_mask(const Machine& machine, const Change& change) {
  const TaskId id = task_of(change);
  const auto there = [&] {
    auto mask = read_mask(machine, id.task);
    return mask && mask->started == id.started ? mask : std::nullopt;
  };
  const auto found = parse_cpu_list(change.found);
  if (!found) return fail(found.error());
  const std::vector<int> wanted = usable(machine, *found);
  auto mask = there();
  if (!mask || usable(machine, mask->cpus) == wanted) return {};
  const Status set = set_mask(id.task, *found);
  mask = there();
  if (!mask || usable(machine, mask->cpus) == wanted) return {};
  return fail(fmt::format("cannot restore Cpus_allowed_list of /proc/{}/status to '{}': {}",
                          id.task, change.found,
                          set ? "it is " + format_cpu_list(mask->cpus) : set.error().message));
}

}  // namespace

Status write_value(const Machine& machine, const std::string& path, const std::string& value) {
  const auto failed = [&](int error) {
    return fail_errno(fmt::format("cannot write '{}' to {}", value, printable(path)), error);
  };
  const Fd file(::open(machine.at(path).c_str(), O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return failed(errno);
  const ssize_t written = ::write(file.get(), value.data(), value.size());
  if (written != static_cast<ssize_t>(value.size())) return failed(written < 0 ? errno : EIO);
  return {};
}

Status undo(const Machine& machine, const Change& change) {
  switch (change.kind) {
    case Change::Kind::online:
      return put_back(machine, fmt::format("/sys/devices/system/cpu/cpu{}/online", change.subject),
                      change.found);
    case Change::Kind::cpuset_cpus:
      return undo_cpuset_cpus(machine, change);
    case Change::Kind::cpuset_made:
      return undo_cpuset_made(machine, change);
    case Change::Kind::controller:
      return undo_controller(machine);
    case Change::Kind::mask:
      return undo_mask(machine, change);
  }
  return {};
}

}  // namespace gilscope
