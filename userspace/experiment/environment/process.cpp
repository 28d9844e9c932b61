// What this process is to the kernel: its PID namespace, and how much memory it may lock.
#include "userspace/experiment/environment/parts.h"

namespace gilscope {
namespace {

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

void add_process_facts(const Box& box, FactList& facts) {
  facts.add("cgroup.versions", cgroup_versions(box));
  facts.add("process.pid_namespace", pid_namespace(box));
  add_memlock(box, facts);
}

}  // namespace gilscope
