// Readings at both ends of a run: steal and idle time of its CPUs, which CPUs are online,
// throttling of the cgroup, and BPF schedulers.
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "userspace/machine/facts/environment.h"
#include "userspace/machine/facts/parts.h"

namespace gilscope {

std::optional<CpuTimes> read_cpu_times(const Machine& machine, const std::vector<int>& cpus) {
  // cpuN user nice system idle iowait irq softirq steal ...
  constexpr size_t kIdle = 4, kWaiting = 5, kSteal = 8;
  const auto stat = machine.text("/proc/stat");
  const long ticks_per_second = ::sysconf(_SC_CLK_TCK);
  if (!stat || ticks_per_second <= 0) return {};
  const uint64_t tick_ns = 1000000000 / static_cast<uint64_t>(ticks_per_second);

  CpuTimes times;
  size_t found = 0;
  for (const std::string& line : lines(*stat)) {
    if (!line.starts_with("cpu")) break;  // the CPUs' lines come first
    const auto fields = words(line);
    const auto id = to_number(fields[0].substr(3));
    if (!id || std::find(cpus.begin(), cpus.end(), *id) == cpus.end()) continue;
    if (fields.size() <= kSteal) return {};
    const auto idle = to_number(fields[kIdle]), waiting = to_number(fields[kWaiting]),
               steal = to_number(fields[kSteal]);
    if (!idle || !waiting || !steal || *idle < 0 || *waiting < 0 || *steal < 0) return {};
    times.steal_ns += static_cast<uint64_t>(*steal) * tick_ns;
    times.idle_ns += (static_cast<uint64_t>(*idle) + static_cast<uint64_t>(*waiting)) * tick_ns;
    ++found;
  }
  // A CPU that is not listed is offline; its times are unknown, not 0.
  if (found != cpus.size()) return {};
  return times;
}

std::optional<uint64_t> read_steal_ns(const Machine& machine, const std::vector<int>& cpus) {
  const auto times = read_cpu_times(machine, cpus);
  if (!times) return {};
  return times->steal_ns;
}

std::optional<uint64_t> read_steal_ns(const std::vector<int>& cpus) {
  return read_steal_ns(Machine(), cpus);
}

DisturbanceReadings read_disturbances(const Machine& machine, const std::vector<int>& cpus) {
  DisturbanceReadings readings;
  if (auto online = online_cpus(machine)) readings.online = std::move(*online);
  if (const auto stopped = throttling(machine); stopped && stopped->periods >= 0) {
    readings.throttled_periods = static_cast<uint64_t>(stopped->periods);
  }
  readings.sched_ext = read_sched_ext(machine);
  // Read the clock and the CPU times together: the disturbance limits divide one by the other.
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  readings.at_ns =
      static_cast<uint64_t>(now.tv_sec) * 1000000000 + static_cast<uint64_t>(now.tv_nsec);
  if (const auto times = read_cpu_times(machine, cpus)) {
    readings.steal_ns = times->steal_ns;
    readings.idle_ns = times->idle_ns;
  }
  return readings;
}

DisturbanceReadings read_disturbances(const std::vector<int>& cpus) {
  return read_disturbances(Machine(), cpus);
}

}  // namespace gilscope
