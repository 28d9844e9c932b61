#include "userspace/experiment/disturbance/limits.h"

#include <algorithm>

#include "userspace/report/model.h"

namespace gilscope {
namespace {

// The step in which /proc/stat counts a CPU's time. The difference of two readings is up to a step
// more or less than the true time.
constexpr double kStepNs = 10'000'000;
constexpr double kManyTimes = 1'000'000;

constexpr DisturbanceRule kRules[] = {
    {"steal", &DisturbanceLimits::steal, 1, true},
    {"foreign", &DisturbanceLimits::foreign, 1, true},
    {"throttled", &DisturbanceLimits::throttled, kManyTimes, false},
    {"stopped", &DisturbanceLimits::stopped, kManyTimes, false},
    {"offline", &DisturbanceLimits::offline, kManyTimes, false},
    {"sched_ext", &DisturbanceLimits::sched_ext, kManyTimes, false},
    {"migrated_off_mask", &DisturbanceLimits::migrated_off_mask, kManyTimes, false},
};

using Value = std::optional<double>;

// The bounds of a value; both bounds are the same if it is known exactly.
struct Bounds {
  double low, high;
};
using Bounded = std::optional<Bounds>;

Bounded exactly(const Value& value) {
  if (!value) return {};
  return Bounds{*value, *value};
}

bool contains(const std::vector<int>& cpus, int cpu) {
  return std::find(cpus.begin(), cpus.end(), cpu) != cpus.end();
}

// How much a counter grew; empty if it fell, because then it was reset.
Value growth(const std::optional<uint64_t>& before, const std::optional<uint64_t>& after) {
  if (!before || !after || *after < *before) return {};
  return static_cast<double>(*after - *before);
}

class Judge {
 public:
  Judge(const std::vector<int>& cpus, const Run& run, const DisturbanceReadings& before,
        const DisturbanceReadings& after)
      : cpus_(cpus), run_(run), before_(before), after_(after) {
    if (after.at_ns > before.at_ns) {
      cpu_time_ns_ = static_cast<double>(after.at_ns - before.at_ns) * count(cpus.size());
    }
  }

  bool traced() const { return run_.window_ns.has_value(); }

  Bounded steal() const {
    // No steal since boot: no hypervisor takes time or reports it.
    if (after_.steal_ns == 0u && before_.steal_ns == 0u) return Bounds{0, 0};
    return share(growth(before_.steal_ns, after_.steal_ns), 1);
  }

  Bounded foreign() const { return traced() ? exactly(seen_foreign()) : unexplained(); }

  Value stopped() const {
    if (!after_.stopped_by) return {};
    return count(after_.stopped_by->size());
  }

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
    // Only the sequence number reveals a scheduler that came and went within the run.
    if (was.enable_seq && is.enable_seq && *is.enable_seq > *was.enable_seq) {
      return static_cast<double>(*is.enable_seq - *was.enable_seq);
    }
    if (*was.state != *is.state) return 1;
    return was.enable_seq && is.enable_seq ? Value(0) : Value();
  }

  Value migrated_off_mask() const {
    return count(std::count_if(run_.cpus.begin(), run_.cpus.end(), [&](const CpuTrace& cpu) {
      return cpu.on_cpu_ns > 0 && !contains(cpus_, cpu.cpu);
    }));
  }

 private:
  static double count(auto n) { return static_cast<double>(n); }

  // A time as a share of the run's CPU time, within the steps of the counters that it comes from. A
  // share cannot exceed 1.
  Bounded share(const Value& ns, double steps) const {
    if (!ns || cpu_time_ns_ <= 0) return {};
    const double slack_ns = steps * kStepNs * count(cpus_.size());
    const auto of_all = [&](double part_ns) {
      return std::clamp(part_ns / cpu_time_ns_, 0.0, 1.0);
    };
    return Bounds{of_all(*ns - slack_ns), of_all(*ns + slack_ns)};
  }

  // As the tracer saw it. It cannot tell whose a CPU was that had no switch in the window.
  Value seen_foreign() const {
    const double window_ns = static_cast<double>(run_.window_ns.value_or(0));
    double foreign_ns = 0, whole_ns = 0;
    for (const CpuTrace& cpu : run_.cpus) {
      if (!cpu.foreign_ns || !contains(cpus_, cpu.cpu)) continue;
      foreign_ns += static_cast<double>(*cpu.foreign_ns);
      whole_ns += window_ns;
    }
    if (whole_ns <= 0) return {};
    return std::max(0.0, foreign_ns - client_ns()) / whole_ns;
  }

  // The client belongs to the workload even if it must share the run's CPUs.
  double client_ns() const {
    const auto& client = run_.client;
    if (!client || client->cpus.empty() || !contains(cpus_, client->cpus[0])) return 0;
    return static_cast<double>(client->cpu_ns);
  }

  // The time that the CPUs were busy and that was not charged to the worker. Idle and steal each
  // add a step of uncertainty.
  Bounded unexplained() const {
    const Value idle_ns = growth(before_.idle_ns, after_.idle_ns);
    const Value steal_ns = growth(before_.steal_ns, after_.steal_ns);
    if (!idle_ns || !steal_ns) return {};
    const double own_ns =
        static_cast<double>(run_.rusage.user_ns + run_.rusage.system_ns) + client_ns();
    return share(cpu_time_ns_ - *idle_ns - *steal_ns - own_ns, 2);
  }

  const std::vector<int>& cpus_;
  const Run& run_;
  const DisturbanceReadings& before_;
  const DisturbanceReadings& after_;
  double cpu_time_ns_ = 0;
};

}  // namespace

std::span<const DisturbanceRule> disturbance_rules() {
  return kRules;
}

std::vector<Disturbance> judge_disturbances(const DisturbanceLimits& limits,
                                            const std::vector<int>& cpus, const Run& run,
                                            const DisturbanceReadings& before,
                                            const DisturbanceReadings& after) {
  const Judge judge(cpus, run, before, after);
  std::vector<Disturbance> results;
  const auto hold_bounds = [&](const char* kind, std::optional<double> limit,
                               const Bounded& value) {
    if (!limit || (value && value->high <= *limit)) return;
    const bool hit = value && value->low > *limit;
    results.push_back({kind, hit ? Value(value->low) : Value(), *limit});
  };
  const auto hold = [&](const char* kind, std::optional<double> limit, const Value& value) {
    hold_bounds(kind, limit, exactly(value));
  };
  hold_bounds("steal", limits.steal, judge.steal());
  hold_bounds("foreign", limits.foreign, judge.foreign());
  hold("throttled", limits.throttled, judge.throttled());
  hold("stopped", limits.stopped, judge.stopped());
  hold("offline", limits.offline, judge.offline());
  hold("sched_ext", limits.sched_ext, judge.sched_ext());
  // An untraced run does not record where its threads ran; the traced twin had the same mask.
  if (judge.traced())
    hold("migrated_off_mask", limits.migrated_off_mask, judge.migrated_off_mask());
  return results;
}

}  // namespace gilscope
