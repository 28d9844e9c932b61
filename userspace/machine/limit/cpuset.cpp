// Limits CPUs by cpuset: a cgroup of gilscope's own with the run's CPUs, and the worker in it.
//
// In cgroup v2 it is a root partition: the CPUs belong to it alone and form a scheduling domain of
// their own; other tasks leave them. (Never an isolated partition: that has no load balancing,
// which is the behaviour under test.) A set of all CPUs is an ordinary cpuset, since a partition
// would leave no CPU for the rest, and its domain would be the whole machine's anyway.
//
// In cgroup v1 the worker is confined, but others may use the CPUs too, and the domains are the
// machine's. cpu_exclusive would change neither: it keeps other cpusets from naming the CPUs, not
// tasks from running there. A domain of its own would require clearing sched_load_balance in the
// root of the hierarchy, which affects everybody. Both are left alone.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "userspace/base/quote.h"
#include "userspace/machine/cpu_list.h"
#include "userspace/machine/limit/cpu_limiter.h"
#include "userspace/machine/limit/cpusets.h"
#include "userspace/machine/limit/machine_changes.h"
#include "userspace/machine/limit/masks.h"
#include "userspace/machine/limit/undo.h"

namespace gilscope {
namespace {

class CpusetLimiter : public CpuLimiter {
 public:
  CpusetLimiter(Machine machine, std::string state)
      : machine_(std::move(machine)),
        state_(std::move(state)),
        hierarchy_(find_cpusets(machine_)) {}

  Status check(const std::vector<CpuSet>& sets) const override;
  Status apply(const CpuSet& cpus) override;
  Status enter(const CpuSet&) const override {
    return write_value(machine_, own("cgroup.procs"), "0");  // 0: the writer itself
  }
  Status restore() override;
  std::string how() const override;

 private:
  std::string own(const std::string& file) const {
    return fmt::format("{}/{}/{}", hierarchy_->mount, kOwnCgroup, file);
  }
  std::string of_root(const std::string& file) const { return hierarchy_->mount + "/" + file; }
  Result<CpuSet> read_cpus(const std::string& path) const;
  Status check_housekeeping(const CpuSet& all, const CpuSet& cpus) const;
  Status make();
  Status enable_controller();
  Status set_v1(const CpuSet& cpus);
  Status set_v2(const CpuSet& cpus);
  Status confirm(const CpuSet& cpus) const;

  Machine machine_;
  std::string state_;
  std::optional<CpusetHierarchy> hierarchy_;
  CpuSet all_;      // the CPUs of the hierarchy's root before the partition was made
  CpuSet applied_;  // empty: none is applied
  std::optional<MachineChanges> changes_;
};

Result<CpuSet> CpusetLimiter::read_cpus(const std::string& path) const {
  const auto line = machine_.line(path);
  if (!line) return fail(fmt::format("{}: {}", path, line.error().message));
  return parse_cpu_list(*line);
}

Status CpusetLimiter::check(const std::vector<CpuSet>& sets) const {
  if (!hierarchy_) {
    return fail(
        Exit::unable,
        "no cgroup hierarchy of this machine has the cpuset controller: mount one (mount -t "
        "cgroup2 none /sys/fs/cgroup, on a kernel with CONFIG_CPUSETS), or use --cpus-by "
        "affinity");
  }
  struct stat status {};
  const std::string directory = of_root(kOwnCgroup);
  if (::lstat(machine_.at(directory).c_str(), &status) == 0) {
    return fail(Exit::unable, fmt::format("{} exists already and is not this run's: see who is "
                                          "in its cgroup.procs, then rmdir it",
                                          directory));
  }
  if (::access(machine_.at(hierarchy_->mount).c_str(), W_OK) != 0) {
    return fail(Exit::unable,
                fmt::format("cannot write to {}: {}: run gilscope as root, with cgroups mounted "
                            "read-write, or use --cpus-by affinity",
                            hierarchy_->mount, std::strerror(errno)));
  }
  const auto all = read_cpus(of_root(hierarchy_->effective_file()));
  if (!all) return fail(Exit::unable, all.error().message);
  for (const CpuSet& cpus : sets) {
    if (std::includes(all->begin(), all->end(), cpus.begin(), cpus.end())) continue;
    return fail(Exit::unable,
                fmt::format("CPUs {} were requested, but {} has {}: choose among these, or use "
                            "--cpus-by affinity",
                            format_cpu_list(cpus), of_root(hierarchy_->effective_file()),
                            format_cpu_list(*all)));
  }
  for (const CpuSet& cpus : sets) {
    if (Status able = check_housekeeping(*all, cpus); !able) return able;
  }
  return {};
}

// Refuses a root partition that takes every CPU that isolcpus= leaves. The kernel would have no CPU
// left to build the remaining domain from, and crashes (seen on 6.18 and 7.3).
Status CpusetLimiter::check_housekeeping(const CpuSet& all, const CpuSet& cpus) const {
  constexpr const char* kIsolated = "/sys/devices/system/cpu/isolated";
  if (!hierarchy_->v2 || cpus == all) return {};  // no partition is made
  const auto isolated = parse_cpu_list(machine_.line(kIsolated).value_or(""));
  if (!isolated || isolated->empty()) return {};
  CpuSet housekeeping, left;
  std::set_difference(all.begin(), all.end(), isolated->begin(), isolated->end(),
                      std::back_inserter(housekeeping));
  std::set_difference(housekeeping.begin(), housekeeping.end(), cpus.begin(), cpus.end(),
                      std::back_inserter(left));
  if (!left.empty()) return {};
  return fail(
      Exit::unable,
      fmt::format("CPUs {} are all that {} ({}) leaves to the rest of this machine, and kernels "
                  "crash when a cpuset takes the last of them: leave one out, boot without "
                  "isolcpus=, or use --cpus-by affinity",
                  format_cpu_list(cpus), kIsolated, format_cpu_list(*isolated)));
}

// Records the masks that users have chosen. Kernels before 6.2 give every task a new mask when the
// controller is enabled, and when a partition takes CPUs from the rest (da019032819a).
Status CpusetLimiter::enable_controller() {
  for (const TaskMask& mask : restricted_masks(machine_, all_, all_)) {
    if (Status s = changes_->record(mask_change(mask.task, mask.started, mask.cpus)); !s) return s;
  }
  const std::string control = of_root("cgroup.subtree_control");
  const auto enabled = words(machine_.line(control).value_or(""));
  if (std::find(enabled.begin(), enabled.end(), "cpuset") != enabled.end()) return {};
  if (Status s = changes_->record(controller_change()); !s) return s;
  return write_value(machine_, control, "+cpuset");
}

Status CpusetLimiter::make() {
  if (Status able = check({}); !able) return able;
  const auto all = read_cpus(of_root(hierarchy_->effective_file()));
  if (!all) return fail(all.error());
  all_ = *all;
  auto changes = MachineChanges::begin(state_, machine_);
  if (!changes) return fail(changes.error());
  changes_.emplace(std::move(*changes));
  if (hierarchy_->v2) {
    if (Status s = enable_controller(); !s) return s;
  }
  if (Status s = changes_->record(cpuset_made_change(hierarchy_->v2)); !s) return s;
  const std::string directory = of_root(kOwnCgroup);
  if (::mkdir(machine_.at(directory).c_str(), 0755) != 0) {
    return fail_errno("cannot create the cgroup " + directory);
  }
  return {};
}

Status CpusetLimiter::set_v1(const CpuSet& cpus) {
  // A cpuset without memory nodes accepts no tasks.
  const auto nodes = machine_.line(of_root("cpuset.mems"));
  if (!nodes) return fail(fmt::format("{}: {}", of_root("cpuset.mems"), nodes.error().message));
  if (Status s = write_value(machine_, own("cpuset.mems"), *nodes); !s) return s;
  return write_value(machine_, own("cpuset.cpus"), format_cpu_list(cpus));
}

Status CpusetLimiter::set_v2(const CpuSet& cpus) {
  // Makes it an ordinary cpuset first: a partition may refuse to exchange CPUs in one step.
  if (Status s = write_value(machine_, own("cpuset.cpus.partition"), "member"); !s) return s;
  if (Status s = write_value(machine_, own("cpuset.cpus"), format_cpu_list(cpus)); !s) return s;
  if (cpus == all_) return {};
  const Status written = write_value(machine_, own("cpuset.cpus.partition"), "root");
  if (written) return {};
  return fail(Exit::unable, written.error().message + "; use --cpus-by affinity, or hotplug");
}

// Reads back what was written, because a successful write is not enough: an invalid partition says
// so only in its file, and the service manager may have taken the controller away since.
Status CpusetLimiter::confirm(const CpuSet& cpus) const {
  if (hierarchy_->v2) {
    const std::string file = own("cpuset.cpus.partition");
    const std::string problem = partition_problem(cpus == all_ ? "member" : "root",
                                                  machine_.line(file).value_or("nothing"));
    if (!problem.empty()) {
      return fail(Exit::unable,
                  fmt::format("{} did not become a partition of CPUs {}: {}; use --cpus-by "
                              "affinity, or hotplug",
                              file, format_cpu_list(cpus), problem));
    }
  }
  const auto effective = read_cpus(own(hierarchy_->effective_file()));
  if (!effective) return fail(effective.error());
  if (*effective == cpus) return {};
  return fail(Exit::unable,
              fmt::format("{} has {} instead of {}: use --cpus-by affinity, or hotplug",
                          own(hierarchy_->effective_file()), format_cpu_list(*effective),
                          format_cpu_list(cpus)));
}

Status CpusetLimiter::apply(const CpuSet& cpus) {
  if (!changes_) {
    if (Status s = make(); !s) return s;
  }
  if (cpus != applied_) {
    applied_.clear();
    if (Status s = hierarchy_->v2 ? set_v2(cpus) : set_v1(cpus); !s) return s;
    applied_ = cpus;
  }
  return confirm(cpus);
}

Status CpusetLimiter::restore() {
  applied_.clear();
  if (!changes_) return {};
  Status undone = changes_->undo_all();
  if (undone) changes_.reset();
  return undone;
}

std::string CpusetLimiter::how() const {
  if (!hierarchy_) return "";
  return hierarchy_->v2 ? "a root partition of cgroup v2; all CPUs: an ordinary cpuset"
                        : "a cgroup v1 cpuset, others not kept out, in the machine's domains";
}

}  // namespace

std::unique_ptr<CpuLimiter> make_cpuset_limiter(Machine machine,
                                                const std::string& state_directory) {
  return std::make_unique<CpusetLimiter>(std::move(machine), state_directory);
}

}  // namespace gilscope
