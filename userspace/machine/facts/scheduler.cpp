// The settings of the kernel's scheduler.
#include "userspace/machine/facts/parts.h"

namespace gilscope {
namespace {

// The fair class's settings moved from sysctl to debugfs in Linux 5.13, and some changed their
// names with the scheduler itself; each is looked up wherever it may be.
struct Setting {
  const char* key;
  const char* debugfs;
  const char* sysctl;  // or empty
};
constexpr Setting kSettings[] = {
    {"base_slice_ns", "base_slice_ns", ""},
    {"min_granularity_ns", "min_granularity_ns", "sched_min_granularity_ns"},
    {"wakeup_granularity_ns", "wakeup_granularity_ns", "sched_wakeup_granularity_ns"},
    {"latency_ns", "latency_ns", "sched_latency_ns"},
    {"migration_cost_ns", "migration_cost_ns", "sched_migration_cost_ns"},
    {"tunable_scaling", "tunable_scaling", "sched_tunable_scaling"},
};

constexpr const char* kDebug = "/sys/kernel/debug/sched";
constexpr const char* kSchedExt = "/sys/kernel/sched_ext";

// Settings are numbers, except tunable_scaling, which may be text: "none (logarithmic) linear".
void add_setting(const Machine& machine, const Setting& setting, FactList& facts) {
  const std::string key = fmt::format("kernel.sched.{}", setting.key);
  auto text = machine.line(fmt::format("{}/{}", kDebug, setting.debugfs));
  if (!text && *setting.sysctl != '\0') {
    auto older = machine.line(fmt::format("/proc/sys/kernel/{}", setting.sysctl));
    if (older) text = std::move(older);
  }
  if (!text) {
    facts.add_null(key, why_no_debugfs(machine, text.error()));
  } else if (const auto number = to_number(*text)) {
    facts.add(key, *number);
  } else {
    facts.add(key, *text);
  }
}

void add_features(const Machine& machine, FactList& facts) {
  auto text = machine.text(fmt::format("{}/features", kDebug));
  if (!text) {
    if (auto older = machine.text("/sys/kernel/debug/sched_features")) text = std::move(older);
  }
  if (text) {
    facts.add("kernel.sched.features", words(*text));
  } else {
    facts.add_null("kernel.sched.features", why_no_debugfs(machine, text.error()));
  }
}

// Without debugfs, a task's own slice shows the effective base slice (from Linux 6.6 on).
Result<int64_t> task_slice_ns(const Machine& machine) {
  const auto sched = machine.text("/proc/self/sched");
  if (!sched) return fail(sched.error());
  const auto slice = to_number(value_of(*sched, "se.slice").value_or(""));
  if (!slice) return fail("/proc/self/sched: no se.slice");
  return *slice;
}

// The file with a BPF scheduler's name exists only while one is loaded.
void add_sched_ext(const Machine& machine, FactList& facts) {
  if (!machine.exists(kSchedExt)) {
    for (const char* name : {"state", "ops", "enable_seq"}) {
      facts.add_null(fmt::format("kernel.sched_ext.{}", name), "this kernel has no sched_ext");
    }
    return;
  }
  const auto state = machine.line(fmt::format("{}/state", kSchedExt));
  facts.add("kernel.sched_ext.state", state);
  const bool none = state && *state == "disabled";
  facts.add("kernel.sched_ext.ops", none ? Result<std::string>("none")
                                         : machine.line(fmt::format("{}/root/ops", kSchedExt)));
  // Grows whenever a BPF scheduler is loaded, so a difference means that one came or went.
  facts.add("kernel.sched_ext.enable_seq", machine.number(fmt::format("{}/enable_seq", kSchedExt)));
}

}  // namespace

std::string why_no_debugfs(const Machine& machine, const Error& error) {
  const auto names = machine.names("/sys/kernel/debug");
  if (names && names->empty()) return "debugfs is not mounted on /sys/kernel/debug";
  return error.message;
}

DisturbanceReadings::SchedExt read_sched_ext(const Machine& machine) {
  DisturbanceReadings::SchedExt out;
  out.built_in = machine.exists(kSchedExt);
  if (!out.built_in) return out;
  if (auto state = machine.line(fmt::format("{}/state", kSchedExt))) out.state = std::move(*state);
  if (const auto seq = machine.number(fmt::format("{}/enable_seq", kSchedExt)))
    out.enable_seq = *seq;
  return out;
}

void add_scheduler_facts(const Machine& machine, FactList& facts) {
  for (const Setting& setting : kSettings) add_setting(machine, setting, facts);
  facts.add("kernel.sched.task_slice_ns", task_slice_ns(machine));
  add_features(machine, facts);
  facts.add("kernel.sched_autogroup", machine.number("/proc/sys/kernel/sched_autogroup_enabled"));
  add_sched_ext(machine, facts);
}

}  // namespace gilscope
