// Which CPUs, how they are connected and how they are clocked.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "userspace/experiment/cpu_list.h"
#include "userspace/experiment/cpus.h"
#include "userspace/experiment/environment/parts.h"

namespace gilscope {
namespace {

constexpr const char* kCpus = "/sys/devices/system/cpu";

// The first of the names that /proc/cpuinfo uses on one architecture or another.
Result<std::string> cpuinfo_value(const Box& box, std::initializer_list<const char*> keys) {
  const auto cpuinfo = box.text("/proc/cpuinfo");
  if (!cpuinfo) return fail(cpuinfo.error());
  for (const char* key : keys) {
    if (auto value = value_of(*cpuinfo, key)) return std::move(*value);
  }
  return fail(fmt::format("/proc/cpuinfo has no {}", *keys.begin()));
}

Result<std::vector<int>> cpu_list(const Box& box, const char* name) {
  const auto text = box.line(fmt::format("{}/{}", kCpus, name));
  if (!text) return fail(text.error());
  // Where there is none, some of these files say so in words.
  if (*text == "(null)") return std::vector<int>();
  return parse_cpu_list(*text);
}

// Of every CPU and not of the first alone: they need not be the same. In the order of cpu.online.
Result<std::vector<std::string>> frequency_settings(const Box& box, const char* name) {
  const auto online = online_cpus(box);
  if (!online) return fail(online.error());
  std::vector<std::string> settings;
  for (const int cpu : *online) {
    auto setting = box.line(fmt::format("{}/cpu{}/cpufreq/{}", kCpus, cpu, name));
    if (!setting) return fail(fmt::format("no cpufreq ({})", setting.error().message));
    settings.push_back(std::move(*setting));
  }
  return settings;
}

// Two drivers, two files, opposite senses.
Result<bool> boost(const Box& box) {
  if (const auto off = box.number(fmt::format("{}/intel_pstate/no_turbo", kCpus))) return *off == 0;
  const auto on = box.number(fmt::format("{}/cpufreq/boost", kCpus));
  if (!on) return fail(fmt::format("no cpufreq boost ({})", on.error().message));
  return *on != 0;
}

void add_topology(const Box& box, FactList& facts) {
  const auto cpus = read_topology(box.at(kCpus));
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

void add_mitigations(const Box& box, FactList& facts) {
  const std::string directory = fmt::format("{}/vulnerabilities", kCpus);
  const auto names = box.names(directory);
  if (!names || names->empty()) {
    facts.add_null("cpu.mitigations", names ? directory + ": empty" : names.error().message);
    return;
  }
  for (const std::string& name : *names) {
    facts.add("cpu.mitigations." + name, box.line(directory + "/" + name));
  }
}

}  // namespace

Result<std::vector<int>> online_cpus(const Box& box) {
  return cpu_list(box, "online");
}

void add_cpu_facts(const Box& box, FactList& facts) {
  facts.add("cpu.model", cpuinfo_value(box, {"model name", "Processor", "cpu model", "cpu"}));
  facts.add("cpu.vendor", cpuinfo_value(box, {"vendor_id", "CPU implementer"}));
  facts.add("cpu.microcode", cpuinfo_value(box, {"microcode"}));
  facts.add("cpu.online", online_cpus(box));
  facts.add("cpu.present", cpu_list(box, "present"));
  facts.add("cpu.isolated", cpu_list(box, "isolated"));
  facts.add("cpu.nohz_full", cpu_list(box, "nohz_full"));
  add_topology(box, facts);
  facts.add("cpu.smt", box.line(fmt::format("{}/smt/control", kCpus)));
  facts.add("cpu.governor", frequency_settings(box, "scaling_governor"));
  facts.add("cpu.frequency_driver", frequency_settings(box, "scaling_driver"));
  facts.add("cpu.boost", boost(box));
  facts.add("cpu.idle_driver", box.line(fmt::format("{}/cpuidle/current_driver", kCpus)));
  add_mitigations(box, facts);
}

}  // namespace gilscope
