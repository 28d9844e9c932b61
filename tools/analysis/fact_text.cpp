#include "tools/analysis/fact_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "userspace/base/quote.h"

namespace gilscope {
namespace {

// Facts on which a run's numbers depend, and that change only when something interferes.
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
    "cgroup.cpu_weights_above",
    "cgroup.cpu_shares",
    "cgroup.cpu_shares_above",
    "cgroup.cpu_idle",
    "cgroup.memory_high",
    "cgroup.memory_max",
    "cgroup.cpuset",
    "cgroup.throttled_periods",
};

constexpr size_t kLongest = 80;

// CPUs in the kernel's notation, "0-3,6".
std::string ranges(const std::vector<int64_t>& numbers) {
  std::string out;
  for (size_t i = 0, last; i < numbers.size(); i = last + 1) {
    for (last = i; last + 1 < numbers.size() && numbers[last + 1] - numbers[last] == 1;) ++last;
    out += fmt::format("{}{}", out.empty() ? "" : ",", numbers[i]);
    if (last > i) out += fmt::format("-{}", numbers[last]);
  }
  return out;
}

// The values of the CPUs in order, with repetitions counted: "performance x 7, powersave".
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

}  // namespace

std::string full_text_of(const Fact& fact) {
  return printable(std::visit(ToText(), fact.value));
}

std::string text_of(const Fact& fact) {
  return shortened(full_text_of(fact));
}

std::string shortened(const std::string& text) {
  if (text.size() <= kLongest) return text;
  size_t end = kLongest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

bool is_setting(const std::string& key) {
  // All facts about the process itself are settings.
  if (key.starts_with("kernel.sched.") || key.starts_with("process.")) return true;
  return std::find(std::begin(kThatMatter), std::end(kThatMatter), key) != std::end(kThatMatter);
}

}  // namespace gilscope
