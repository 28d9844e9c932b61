#include "tools/environment_changes.h"

#include <fmt/format.h>

#include <algorithm>

#include "userspace/util/quote.h"

namespace gilscope {
namespace {

// What a run's numbers depend on, and what only moves where somebody or something interferes.
constexpr const char* kThatMatter[] = {
    "cpu.online_now",
    "cpu.smt",
    "cpu.frequency_driver",
    "cpu.governor",
    "cpu.energy_preference",
    "cpu.boost",
    "cpu.frequency_limit_hz",
    "cpu.thermal_throttles",
    "clock.source",
    "kernel.sched_autogroup",
    "kernel.sched_ext.state",
    "kernel.sched_ext.ops",
    "kernel.sched_ext.enable_seq",
    "cgroup.cpu_max",
    "cgroup.cpu_weight",
    "cgroup.cpu_shares",
    "cgroup.cpuset",
    "cgroup.throttled_periods",
    "process.cpu_affinity",
};

bool matters(const std::string& key) {
  if (key.starts_with("kernel.sched.")) return true;
  return std::find(std::begin(kThatMatter), std::end(kThatMatter), key) != std::end(kThatMatter);
}

constexpr size_t kLongest = 80;

// "0-3,6": CPUs, as the kernel writes them.
std::string ranges(const std::vector<int64_t>& numbers) {
  std::string out;
  for (size_t i = 0, last; i < numbers.size(); i = last + 1) {
    for (last = i; last + 1 < numbers.size() && numbers[last + 1] - numbers[last] == 1;) ++last;
    out += fmt::format("{}{}", out.empty() ? "" : ",", numbers[i]);
    if (last > i) out += fmt::format("-{}", numbers[last]);
  }
  return out;
}

// "performance x 7, powersave": of the CPUs in their order.
template <typename T>
std::string stretches(const std::vector<T>& values) {
  std::string out;
  for (size_t i = 0, next; i < values.size(); i = next) {
    for (next = i; next < values.size() && values[next] == values[i];) ++next;
    out += fmt::format("{}{}", out.empty() ? "" : ", ", values[i]);
    if (next - i > 1) out += fmt::format(" x {}", next - i);
  }
  return out;
}

struct ToText {
  std::string operator()(std::monostate) const { return "unknown"; }
  std::string operator()(bool value) const { return value ? "yes" : "no"; }
  std::string operator()(int64_t value) const { return std::to_string(value); }
  std::string operator()(double value) const { return fmt::format("{}", value); }
  std::string operator()(const std::string& text) const { return text.empty() ? "none" : text; }
  std::string operator()(const std::vector<int64_t>& values) const {
    if (values.empty()) return "none";
    const bool ascending =
        std::adjacent_find(values.begin(), values.end(), std::greater_equal<>()) == values.end();
    return ascending && values.front() >= 0 ? ranges(values) : stretches(values);
  }
  std::string operator()(const std::vector<std::string>& texts) const {
    return texts.empty() ? "none" : stretches(texts);
  }
};

std::string text_of(const Fact& fact) {
  std::string text = printable(std::visit(ToText(), fact.value));
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "...";
  return text;
}

const Fact* find(const Facts& facts, const std::string& key) {
  const auto found =
      std::find_if(facts.begin(), facts.end(), [&](const Fact& fact) { return fact.key == key; });
  return found == facts.end() ? nullptr : &*found;
}

}  // namespace

std::vector<EnvironmentChange> environment_changes(const Report& report) {
  std::vector<EnvironmentChange> changes;
  for (const Fact& before : report.environment_before) {
    const Fact* after = find(report.environment_after, before.key);
    if (!after || after->value == before.value) continue;
    changes.push_back({before.key, text_of(before), text_of(*after), matters(before.key)});
  }
  return changes;
}

}  // namespace gilscope
