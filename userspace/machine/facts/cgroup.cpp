// The limits that this process's cgroups put on it, and how often they throttled it.
#include <algorithm>

#include "userspace/machine/cpu_list.h"
#include "userspace/machine/facts/parts.h"

namespace gilscope {
namespace {

struct Mount {
  std::string point;
  std::string root;  // the directory of the hierarchy that is mounted there
};

bool has_option(std::string_view options, std::string_view wanted) {
  while (!options.empty()) {
    const size_t end = std::min(options.find(','), options.size());
    if (options.substr(0, end) == wanted) return true;
    options.remove_prefix(std::min(end + 1, options.size()));
  }
  return false;
}

// Where the hierarchy is mounted. A line of mountinfo is: id parent device root point options
// [more]* - type source options.
std::optional<Mount> cgroup_mount(const Machine& machine, const std::string& controller) {
  const auto mounts = machine.text("/proc/self/mountinfo");
  for (const std::string& line : lines(mounts.value_or(""))) {
    const auto fields = words(line);
    const auto dash = std::find(fields.begin(), fields.end(), "-");
    if (fields.size() < 5 || fields.end() - dash < 4) continue;
    const std::string& type = dash[1];
    const bool found = controller.empty() ? type == "cgroup2"
                                          : type == "cgroup" && has_option(dash[3], controller);
    if (found) return Mount{fields[4], fields[3]};
  }
  return {};
}

// This process's path in the hierarchy. A line of /proc/self/cgroup is id:controllers:path.
std::optional<std::string> cgroup_path(const Machine& machine, const std::string& controller) {
  const auto cgroups = machine.text("/proc/self/cgroup");
  for (const std::string& line : lines(cgroups.value_or(""))) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (controller.empty() ? controllers.empty() : has_option(controllers, controller)) {
      return line.substr(second + 1);
    }
  }
  return {};
}

// One directory's bandwidth: "max", or "quota period" in microseconds.
Result<std::string> bandwidth(const Machine& machine, const std::string& directory, bool unified) {
  if (unified) return machine.line(directory + "/cpu.max");
  const auto quota = machine.number(directory + "/cpu.cfs_quota_us");
  if (!quota) return fail(quota.error());
  const auto period = machine.number(directory + "/cpu.cfs_period_us");
  if (!period) return fail(period.error());
  return *quota < 0 ? "max" : fmt::format("{} {}", *quota, *period);
}

// The limit in CPUs; empty if there is none.
std::optional<double> limit(const std::string& bandwidth) {
  const auto fields = words(bandwidth);
  if (fields.size() != 2) return {};
  const auto quota = to_number(fields[0]);
  const auto period = to_number(fields[1]);
  if (!quota || !period || *period <= 0) return {};
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

// The tightest limit on the way up to the root applies. A root directory has neither such a file
// nor a limit.
Result<std::string> tightest_bandwidth(const Machine& machine) {
  std::string tightest = "max";
  bool mounted = false;
  for (const bool unified : {true, false}) {
    for (const std::string& directory : cgroup_directories(machine, unified ? "" : "cpu")) {
      mounted = true;
      const auto text = bandwidth(machine, directory, unified);
      const auto cpus = text ? limit(*text) : std::nullopt;
      if (cpus && (!limit(tightest) || *cpus < *limit(tightest))) tightest = *text;
    }
  }
  if (!mounted) return fail("no cgroup of this process is mounted");
  return tightest;
}

// The line from the nearest directory on the way up that has one of the files: a cgroup whose
// controller is off inherits its parent's setting.
Result<std::string> nearest_line(const Machine& machine, const char* controller,
                                 const char* unified, const char* older) {
  for (const bool v2 : {true, false}) {
    for (const std::string& directory : cgroup_directories(machine, v2 ? "" : controller)) {
      auto text = machine.line(directory + "/" + (v2 ? unified : older));
      if (text && !text->empty()) return text;
    }
  }
  return fail(fmt::format("no cgroup of this process has a {} or {}", unified, older));
}

// The line of a file of this process's own cgroup.
Result<std::string> own_line(const Machine& machine, const char* controller, const char* name) {
  const auto directories = cgroup_directories(machine, controller);
  if (directories.empty()) {
    return fail(fmt::format("no cgroup of version {} with CPU limits is mounted",
                            *controller == '\0' ? 2 : 1));
  }
  return machine.line(directories.front() + "/" + name);
}

Result<int64_t> to_whole(const Result<std::string>& text) {
  if (!text) return fail(text.error());
  const auto number = to_number(*text);
  if (!number) return fail("not a number: " + *text);
  return *number;
}

Result<std::vector<int>> to_cpus(const Result<std::string>& text) {
  if (!text) return fail(text.error());
  return parse_cpu_list(*text);
}

Result<std::vector<int>> affinity(const Machine& machine) {
  const auto status = machine.text("/proc/self/status");
  if (!status) return fail(status.error());
  const auto list = value_of(*status, "Cpus_allowed_list");
  if (!list) return fail("/proc/self/status has no Cpus_allowed_list");
  return parse_cpu_list(*list);
}

// The numbers of the cgroups above this process's own, nearest first: each competes with its
// siblings.
Result<std::vector<int64_t>> numbers_above(const Machine& machine, const char* controller,
                                           const char* name) {
  const auto own = own_line(machine, controller, name);
  if (!own) return fail(own.error());
  std::vector<int64_t> numbers;
  const auto directories = cgroup_directories(machine, controller);
  for (size_t i = 1; i < directories.size(); ++i) {
    if (const auto number = machine.number(directories[i] + "/" + name)) numbers.push_back(*number);
  }
  return numbers;
}

// The two versions use different scales.
void add_weight(const Machine& machine, FactList& facts) {
  facts.add("cgroup.cpu_weight", to_whole(own_line(machine, "", "cpu.weight")));
  facts.add("cgroup.cpu_weights_above", numbers_above(machine, "", "cpu.weight"));
  facts.add("cgroup.cpu_shares", to_whole(own_line(machine, "cpu", "cpu.shares")));
  facts.add("cgroup.cpu_shares_above", numbers_above(machine, "cpu", "cpu.shares"));
}

// Whether this process's cgroup, or one above it, runs only on otherwise idle CPUs. Kernels before
// 5.15 have no such file.
Result<bool> cpu_idle(const Machine& machine) {
  bool told = false;
  for (const char* controller : {"", "cpu"}) {
    for (const std::string& directory : cgroup_directories(machine, controller)) {
      const auto idle = machine.number(directory + "/cpu.idle");
      if (!idle) continue;
      told = true;
      if (*idle != 0) return true;
    }
  }
  if (!told) return fail("no cgroup of this process has a cpu.idle");
  return false;
}

// The tightest limit on the way up in bytes, or "max". For no limit, version 1 writes a number
// larger than any memory.
Result<std::string> tightest_memory(const Machine& machine, const char* unified,
                                    const char* older) {
  constexpr int64_t kNone = int64_t{1} << 62;
  int64_t tightest = kNone;
  bool told = false;
  for (const bool v2 : {true, false}) {
    if ((v2 ? unified : older) == nullptr) continue;
    for (const std::string& directory : cgroup_directories(machine, v2 ? "" : "memory")) {
      const auto text = machine.line(directory + "/" + (v2 ? unified : older));
      if (!text) continue;
      told = true;
      if (const auto bytes = to_number(*text)) tightest = std::min(tightest, *bytes);
    }
  }
  if (!told) return fail(fmt::format("no cgroup of this process has a {}", unified));
  return tightest == kNone ? "max" : std::to_string(tightest);
}

}  // namespace

std::vector<std::string> cgroup_directories(const Machine& machine, const std::string& controller) {
  const auto mount = cgroup_mount(machine, controller);
  auto path = cgroup_path(machine, controller);
  if (!mount || !path) return {};
  // A container may see a part of the hierarchy mounted as if it were the whole.
  if (mount->root != "/" && path->starts_with(mount->root)) path->erase(0, mount->root.size());
  // "/../other": this process is outside of its cgroup namespace's root.
  if (path->starts_with("/..")) path->clear();

  std::vector<std::string> directories;
  while (!path->empty() && *path != "/") {
    directories.push_back(mount->point + *path);
    path->erase(path->rfind('/') == path->npos ? 0 : path->rfind('/'));
  }
  directories.push_back(mount->point);
  return directories;
}

Result<Throttling> throttling(const Machine& machine) {
  Throttling sum;
  bool told = false;
  // Each cgroup counts only throttling by its own limit, so sum up this process's and all above it.
  for (const char* controller : {"", "cpu"}) {
    for (const std::string& directory : cgroup_directories(machine, controller)) {
      const auto stat = machine.text(directory + "/cpu.stat");
      if (!stat) continue;
      const auto periods = to_number(value_of(*stat, "nr_throttled", ' ').value_or(""));
      if (!periods) continue;  // no limit can be set here
      told = true;
      const auto microseconds = to_number(value_of(*stat, "throttled_usec", ' ').value_or(""));
      const auto ns = to_number(value_of(*stat, "throttled_time", ' ').value_or(""));
      int64_t stopped_ns = ns.value_or(0);
      const bool overflow =
          (microseconds && __builtin_mul_overflow(*microseconds, int64_t{1000}, &stopped_ns)) ||
          __builtin_add_overflow(sum.periods, *periods, &sum.periods) ||
          __builtin_add_overflow(sum.ns, stopped_ns, &sum.ns);
      if (overflow) return fail(directory + "/cpu.stat has numbers out of range");
    }
  }
  if (!told) return fail("no cpu.stat of this process's cgroups has nr_throttled");
  return sum;
}

void add_cgroup_facts(const Machine& machine, FactList& facts) {
  facts.add("cgroup.cpu_max", tightest_bandwidth(machine));
  add_weight(machine, facts);
  facts.add("cgroup.cpu_idle", cpu_idle(machine));
  // Above memory.high the kernel slows a process down; above memory.max it kills it.
  facts.add("cgroup.memory_high", tightest_memory(machine, "memory.high", nullptr));
  facts.add("cgroup.memory_max", tightest_memory(machine, "memory.max", "memory.limit_in_bytes"));
  facts.add("cgroup.cpuset", to_cpus(nearest_line(machine, "cpuset", "cpuset.cpus.effective",
                                                  "cpuset.effective_cpus")));
  const auto stopped = throttling(machine);
  if (stopped) {
    facts.add("cgroup.throttled_periods", stopped->periods);
    facts.add("cgroup.throttled_ns", stopped->ns);
  } else {
    facts.add_null("cgroup.throttled_periods", stopped.error().message);
    facts.add_null("cgroup.throttled_ns", stopped.error().message);
  }
  facts.add("process.cpu_affinity", affinity(machine));
}

}  // namespace gilscope
