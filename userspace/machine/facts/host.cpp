// The machine's identity, memory, clocks and operating system.
#include <gnu/libc-version.h>

#include <algorithm>

#include "userspace/base/digest.h"
#include "userspace/machine/facts/parts.h"

namespace gilscope {
namespace {

Result<std::string> operating_system(const Machine& machine) {
  const auto release = machine.text("/etc/os-release");
  if (!release) return release;
  auto name = value_of(*release, "PRETTY_NAME", '=');
  if (!name) return fail("/etc/os-release has no PRETTY_NAME");
  if (name->size() >= 2 && name->front() == name->back() &&
      (name->front() == '"' || name->front() == '\'')) {
    return name->substr(1, name->size() - 2);
  }
  return std::move(*name);
}

Result<std::vector<int>> numa_nodes(const Machine& machine) {
  const auto names = machine.names("/sys/devices/system/node", "node");
  if (!names) return fail(names.error());
  std::vector<int> nodes;
  for (const std::string& name : *names) {
    if (const auto id = to_number(name.substr(4))) nodes.push_back(static_cast<int>(*id));
  }
  std::sort(nodes.begin(), nodes.end());
  return nodes;
}

// In the order of memory.nodes; a node may have no CPUs.
Result<std::vector<std::string>> node_cpus(const Machine& machine) {
  const auto nodes = numa_nodes(machine);
  if (!nodes) return fail(nodes.error());
  std::vector<std::string> cpus;
  for (const int node : *nodes) {
    auto list = machine.line(fmt::format("/sys/devices/system/node/node{}/cpulist", node));
    if (!list) return fail(list.error());
    cpus.push_back(std::move(*list));
  }
  return cpus;
}

// machine-id(5) asks programs not to publish the id itself. Its hash, salted with a word of
// gilscope's own, still distinguishes machines.
Result<std::string> hashed(const Result<std::string>& id) {
  if (!id) return id;
  if (id->empty() || *id == "uninitialized") return fail("not initialized yet");
  return sha256("gilscope " + *id);
}

}  // namespace

Result<int64_t> memory_bytes(const Machine& machine, const char* key) {
  const auto meminfo = machine.text("/proc/meminfo");
  if (!meminfo) return fail(meminfo.error());
  const auto fields = words(value_of(*meminfo, key).value_or(""));
  const auto kilobytes = fields.empty() ? std::nullopt : to_number(fields[0]);
  int64_t bytes = 0;
  if (!kilobytes || __builtin_mul_overflow(*kilobytes, int64_t{1024}, &bytes)) {
    return fail(fmt::format("/proc/meminfo has no readable {}", key));
  }
  return bytes;
}

void add_host_facts(const Machine& machine, FactList& facts) {
  constexpr const char* kClock = "/sys/devices/system/clocksource/clocksource0";
  facts.add("memory.total_bytes", memory_bytes(machine, "MemTotal"));
  facts.add("memory.nodes", numa_nodes(machine));
  facts.add("memory.node_cpus", node_cpus(machine));
  const auto clocks = machine.line(fmt::format("{}/available_clocksource", kClock));
  if (clocks) {
    facts.add("clock.available", words(*clocks));
  } else {
    facts.add_null("clock.available", clocks.error().message);
  }
  // The program's own glibc: a static program need not have the machine's.
  facts.add("glibc.version", ::gnu_get_libc_version());
  facts.add("host.name", machine.line("/proc/sys/kernel/hostname"));
  facts.add("host.machine_id_sha256", hashed(machine.line("/etc/machine-id")));
  // Only root can read it. A cloned machine has its own.
  facts.add("host.product_uuid_sha256", hashed(machine.line("/sys/class/dmi/id/product_uuid")));
  facts.add("host.boot_id", machine.line("/proc/sys/kernel/random/boot_id"));
  facts.add("host.os", operating_system(machine));
}

}  // namespace gilscope
