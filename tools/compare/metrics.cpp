#include "tools/compare/metrics.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "tools/summary.h"

namespace gilscope {
namespace {

using Value = std::optional<double>;

struct Sums {
  uint64_t ran = 0, wasted = 0, migrations = 0, holder_preempted = 0;
};

Sums sums_of(const Run& run) {
  Sums sums;
  for (const Core& core : run.cores) {
    sums.ran += core.wakeups.ran;
    sums.wasted += core.wasted_wakeups;
    sums.migrations += core.migrations.wakeup + core.migrations.preempt;
    sums.holder_preempted += core.holder_preempted;
  }
  return sums;
}

Value per_s(double count, double ns) {
  return ns > 0 ? Value(count * 1e9 / ns) : std::nullopt;
}

Value share(double part, double whole) {
  return whole > 0 ? Value(part / whole) : std::nullopt;
}

Value known(const std::optional<uint64_t>& value) {
  return value ? Value(double(*value)) : std::nullopt;
}

double window_ns(const Run& run) {
  return double(run.window_ns.value_or(run.wall_ns));
}

Value wall_ns(const Run& run) {
  return double(run.wall_ns);
}

Value rusage_switches(const Run& run, uint64_t ResourceUsage::*count) {
  return per_s(double(run.rusage.*count), double(run.wall_ns));
}

using OfRun = std::function<Value(const Run&)>;

OfRun result(const char* key) {
  return [key](const Run& run) -> Value {
    const auto found = run.workload.find(key);
    return found == run.workload.end() ? std::nullopt : Value(found->second);
  };
}

OfRun gil_per_s(uint64_t GilCounts::*count) {
  return [count](const Run& run) { return per_s(double(run.gil.*count), double(run.wall_ns)); };
}

OfRun gil_per_acquire(uint64_t GilCounts::*count) {
  return
      [count](const Run& run) { return share(double(run.gil.*count), double(run.gil.acquires)); };
}

OfRun core_per_s(uint64_t Sums::*count) {
  return [count](const Run& run) -> Value {
    if (run.cores.empty()) return std::nullopt;
    return per_s(double(sums_of(run).*count), window_ns(run));
  };
}

OfRun quantile(Histogram Histograms::*histogram, double q) {
  return [histogram, q](const Run& run) -> Value {
    if (!run.histograms) return std::nullopt;
    return known(((*run.histograms).*histogram).quantile_ns(q));
  };
}

OfRun core_per_acquire(uint64_t Sums::*count) {
  return [count](const Run& run) -> Value {
    if (run.cores.empty()) return std::nullopt;
    return share(double(sums_of(run).*count), double(run.gil.acquires));
  };
}

Value failed_per_acquire(const Run& run) {
  const GilCounts& gil = run.gil;
  return share(double(gil.contended + gil.woken_lost + gil.timed_out), double(gil.acquires));
}

Value wasted_share(const Run& run) {
  const Sums sums = sums_of(run);
  return share(double(sums.wasted), double(sums.ran));
}

Value cpu_ns(const Run& run) {
  return double(run.rusage.user_ns + run.rusage.system_ns);
}

using OfTrace = std::function<Value(const TraceFindings&)>;

OfTrace handoff(double q) {
  return [q](const TraceFindings& trace) -> Value {
    return trace.gil ? known(trace.gil->handoff.quantile_ns(q)) : std::nullopt;
  };
}

Value idle_while_free(const TraceFindings& trace) {
  if (!trace.gil) return std::nullopt;
  return share(double(trace.gil->idle_while_free_ns), double(trace.span_ns));
}

Value chain_p99(const TraceFindings& trace) {
  return known(trace.chain.delay.quantile_ns(0.99));
}

// Where a metric's numbers come from.
struct Definition {
  enum class Of { pair, run, traced, trace };
  // A run that is bounded by time has a rate, and a wall time that says nothing; one that is
  // bounded by its work has a wall time, which says what its rate does.
  enum class Bound { either, work, time };

  Metric metric;
  Of of;
  OfRun run;
  OfTrace trace;
  Bound bound = Bound::either;

  bool says_something_of(const Cell& cell) const {
    return bound == Bound::either || (bound == Bound::time) == bounded_by_time(cell);
  }
};

bool made_of_time(Metric::Unit unit) {
  return unit == Metric::Unit::time || unit == Metric::Unit::rate;
}

// Runs that were not traced count where there are any: the tracer's cost is no part of them.
Definition plain(const char* name, const char* shown, Metric::Unit unit, Better better,
                 bool primary, OfRun of) {
  return {{name, shown, unit, better, primary, made_of_time(unit)},
          Definition::Of::run,
          std::move(of),
          nullptr};
}

Definition traced(const char* name, const char* shown, Metric::Unit unit, Better better,
                  bool primary, OfRun of) {
  return {{name, shown, unit, better, primary, made_of_time(unit)},
          Definition::Of::traced,
          std::move(of),
          nullptr};
}

Definition segments(const char* name, const char* shown, Metric::Unit unit, bool primary,
                    OfTrace of) {
  return {{name, shown, unit, Better::lower, primary, true},  // spans, or shares of them
          Definition::Of::trace,
          nullptr,
          std::move(of)};
}

Definition bounded(Definition::Bound bound, Definition definition) {
  definition.bound = bound;
  return definition;
}

const std::vector<Definition>& definitions() {
  using enum Metric::Unit;
  using enum Better;
  static const std::vector<Definition> all{
      bounded(Definition::Bound::work, plain("wall_ns", "wall time", time, lower, true, wall_ns)),
      bounded(Definition::Bound::work,
              {{"slowdown", "slowdown", factor, lower, true, true}, Definition::Of::pair, {}, {}}),
      bounded(Definition::Bound::time, plain("operations_per_s", "operations", rate, higher, true,
                                             result("operations_per_s"))),
      plain("latency_p99_ns", "latency p99", time, lower, true, result("latency_p99_ns")),
      // A faster run fails more often a second at the same failures an acquisition: more of the
      // one is not worse, of the other it is.
      plain("contended_per_s", "contended", rate, neither, true, gil_per_s(&GilCounts::contended)),
      plain("woken_lost_per_s", "woken, lost", rate, neither, true,
            gil_per_s(&GilCounts::woken_lost)),
      plain("timed_out_per_s", "timed out", rate, neither, true, gil_per_s(&GilCounts::timed_out)),
      plain("contended_per_acquire", "contended", each, lower, true,
            gil_per_acquire(&GilCounts::contended)),
      plain("woken_lost_per_acquire", "woken, lost", each, lower, true,
            gil_per_acquire(&GilCounts::woken_lost)),
      plain("timed_out_per_acquire", "timed out", each, lower, true,
            gil_per_acquire(&GilCounts::timed_out)),
      traced("wasted_share", "wasted wakeups", Metric::Unit::share, lower, true, wasted_share),
      traced("migrations_per_s", "migrations", rate, neither, true, core_per_s(&Sums::migrations)),
      traced("wake_to_run_p50_ns", "wake-to-run p50", time, lower, true,
             quantile(&Histograms::wake_to_run, 0.50)),
      traced("wake_to_run_p99_ns", "wake-to-run p99", time, lower, true,
             quantile(&Histograms::wake_to_run, 0.99)),
      segments("handoff_p50_ns", "hand-off p50", time, true, handoff(0.50)),
      segments("handoff_p99_ns", "hand-off p99", time, true, handoff(0.99)),

      plain("cpu_ns", "CPU time", time, lower, false, cpu_ns),
      plain("acquires_per_s", "acquisitions", rate, neither, false,
            gil_per_s(&GilCounts::acquires)),
      plain("drop_requests_per_s", "drop requests", rate, neither, false,
            gil_per_s(&GilCounts::drop_requests)),
      plain(
          "voluntary_switches_per_s", "voluntary switches", rate, neither, false,
          [](const Run& run) { return rusage_switches(run, &ResourceUsage::voluntary_switches); }),
      plain("involuntary_switches_per_s", "involuntary switches", rate, neither, false,
            [](const Run& run) {
              return rusage_switches(run, &ResourceUsage::involuntary_switches);
            }),
      plain("failed_per_acquire", "failed", each, lower, false, failed_per_acquire),
      traced("wasted_per_acquire", "wasted wakeups", each, lower, false,
             core_per_acquire(&Sums::wasted)),
      traced("migrations_per_acquire", "migrations", each, neither, false,
             core_per_acquire(&Sums::migrations)),
      plain("fairness", "fairness", factor, higher, false, result("fairness")),
      plain("latency_p50_ns", "latency p50", time, lower, false, result("latency_p50_ns")),
      plain("latency_p999_ns", "latency p99.9", time, lower, false, result("latency_p999_ns")),
      traced("wakeups_per_s", "wakeups", rate, neither, false, core_per_s(&Sums::ran)),
      traced("holder_preempted_per_s", "holder preempted", rate, neither, false,
             core_per_s(&Sums::holder_preempted)),
      traced("preempt_wait_p99_ns", "preempt wait p99", time, lower, false,
             quantile(&Histograms::preempt_wait, 0.99)),
      segments("idle_while_free_share", "idle while free", Metric::Unit::share, false,
               idle_while_free),
      segments("chain_delay_p99_ns", "chain delay p99", time, false, chain_p99),
  };
  return all;
}

std::vector<const Run*> measured_runs(const Cell& cell, bool traced) {
  std::vector<const Run*> runs;
  for (const Run& run : cell.runs) {
    if (measured(run) && run.traced() == traced) runs.push_back(&run);
  }
  return runs;
}

std::vector<BlockValue> values_of(const std::vector<const Run*>& runs, const OfRun& of) {
  std::vector<BlockValue> values;
  for (const Run* run : runs) {
    if (const Value value = of(*run)) values.push_back({run->block, *value});
  }
  return values;
}

bool has_untraced(const Cell& cell) {
  return std::ranges::any_of(cell.runs,
                             [](const Run& run) { return !run.warmup && !run.traced(); });
}

std::vector<BlockValue> slowdowns(const Cell& threaded, const Cell& sequential) {
  for (const bool traced : {false, true}) {
    if (traced && has_untraced(threaded) && has_untraced(sequential)) break;
    std::map<int, const Run*> below;
    for (const Run* run : measured_runs(sequential, traced)) below.emplace(run->block, run);
    std::vector<BlockValue> values;
    for (const Run* run : measured_runs(threaded, traced)) {
      const auto found = below.find(run->block);
      if (found == below.end() || found->second->trace != run->trace) continue;
      values.push_back({run->block, double(run->wall_ns) / double(found->second->wall_ns)});
    }
    if (!values.empty()) return values;
  }
  return {};
}

}  // namespace

Number Metric::number(std::optional<double> value) const {
  switch (unit) {
    case Unit::time:
      return duration(value);
    case Unit::share:
      return percent(value);
    case Unit::rate: {
      Number number = count(value);
      number.unit += "/s";
      return number;
    }
    case Unit::each:
      // A hundred thousandth of a failure an acquisition is a number, too.
      return value ? Number{fmt::format("{:.3g}", *value), ""} : Number{"-", ""};
    case Unit::factor:
      break;
  }
  return factor(value);
}

Number Metric::difference(std::optional<double> value) const {
  if (!value) return {"-", ""};
  Number size = number(std::fabs(*value));
  if (unit == Unit::share) size = {fmt::format("{:.1f}", std::fabs(*value) * 100), "points"};
  if (*value != 0) size.digits = (*value < 0 ? "-" : "+") + size.digits;
  return size;
}

double minimum_difference(Metric::Unit unit, double min_effect) {
  constexpr double kStated = 0.02;  // the minimum effect that these go with
  const auto stated = [&] {
    switch (unit) {
      case Metric::Unit::time:
        return 1e3;
      case Metric::Unit::rate:
        return 1.0;
      case Metric::Unit::each:
        return 1e-3;
      case Metric::Unit::share:
      case Metric::Unit::factor:
        break;
    }
    return 0.02;
  };
  return stated() * min_effect / kStated;
}

Scale scale_of(const Metric& metric, const std::vector<const Side*>& sides) {
  if (metric.unit == Metric::Unit::share) return Scale::difference;
  const bool none = std::ranges::any_of(sides, [](const Side* side) {
    return std::ranges::count(side->values, 0.0, &BlockValue::value) > 0;
  });
  return none ? Scale::difference : Scale::ratio;
}

const std::vector<Metric>& metrics() {
  static const std::vector<Metric> all = [] {
    std::vector<Metric> list;
    for (const Definition& definition : definitions()) list.push_back(definition.metric);
    return list;
  }();
  return all;
}

std::optional<size_t> find_metric(const std::string& name) {
  for (size_t i = 0; i < metrics().size(); ++i) {
    if (metrics()[i].name == name) return i;
  }
  return {};
}

MetricValues metric_values(const Cell& cell, const Cell* sequential, const CellFindings* trace) {
  const auto untraced = measured_runs(cell, false), traced = measured_runs(cell, true);
  // Where there were to be untraced runs and none is left, traced ones do not stand in for them.
  const auto& plain = has_untraced(cell) ? untraced : traced;
  MetricValues values;
  for (const Definition& definition : definitions()) {
    std::vector<BlockValue>& list = values.emplace_back();
    if (!definition.says_something_of(cell)) continue;
    switch (definition.of) {
      case Definition::Of::pair:
        if (sequential) list = slowdowns(cell, *sequential);
        break;
      case Definition::Of::run:
        list = values_of(plain, definition.run);
        break;
      case Definition::Of::traced:
        list = values_of(traced, definition.run);
        break;
      case Definition::Of::trace:
        if (!trace) break;
        for (const auto& [run, findings] : trace->runs) {
          // What was dropped may have been a release: the times between are then too long.
          if (findings.dropped) continue;
          if (const Value value = definition.trace(findings)) list.push_back({run->block, *value});
        }
        break;
    }
  }
  return values;
}

}  // namespace gilscope
