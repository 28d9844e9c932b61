// The CPUs' frequencies, which a governor, a user or heat may change at any time.
#include "userspace/machine/facts/parts.h"

namespace gilscope {
namespace {

constexpr const char* kCpus = "/sys/devices/system/cpu";

// A setting of every CPU, in the order of cpu.online_now; CPUs may differ.
Result<std::vector<std::string>> settings(const Machine& machine, const std::vector<int>& cpus,
                                          const char* name) {
  std::vector<std::string> settings;
  for (const int cpu : cpus) {
    auto setting = machine.line(fmt::format("{}/cpu{}/cpufreq/{}", kCpus, cpu, name));
    if (!setting) return fail(fmt::format("no cpufreq ({})", setting.error().message));
    settings.push_back(std::move(*setting));
  }
  return settings;
}

// Two drivers have two files of opposite meaning.
Result<bool> boost(const Machine& machine) {
  if (const auto off = machine.number(fmt::format("{}/intel_pstate/no_turbo", kCpus)))
    return *off == 0;
  const auto on = machine.number(fmt::format("{}/cpufreq/boost", kCpus));
  if (!on) return fail(fmt::format("no cpufreq boost ({})", on.error().message));
  return *on != 0;
}

// In Hz; the kernel writes kHz.
Result<std::vector<int64_t>> frequencies(const Machine& machine, const std::vector<int>& cpus,
                                         const char* name) {
  std::vector<int64_t> out;
  for (const int cpu : cpus) {
    const auto kilohertz = machine.number(fmt::format("{}/cpu{}/cpufreq/{}", kCpus, cpu, name));
    if (!kilohertz) return fail(fmt::format("no cpufreq ({})", kilohertz.error().message));
    int64_t hertz = 0;
    if (__builtin_mul_overflow(*kilohertz, int64_t{1000}, &hertz)) {
      return fail(fmt::format("the frequency of CPU {} is out of range", cpu));
    }
    out.push_back(hertz);
  }
  return out;
}

// How often each CPU throttled itself because of heat. Only Intel's processors report it.
Result<std::vector<int64_t>> thermal_throttles(const Machine& machine,
                                               const std::vector<int>& cpus) {
  std::vector<int64_t> out;
  for (const int cpu : cpus) {
    const auto count =
        machine.number(fmt::format("{}/cpu{}/thermal_throttle/core_throttle_count", kCpus, cpu));
    if (!count) return fail(count.error());
    out.push_back(*count);
  }
  return out;
}

}  // namespace

void add_frequency_facts(const Machine& machine, FactList& facts) {
  const auto online = online_cpus(machine);
  const auto each = [&](const char* key, auto read, auto... arguments) {
    if (online) {
      facts.add(key, read(machine, *online, arguments...));
    } else {
      facts.add_null(key, online.error().message);
    }
  };
  facts.add("cpu.smt", machine.line(fmt::format("{}/smt/control", kCpus)));
  each("cpu.frequency_driver", settings, "scaling_driver");
  each("cpu.governor", settings, "scaling_governor");
  each("cpu.energy_preference", settings, "energy_performance_preference");
  facts.add("cpu.boost", boost(machine));
  each("cpu.frequency_hz", frequencies, "scaling_cur_freq");
  each("cpu.frequency_limit_hz", frequencies, "scaling_max_freq");
  each("cpu.thermal_throttles", thermal_throttles);
}

}  // namespace gilscope
