// The CPUs and their topology.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "userspace/machine/cpu_list.h"
#include "userspace/machine/cpus.h"
#include "userspace/machine/facts/parts.h"

namespace gilscope {
namespace {

constexpr const char* kCpus = "/sys/devices/system/cpu";

// The value of the first of `keys` that /proc/cpuinfo has; names differ between architectures.
Result<std::string> cpuinfo_value(const Machine& machine, std::initializer_list<const char*> keys) {
  const auto cpuinfo = machine.text("/proc/cpuinfo");
  if (!cpuinfo) return fail(cpuinfo.error());
  for (const char* key : keys) {
    if (auto value = value_of(*cpuinfo, key)) return std::move(*value);
  }
  return fail(fmt::format("/proc/cpuinfo has no {}", *keys.begin()));
}

Result<std::vector<int>> cpu_list(const Machine& machine, const char* name) {
  const auto text = machine.line(fmt::format("{}/{}", kCpus, name));
  if (!text) return fail(text.error());
  // Some of these files say "(null)" for an empty list.
  if (*text == "(null)") return std::vector<int>();
  return parse_cpu_list(*text);
}

void add_topology(const Machine& machine, FactList& facts) {
  const auto cpus = read_topology(machine.at(kCpus));
  if (!cpus) {
    for (const char* key : {"cpu.count", "cpu.packages", "cpu.cores", "cpu.threads_per_core"}) {
      facts.add_null(key, cpus.error().message);
    }
    return;
  }
  std::map<std::pair<int, int>, int64_t> threads_of_core;
  std::set<int> packages;
  int64_t count = 0;
  for (const Cpu& cpu : *cpus) {
    if (!cpu.online) continue;
    ++count;
    ++threads_of_core[{cpu.package, cpu.core}];
    packages.insert(cpu.package);
  }
  int64_t most = 0;
  for (const auto& [core, threads] : threads_of_core) most = std::max(most, threads);
  facts.add("cpu.count", count);
  facts.add("cpu.packages", static_cast<int64_t>(packages.size()));
  facts.add("cpu.cores", static_cast<int64_t>(threads_of_core.size()));
  facts.add("cpu.threads_per_core", most);
}

// The distinct sets of CPUs that a file below each CPU's directory names: "0,4", "1,5".
template <typename PathOf>
Result<std::vector<std::string>> groups(const Machine& machine, PathOf path_of) {
  const auto online = online_cpus(machine);
  if (!online) return fail(online.error());
  std::vector<std::string> sets;
  for (const int cpu : *online) {
    const Result<std::string> path = path_of(fmt::format("{}/cpu{}", kCpus, cpu));
    if (!path) return fail(path.error());
    const auto set = machine.line(*path);
    if (!set) return fail(set.error());
    if (std::find(sets.begin(), sets.end(), *set) == sets.end()) sets.push_back(*set);
  }
  return sets;
}

struct Cache {
  int64_t level = 0;
  std::string directory;
};

// The last-level cache, within which the scheduler tries to keep tasks: level 3, or else level 2.
Result<Cache> last_level_cache(const Machine& machine, const std::string& cpu) {
  const std::string directory = cpu + "/cache";
  const auto names = machine.names(directory, "index");
  if (!names) return fail(names.error());
  Cache last;
  for (const std::string& name : *names) {
    const auto level = machine.number(fmt::format("{}/{}/level", directory, name));
    if (level && *level > last.level) last = {*level, directory + "/" + name};
  }
  if (last.level == 0) return fail(directory + " lists no cache");
  return last;
}

void add_groups(const Machine& machine, FactList& facts) {
  facts.add("cpu.smt_groups", groups(machine, [](const std::string& cpu) -> Result<std::string> {
              return cpu + "/topology/thread_siblings_list";
            }));
  facts.add("cpu.llc_groups", groups(machine, [&](const std::string& cpu) -> Result<std::string> {
              const auto last = last_level_cache(machine, cpu);
              if (!last) return fail(last.error());
              return last->directory + "/shared_cpu_list";
            }));
}

// The caches of the first online CPU, for example "L1 Data 32K".
Result<std::vector<std::string>> cache_sizes(const Machine& machine) {
  const auto online = online_cpus(machine);
  if (!online) return fail(online.error());
  if (online->empty()) return fail("no CPU is online");
  const std::string directory = fmt::format("{}/cpu{}/cache", kCpus, online->front());
  const auto names = machine.names(directory, "index");
  if (!names) return fail(names.error());
  std::vector<std::string> caches;
  for (const std::string& name : *names) {
    const auto part = [&](const char* file) {
      return machine.line(fmt::format("{}/{}/{}", directory, name, file)).value_or("?");
    };
    caches.push_back(fmt::format("L{} {} {}", part("level"), part("type"), part("size")));
  }
  if (caches.empty()) return fail(directory + " lists no cache");
  return caches;
}

void add_caches(const Machine& machine, FactList& facts) {
  facts.add("cpu.caches", cache_sizes(machine));
}

void add_mitigations(const Machine& machine, FactList& facts) {
  const std::string directory = fmt::format("{}/vulnerabilities", kCpus);
  const auto names = machine.names(directory);
  if (!names || names->empty()) {
    facts.add_null("cpu.mitigations", names ? directory + ": empty" : names.error().message);
    return;
  }
  for (const std::string& name : *names) {
    facts.add("cpu.mitigations." + name, machine.line(directory + "/" + name));
  }
}

}  // namespace

Result<std::vector<int>> online_cpus(const Machine& machine) {
  return cpu_list(machine, "online");
}

void add_cpu_facts(const Machine& machine, FactList& facts) {
  facts.add("cpu.model", cpuinfo_value(machine, {"model name", "Processor", "cpu model", "cpu"}));
  facts.add("cpu.vendor", cpuinfo_value(machine, {"vendor_id", "CPU implementer"}));
  facts.add("cpu.microcode", cpuinfo_value(machine, {"microcode"}));
  facts.add("cpu.online", online_cpus(machine));
  facts.add("cpu.present", cpu_list(machine, "present"));
  facts.add("cpu.possible", cpu_list(machine, "possible"));
  facts.add("cpu.isolated", cpu_list(machine, "isolated"));
  facts.add("cpu.nohz_full", cpu_list(machine, "nohz_full"));
  add_topology(machine, facts);
  add_groups(machine, facts);
  add_caches(machine, facts);
  facts.add("cpu.idle_driver", machine.line(fmt::format("{}/cpuidle/current_driver", kCpus)));
  facts.add("cpu.idle_governor",
            machine.line(fmt::format("{}/cpuidle/current_governor_ro", kCpus)));
  // How long a guest polls before it halts an idle CPU. Without polling, each wakeup of an idle CPU
  // goes through the hypervisor and takes far longer.
  facts.add("cpu.halt_poll_ns",
            machine.number("/sys/module/haltpoll/parameters/guest_halt_poll_ns"));
  add_mitigations(machine, facts);
}

}  // namespace gilscope
