// Time that a hypervisor took from a CPU that had something to run.
#include <unistd.h>

#include <algorithm>

#include "userspace/experiment/environment.h"
#include "userspace/experiment/environment/parts.h"

namespace gilscope {

std::optional<uint64_t> read_steal_ns(const Box& box, const std::vector<int>& cpus) {
  // cpuN user nice system idle iowait irq softirq steal ...
  constexpr size_t kSteal = 8;
  const auto stat = box.text("/proc/stat");
  const long ticks_per_second = ::sysconf(_SC_CLK_TCK);
  if (!stat || ticks_per_second <= 0) return {};
  const uint64_t tick_ns = 1000000000 / static_cast<uint64_t>(ticks_per_second);

  uint64_t sum_ns = 0;
  size_t found = 0;
  for (const std::string& line : lines(*stat)) {
    if (!line.starts_with("cpu")) break;  // they come first
    const auto fields = words(line);
    const auto id = to_number(fields[0].substr(3));
    if (!id || std::find(cpus.begin(), cpus.end(), *id) == cpus.end()) continue;
    const auto ticks = fields.size() > kSteal ? to_number(fields[kSteal]) : std::nullopt;
    if (!ticks || *ticks < 0) return {};
    sum_ns += static_cast<uint64_t>(*ticks) * tick_ns;
    ++found;
  }
  // A CPU that is not listed is offline, and its steal unknown rather than 0.
  if (found != cpus.size()) return {};
  return sum_ns;
}

std::optional<uint64_t> read_steal_ns(const std::vector<int>& cpus) {
  return read_steal_ns(Box(), cpus);
}

}  // namespace gilscope
