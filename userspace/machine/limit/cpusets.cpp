#include "userspace/machine/limit/cpusets.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "userspace/base/quote.h"
#include "userspace/machine/cpu_list.h"

namespace gilscope {
namespace {

// mountinfo writes white space and backslashes as \040 and the like (man 5 proc).
std::string unescaped(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      out +=
          static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + text[i + 3] - '0');
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

bool has_word(const std::string& text, const std::string& word) {
  const auto all = words(text);
  return std::find(all.begin(), all.end(), word) != all.end();
}

void list_below(const Machine& machine, const CpusetHierarchy& hierarchy, const std::string& cgroup,
                int depth, std::vector<Cpuset>& out) {
  constexpr int kDeepest = 64;
  const std::string directory = hierarchy.mount + (cgroup.empty() ? "" : "/" + cgroup);
  const auto names = machine.names(directory);
  for (const std::string& name : names.value_or(std::vector<std::string>())) {
    struct stat status {};
    const std::string child = directory + "/" + name;
    if (depth == kDeepest || ::lstat(machine.at(child).c_str(), &status) != 0) continue;
    if (!S_ISDIR(status.st_mode)) continue;
    list_below(machine, hierarchy, cgroup.empty() ? name : cgroup + "/" + name, depth + 1, out);
  }
  if (cgroup.empty()) return;
  const auto cpus = parse_cpu_list(machine.line(directory + "/cpuset.cpus").value_or(""));
  if (!cpus || cpus->empty()) return;
  out.push_back({cgroup, *cpus, !machine.line(directory + "/tasks").value_or("").empty()});
}

}  // namespace

std::optional<CpusetHierarchy> find_cpusets(const Machine& machine) {
  const auto mounts = machine.text("/proc/self/mountinfo");
  for (const std::string& line : lines(mounts.value_or(""))) {
    const auto fields = words(line);
    const auto dash = std::find(fields.begin(), fields.end(), "-");
    if (fields.size() < 5 || fields.end() - dash < 4) continue;
    const std::string point = unescaped(fields[4]);
    if (dash[1] == "cgroup" && ("," + dash[3] + ",").find(",cpuset,") != std::string::npos) {
      return CpusetHierarchy{false, point};
    }
    if (dash[1] == "cgroup2" &&
        has_word(machine.line(point + "/cgroup.controllers").value_or(""), "cpuset")) {
      return CpusetHierarchy{true, point};
    }
  }
  return {};
}

std::vector<Cpuset> list_cpusets(const Machine& machine, const CpusetHierarchy& hierarchy) {
  std::vector<Cpuset> out;
  list_below(machine, hierarchy, "", 0, out);
  return out;
}

std::string partition_problem(const std::string& wanted, const std::string& found) {
  return found == wanted ? "" : fmt::format("it says {}", in_quotes(found));
}

}  // namespace gilscope
