#include "userspace/experiment/gates.h"

#include <algorithm>

namespace gilscope {
namespace {

// /proc/stat tells a CPU's time in steps of this, so that a step more or less is nothing.
constexpr double kStepNs = 10'000'000;
constexpr double kManyTimes = 1'000'000;

constexpr GateRule kRules[] = {
    {"steal", &GateLimits::steal, 1, true},
    {"foreign", &GateLimits::foreign, 1, true},
    {"throttled", &GateLimits::throttled, kManyTimes, false},
    {"offline", &GateLimits::offline, kManyTimes, false},
    {"sched_ext", &GateLimits::sched_ext, kManyTimes, false},
    {"migrated_off_mask", &GateLimits::migrated_off_mask, kManyTimes, false},
};

using Value = std::optional<double>;

bool contains(const std::vector<int>& cpus, int cpu) {
  return std::find(cpus.begin(), cpus.end(), cpu) != cpus.end();
}

// What a counter grew by; a counter that fell has begun anew, and says nothing.
Value growth(const std::optional<uint64_t>& before, const std::optional<uint64_t>& after) {
  if (!before || !after || *after < *before) return {};
  return static_cast<double>(*after - *before);
}

class Judge {
 public:
  Judge(const std::vector<int>& cpus, const Run& run, const GateReadings& before,
        const GateReadings& after)
      : cpus_(cpus), run_(run), before_(before), after_(after) {
    if (after.at_ns > before.at_ns) {
      cpu_time_ns_ = static_cast<double>(after.at_ns - before.at_ns) * count(cpus.size());
    }
  }

  bool traced() const { return run_.window_ns.has_value(); }

  Value steal() const { return at_least(growth(before_.steal_ns, after_.steal_ns), 1); }

  Value foreign() const { return traced() ? seen_foreign() : unexplained(); }

  Value throttled() const { return growth(before_.throttled_periods, after_.throttled_periods); }

  Value offline() const {
    if (!before_.online || !after_.online) return {};
    return count(std::count_if(cpus_.begin(), cpus_.end(), [&](int cpu) {
      return !contains(*before_.online, cpu) || !contains(*after_.online, cpu);
    }));
  }

  Value sched_ext() const {
    const auto& was = before_.sched_ext;
    const auto& is = after_.sched_ext;
    if (!was.built_in && !is.built_in) return 0;
    if (!was.state || !is.state) return {};
    // Only the sequence tells of one that came and went within the run.
    if (was.enable_seq && is.enable_seq && *is.enable_seq > *was.enable_seq) {
      return static_cast<double>(*is.enable_seq - *was.enable_seq);
    }
    if (*was.state != *is.state) return 1;
    return was.enable_seq && is.enable_seq ? Value(0) : Value();
  }

  Value migrated_off_mask() const {
    return count(std::count_if(run_.cores.begin(), run_.cores.end(), [&](const Core& core) {
      return core.on_cpu_ns > 0 && !contains(cpus_, core.cpu);
    }));
  }

 private:
  static double count(auto n) { return static_cast<double>(n); }

  // A time as a share of the run's CPU time, less what the steps of its counters may have added.
  Value at_least(Value ns, double steps) const {
    if (!ns || cpu_time_ns_ <= 0) return {};
    return std::max(0.0, *ns - steps * kStepNs * count(cpus_.size())) / cpu_time_ns_;
  }

  // By the tracer. A core without a switch in the window is nobody's as far as it knows.
  Value seen_foreign() const {
    const double window_ns = static_cast<double>(run_.window_ns.value_or(0));
    double foreign_ns = 0, whole_ns = 0;
    for (const Core& core : run_.cores) {
      if (!core.foreign_ns || !contains(cpus_, core.cpu)) continue;
      foreign_ns += static_cast<double>(*core.foreign_ns);
      whole_ns += window_ns;
    }
    if (whole_ns <= 0) return {};
    return std::max(0.0, foreign_ns - client_ns()) / whole_ns;
  }

  // The client belongs to the workload, also where it has to share the run's CPUs.
  double client_ns() const {
    const auto& client = run_.client;
    if (!client || client->cpus.empty() || !contains(cpus_, client->cpus[0])) return 0;
    return static_cast<double>(client->cpu_ns);
  }

  // What the CPUs were busy with that the worker was not charged for. Idle and steal have a step
  // each.
  Value unexplained() const {
    const Value idle_ns = growth(before_.idle_ns, after_.idle_ns);
    const Value steal_ns = growth(before_.steal_ns, after_.steal_ns);
    if (!idle_ns || !steal_ns) return {};
    const double own_ns =
        static_cast<double>(run_.rusage.user_ns + run_.rusage.system_ns) + client_ns();
    return at_least(cpu_time_ns_ - *idle_ns - *steal_ns - own_ns, 2);
  }

  const std::vector<int>& cpus_;
  const Run& run_;
  const GateReadings& before_;
  const GateReadings& after_;
  double cpu_time_ns_ = 0;
};

}  // namespace

std::span<const GateRule> gate_rules() {
  return kRules;
}

std::vector<GateResult> judge_gates(const GateLimits& limits, const std::vector<int>& cpus,
                                    const Run& run, const GateReadings& before,
                                    const GateReadings& after) {
  const Judge judge(cpus, run, before, after);
  std::vector<GateResult> results;
  const auto hold = [&](const char* gate, std::optional<double> limit, const Value& value) {
    if (limit && (!value || *value > *limit)) results.push_back({gate, value, *limit});
  };
  hold("steal", limits.steal, judge.steal());
  hold("foreign", limits.foreign, judge.foreign());
  hold("throttled", limits.throttled, judge.throttled());
  hold("offline", limits.offline, judge.offline());
  hold("sched_ext", limits.sched_ext, judge.sched_ext());
  // Nobody saw where the threads of an untraced run were; its twin's threads had the same mask.
  if (judge.traced())
    hold("migrated_off_mask", limits.migrated_off_mask, judge.migrated_off_mask());
  return results;
}

}  // namespace gilscope
