// Facts that may change, captured before and after an experiment to show the difference.
#include <time.h>

#include <charconv>
#include <cmath>
#include <utility>

#include "userspace/base/kernel_time.h"
#include "userspace/machine/facts/environment.h"
#include "userspace/machine/facts/parts.h"

namespace gilscope {
namespace {

std::optional<double> to_decimal(const std::string& text) {
  double number = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number);
  if (error != std::errc() || end != last || !std::isfinite(number)) return {};
  return number;
}

void add_load(const Machine& machine, FactList& facts) {
  const auto text = machine.line("/proc/loadavg");
  const auto fields = words(text.value_or(""));
  const char* keys[] = {"load.1", "load.5", "load.15"};
  for (size_t i = 0; i < 3; ++i) {
    const auto load = i < fields.size() ? to_decimal(fields[i]) : std::nullopt;
    if (load) {
      facts.add(keys[i], *load);
    } else {
      facts.add_null(keys[i], text ? "/proc/loadavg cannot be parsed" : text.error().message);
    }
  }
}

Result<int64_t> running_tasks(const Machine& machine) {
  const auto stat = machine.text("/proc/stat");
  if (!stat) return fail(stat.error());
  for (const std::string& line : lines(*stat)) {
    const auto fields = words(line);
    if (fields.size() != 2 || fields[0] != "procs_running") continue;
    if (const auto count = to_number(fields[1])) return *count;
  }
  return fail("/proc/stat has no procs_running");
}

Result<std::vector<int64_t>> steal(const Machine& machine, const std::vector<int>& cpus) {
  std::vector<int64_t> out;
  for (const int cpu : cpus) {
    const auto ns = read_steal_ns(machine, {cpu});
    if (!ns) return fail(fmt::format("/proc/stat has no steal of CPU {}", cpu));
    out.push_back(static_cast<int64_t>(*ns));
  }
  return out;
}

// The lists are in the order of cpu.online_now, since CPUs may have come or gone since the
// environment was captured.
void add_cpus(const Machine& machine, FactList& facts) {
  const auto online = online_cpus(machine);
  facts.add("cpu.online_now", online);
  if (!online) {
    facts.add_null("cpu.steal_ns", online.error().message);
    return;
  }
  facts.add("cpu.steal_ns", steal(machine, *online));
}

Result<std::vector<int64_t>> temperatures(const Machine& machine) {
  const auto zones = machine.names("/sys/class/thermal", "thermal_zone");
  if (!zones) return fail(zones.error());
  std::vector<int64_t> out;
  for (const std::string& zone : *zones) {
    // Skips zones without a sensor, whose file gives an error.
    const auto degrees = machine.number("/sys/class/thermal/" + zone + "/temp");
    if (degrees) out.push_back(*degrees);
  }
  if (out.empty()) return fail("no thermal zone can be read");
  return out;
}

Result<int64_t> uptime_ns(const Machine& machine) {
  const auto text = machine.line("/proc/uptime");
  if (!text) return fail(text.error());
  const auto fields = words(*text);
  const auto seconds = fields.empty() ? std::nullopt : to_decimal(fields[0]);
  constexpr double kLongest = 1e9;  // thirty years; prevents overflow
  if (!seconds || *seconds < 0 || *seconds > kLongest) return fail("/proc/uptime cannot be parsed");
  return std::llround(*seconds * 100) * 10000000;  // the kernel writes hundredths
}

// The calendar time to the millisecond, precise enough to pair with the monotonic clock.
std::string utc_milliseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  tm parts{};
  ::gmtime_r(&now.tv_sec, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     now.tv_nsec / 1000000);
}

}  // namespace

Facts capture_moment(const Machine& machine) {
  FactList facts;
  // Both clocks at one moment, to convert the report's times to calendar time.
  facts.add("time.utc", utc_milliseconds());
  facts.add("time.monotonic_ns", static_cast<int64_t>(kernel_monotonic_ns()));
  facts.add("time.uptime_ns", uptime_ns(machine));
  add_load(machine, facts);
  facts.add("tasks.running", running_tasks(machine));
  facts.add("memory.available_bytes", memory_bytes(machine, "MemAvailable"));
  add_cpus(machine, facts);
  add_frequency_facts(machine, facts);
  facts.add("temperature.millicelsius", temperatures(machine));
  // It may change: the kernel abandons a clock that it finds unstable.
  facts.add("clock.source",
            machine.line("/sys/devices/system/clocksource/clocksource0/current_clocksource"));
  add_scheduler_facts(machine, facts);
  add_cgroup_facts(machine, facts);
  add_process_settings(machine, facts);
  return facts.take();
}

Facts capture_moment() {
  Facts facts = capture_moment(Machine());
  FactList inherited;
  add_inherited_facts(inherited);
  for (Fact& fact : inherited.take()) facts.push_back(std::move(fact));
  return facts;
}

}  // namespace gilscope
