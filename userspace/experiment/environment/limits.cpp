// What this process may use: its cgroup's bandwidth, its CPUs, its memory.
#include <algorithm>

#include "userspace/experiment/cpu_list.h"
#include "userspace/experiment/environment/parts.h"

namespace gilscope {
namespace {

struct Mount {
  std::string point;
  std::string root;  // the directory of the hierarchy that is seen there
};

bool has_option(std::string_view options, std::string_view wanted) {
  while (!options.empty()) {
    const size_t end = std::min(options.find(','), options.size());
    if (options.substr(0, end) == wanted) return true;
    options.remove_prefix(std::min(end + 1, options.size()));
  }
  return false;
}

// Where the hierarchy is mounted. mountinfo: id parent device root point options [more]* - type
// source options.
std::optional<Mount> cgroup_mount(const Box& box, const std::string& controller) {
  const auto mounts = box.text("/proc/self/mountinfo");
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

// This process's place in the hierarchy. /proc/self/cgroup: id:controllers:path.
std::optional<std::string> cgroup_path(const Box& box, const std::string& controller) {
  const auto cgroups = box.text("/proc/self/cgroup");
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

// "max" or "quota period" in microseconds, of one directory.
Result<std::string> bandwidth(const Box& box, const std::string& directory, bool unified) {
  if (unified) return box.line(directory + "/cpu.max");
  const auto quota = box.number(directory + "/cpu.cfs_quota_us");
  if (!quota) return fail(quota.error());
  const auto period = box.number(directory + "/cpu.cfs_period_us");
  if (!period) return fail(period.error());
  return *quota < 0 ? "max" : fmt::format("{} {}", *quota, *period);
}

// In CPUs; empty where there is no limit.
std::optional<double> limit(const std::string& bandwidth) {
  const auto fields = words(bandwidth);
  if (fields.size() != 2) return {};
  const auto quota = to_number(fields[0]);
  const auto period = to_number(fields[1]);
  if (!quota || !period || *period <= 0) return {};
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

// The tightest on the way up binds. A root directory has no such file, and no limit.
Result<std::string> tightest_bandwidth(const Box& box) {
  std::string tightest = "max";
  bool mounted = false;
  for (const bool unified : {true, false}) {
    for (const std::string& directory : cgroup_directories(box, unified ? "" : "cpu")) {
      mounted = true;
      const auto text = bandwidth(box, directory, unified);
      const auto cpus = text ? limit(*text) : std::nullopt;
      if (cpus && (!limit(tightest) || *cpus < *limit(tightest))) tightest = *text;
    }
  }
  if (!mounted) return fail("no cgroup of this process is mounted");
  return tightest;
}

Result<std::vector<std::string>> cgroup_versions(const Box& box) {
  const auto cgroups = box.text("/proc/self/cgroup");
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

Result<std::string> pid_namespace(const Box& box) {
  // The first PID namespace's inode is fixed in the kernel (PROC_PID_INIT_INO).
  const auto link = box.link("/proc/self/ns/pid");
  if (!link) return link;
  return *link == "pid:[4026531836]" ? "initial" : "nested";
}

Result<std::vector<int>> affinity(const Box& box) {
  const auto status = box.text("/proc/self/status");
  if (!status) return fail(status.error());
  const auto list = value_of(*status, "Cpus_allowed_list");
  if (!list) return fail("/proc/self/status has no Cpus_allowed_list");
  return parse_cpu_list(*list);
}

// Bytes, or "unlimited".
void add_memlock(const Box& box, FactList& facts) {
  const auto limits = box.text("/proc/self/limits");
  if (!limits) return facts.add_null("limits.memlock_bytes", limits.error().message);
  constexpr std::string_view kName = "Max locked memory";
  for (const std::string& line : lines(*limits)) {
    if (!line.starts_with(kName)) continue;
    const auto fields = words(std::string_view(line).substr(kName.size()));
    if (fields.empty()) break;
    if (const auto bytes = to_number(fields[0])) return facts.add("limits.memlock_bytes", *bytes);
    return facts.add("limits.memlock_bytes", fields[0]);
  }
  facts.add_null("limits.memlock_bytes", "/proc/self/limits does not say");
}

}  // namespace

std::vector<std::string> cgroup_directories(const Box& box, const std::string& controller) {
  const auto mount = cgroup_mount(box, controller);
  auto path = cgroup_path(box, controller);
  if (!mount || !path) return {};
  // A container may see only a part of the hierarchy, mounted as if it were the whole.
  if (mount->root != "/" && path->starts_with(mount->root)) path->erase(0, mount->root.size());
  // "/../other": this process stands outside of what its cgroup namespace shows.
  if (path->starts_with("/..")) path->clear();

  std::vector<std::string> directories;
  while (!path->empty() && *path != "/") {
    directories.push_back(mount->point + *path);
    path->erase(path->rfind('/') == path->npos ? 0 : path->rfind('/'));
  }
  directories.push_back(mount->point);
  return directories;
}

void add_limit_facts(const Box& box, FactList& facts) {
  facts.add("cgroup.versions", cgroup_versions(box));
  facts.add("cgroup.cpu_max", tightest_bandwidth(box));
  facts.add("process.pid_namespace", pid_namespace(box));
  facts.add("process.cpu_affinity", affinity(box));
  add_memlock(box, facts);
}

}  // namespace gilscope
