// This process's cgroup versions, PID namespace, limits and settings, from /proc/self.
#include "userspace/machine/cpu_list.h"
#include "userspace/machine/facts/parts.h"

namespace gilscope {
namespace {

Result<std::vector<std::string>> cgroup_versions(const Machine& machine) {
  const auto cgroups = machine.text("/proc/self/cgroup");
  if (!cgroups) return fail(cgroups.error());
  bool v1 = false, v2 = false;
  for (const std::string& line : lines(*cgroups)) {
    (line.starts_with("0::") ? v2 : v1) = true;
  }
  std::vector<std::string> versions;
  if (v1) versions.emplace_back("v1");
  if (v2) versions.emplace_back("v2");
  return versions;
}

Result<std::string> pid_namespace(const Machine& machine) {
  // The kernel fixes the initial PID namespace's inode number (PROC_PID_INIT_INO).
  const auto link = machine.link("/proc/self/ns/pid");
  if (!link) return link;
  return *link == "pid:[4026531836]" ? "initial" : "nested";
}

// The soft limits that can end a run or change what it costs. Left out are the limits of CPU
// dumps, locks, signals and message queues, that of the resident set, which the kernel ignores, and
// those on raising priorities, which do not matter until one is raised.
struct Limit {
  const char* key;
  std::string_view name;  // in /proc/self/limits
};
constexpr Limit kLimits[] = {
    {"limits.memlock_bytes", "Max locked memory"},
    {"limits.address_space_bytes", "Max address space"},
    {"limits.data_bytes", "Max data size"},
    {"limits.stack_bytes", "Max stack size"},
    {"limits.file_size_bytes", "Max file size"},
    {"limits.cpu_seconds", "Max cpu time"},
    {"limits.realtime_us", "Max realtime timeout"},
    {"limits.processes", "Max processes"},
    {"limits.open_files", "Max open files"},
};

// A number, or "unlimited".
void add_limit(const Result<std::string>& limits, const Limit& limit, FactList& facts) {
  if (!limits) return facts.add_null(limit.key, limits.error().message);
  for (const std::string& line : lines(*limits)) {
    if (!line.starts_with(limit.name)) continue;
    const auto fields = words(std::string_view(line).substr(limit.name.size()));
    if (fields.empty()) break;
    if (const auto number = to_number(fields[0])) return facts.add(limit.key, *number);
    return facts.add(limit.key, fields[0]);
  }
  facts.add_null(limit.key, fmt::format("/proc/self/limits has no {}", limit.name));
}

// The line is "/autogroup-7 nice 0". It applies only while kernel.sched_autogroup is 1.
Result<int64_t> autogroup_nice(const Machine& machine) {
  constexpr const char* kPath = "/proc/self/autogroup";
  const auto text = machine.line(kPath);
  if (!text) return fail(text.error());
  const auto fields = words(*text);
  const auto nice = fields.size() == 3 ? to_number(fields[2]) : std::nullopt;
  if (!nice) return fail(fmt::format("{} cannot be parsed", kPath));
  return *nice;
}

Result<std::string> status_value(const Machine& machine, const char* key) {
  const auto status = machine.text("/proc/self/status");
  if (!status) return status;
  auto value = value_of(*status, key);
  if (!value) return fail(fmt::format("/proc/self/status has no {}", key));
  return std::move(*value);
}

Result<int64_t> status_number(const Machine& machine, const char* key) {
  const auto value = status_value(machine, key);
  if (!value) return fail(value.error());
  const auto number = to_number(*value);
  if (!number) return fail(fmt::format("/proc/self/status: {} is not a number", key));
  return *number;
}

Result<std::vector<int>> memory_nodes(const Machine& machine) {
  const auto list = status_value(machine, "Mems_allowed_list");
  if (!list) return fail(list.error());
  return parse_cpu_list(*list);
}

// A utilization clamp, on a scale of 1024. Kernels without clamping have no such line.
Result<int64_t> clamp(const Machine& machine, const char* key) {
  const auto sched = machine.text("/proc/self/sched");
  if (!sched) return fail(sched.error());
  const auto number = to_number(value_of(*sched, key).value_or(""));
  if (!number) return fail(fmt::format("/proc/self/sched has no {}", key));
  return *number;
}

}  // namespace

void add_process_facts(const Machine& machine, FactList& facts) {
  facts.add("cgroup.versions", cgroup_versions(machine));
  facts.add("process.pid_namespace", pid_namespace(machine));
  const auto limits = machine.text("/proc/self/limits");
  for (const Limit& limit : kLimits) add_limit(limits, limit, facts);
}

void add_process_settings(const Machine& machine, FactList& facts) {
  facts.add("process.autogroup_nice", autogroup_nice(machine));
  facts.add("process.uclamp_min", clamp(machine, "uclamp.min"));
  facts.add("process.uclamp_max", clamp(machine, "uclamp.max"));
  facts.add("process.oom_score_adj", machine.number("/proc/self/oom_score_adj"));
  facts.add("process.memory_nodes", memory_nodes(machine));
  // Each filter runs at every system call; the two mitigations slow the process itself down.
  facts.add("process.seccomp_filters", status_number(machine, "Seccomp_filters"));
  facts.add("process.speculative_store_bypass", status_value(machine, "Speculation_Store_Bypass"));
  facts.add("process.indirect_branch_speculation",
            status_value(machine, "SpeculationIndirectBranch"));
}

}  // namespace gilscope
