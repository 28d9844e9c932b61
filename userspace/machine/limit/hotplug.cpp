// Limits CPUs by hotplug: takes the other CPUs offline, so that the kernel itself sees a smaller
// machine, with the domains and slices of one.
//
// The kernel does not bring everything back with a CPU, so this records it first and restores it
// afterwards: a cgroup v1 cpuset loses the CPU from cpuset.cpus for good (cpuset.rst of the
// kernel's cgroup-v1 documentation), and a task that loses its last CPU gets a mask of all.
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

constexpr const char* kCpus = "/sys/devices/system/cpu";

CpuSet without(const CpuSet& all, const CpuSet& some) {
  CpuSet rest;
  std::set_difference(all.begin(), all.end(), some.begin(), some.end(), std::back_inserter(rest));
  return rest;
}

std::string online_file(int cpu) {
  return fmt::format("{}/cpu{}/online", kCpus, cpu);
}

class HotplugLimiter : public CpuLimiter {
 public:
  HotplugLimiter(Machine machine, std::string state)
      : machine_(std::move(machine)), state_(std::move(state)) {}

  Status check(const std::vector<CpuSet>& sets) const override {
    for (const CpuSet& cpus : sets) {
      if (Status able = check_set(cpus); !able) return able;
    }
    return {};
  }
  Status apply(const CpuSet& cpus) override;
  // The worker keeps its mask: nobody can use offline CPUs.
  Status enter(const CpuSet&) const override { return {}; }
  Status restore() override;
  std::string how() const override { return "the other CPUs are offline"; }

 private:
  Result<CpuSet> online() const;
  Status check_set(const CpuSet& cpus) const;
  Status check_cpusets(const CpuSet& going) const;
  Status record_what_is_lost(const CpuSet& online, const CpuSet& going);
  Status take_offline(int cpu);

  Machine machine_;
  std::string state_;
  CpuSet applied_;  // empty: the machine is as it was found
  std::optional<MachineChanges> changes_;
};

Result<CpuSet> HotplugLimiter::online() const {
  const auto line = machine_.line(fmt::format("{}/online", kCpus));
  if (!line) return fail(fmt::format("{}/online: {}", kCpus, line.error().message));
  return parse_cpu_list(*line);
}

Status HotplugLimiter::check_set(const CpuSet& cpus) const {
  const auto all = online();
  if (!all) return fail(Exit::unable, all.error().message);
  const CpuSet going = without(*all, cpus);
  for (const int cpu : going) {
    const std::string file = online_file(cpu);
    if (!machine_.exists(file)) {
      return fail(Exit::unable,
                  fmt::format("CPU {0} cannot go offline, as {1} does not exist: choose CPUs that "
                              "include it (--cpus cpu:{0}), or --cpus-by cpuset or affinity",
                              cpu, file));
    }
    if (::access(machine_.at(file).c_str(), W_OK) != 0) {
      return fail(Exit::unable,
                  fmt::format("cannot write to {}: {}: run gilscope as root, with /sys mounted "
                              "read-write, or use --cpus-by affinity",
                              file, std::strerror(errno)));
    }
  }
  return check_cpusets(going);
}

// Refuses to empty a cpuset that has tasks: the kernel would move them to its parent, and nothing
// would bring them back.
Status HotplugLimiter::check_cpusets(const CpuSet& going) const {
  const auto hierarchy = find_cpusets(machine_);
  if (!hierarchy || hierarchy->v2) return {};
  for (const Cpuset& cpuset : list_cpusets(machine_, *hierarchy)) {
    if (!cpuset.has_tasks || !without(cpuset.cpus, going).empty()) continue;
    return fail(
        Exit::unable,
        fmt::format("{}/{} has tasks and only the CPUs {}: if these went offline, the kernel "
                    "would move its tasks out; give it other CPUs first, or use --cpus-by "
                    "cpuset or affinity",
                    hierarchy->mount, printable(cpuset.cgroup), format_cpu_list(cpuset.cpus)));
  }
  return {};
}

Status HotplugLimiter::record_what_is_lost(const CpuSet& online, const CpuSet& going) {
  for (const TaskMask& mask : restricted_masks(machine_, online, going)) {
    if (Status s = changes_->record(mask_change(mask.task, mask.started, mask.cpus)); !s) return s;
  }
  const auto hierarchy = find_cpusets(machine_);
  if (!hierarchy || hierarchy->v2) return {};  // v2 keeps cpuset.cpus as written
  for (const Cpuset& cpuset : list_cpusets(machine_, *hierarchy)) {
    const CpuSet left = without(cpuset.cpus, going);
    if (left.size() == cpuset.cpus.size()) continue;
    if (Status s = changes_->record(cpuset_cpus_change(cpuset.cgroup, cpuset.cpus, left)); !s) {
      return s;
    }
  }
  return {};
}

Status HotplugLimiter::take_offline(int cpu) {
  if (Status s = changes_->record(online_change(cpu, true, false)); !s) return s;
  const std::string file = online_file(cpu);
  const Status written = write_value(machine_, file, "0");
  if (written && machine_.line(file).value_or("") == "0") return {};
  return fail(Exit::unable,
              fmt::format("CPU {} did not go offline: {}: use --cpus-by cpuset or affinity", cpu,
                          written ? file + " is still 1" : written.error().message));
}

Status HotplugLimiter::apply(const CpuSet& cpus) {
  if (cpus == applied_) return {};
  // Starts from the machine as it was found, because that is what the journal must record.
  if (Status s = restore(); !s) return s;
  if (Status able = check_set(cpus); !able) return able;
  const auto all = online();
  if (!all) return fail(all.error());
  const CpuSet going = without(*all, cpus);
  if (!going.empty()) {
    auto changes = MachineChanges::begin(state_, machine_);
    if (!changes) return fail(changes.error());
    changes_.emplace(std::move(*changes));
    if (Status s = record_what_is_lost(*all, going); !s) return s;
    for (const int cpu : going) {
      if (Status s = take_offline(cpu); !s) return s;
    }
  }
  applied_ = cpus;
  return {};
}

Status HotplugLimiter::restore() {
  applied_.clear();
  if (!changes_) return {};
  Status undone = changes_->undo_all();
  if (undone) changes_.reset();
  return undone;
}

}  // namespace

std::unique_ptr<CpuLimiter> make_hotplug_limiter(Machine machine,
                                                 const std::string& state_directory) {
  return std::make_unique<HotplugLimiter>(std::move(machine), state_directory);
}

}  // namespace gilscope
