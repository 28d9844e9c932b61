#include "tools/compare/metrics.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <variant>

#include "tools/analysis/summary.h"
#include "userspace/report/sums.h"

namespace gilscope {
namespace {

using Value = std::optional<double>;

Value rate_of(double count, double ns) {
  return ns > 0 ? Value(count * 1e9 / ns) : std::nullopt;
}

Value ratio_of(double part, double whole) {
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

using OfRun = std::function<Value(const Run&)>;

OfRun result(const char* key) {
  return [key](const Run& run) -> Value {
    const auto found = run.workload.find(key);
    return found == run.workload.end() ? std::nullopt : Value(found->second);
  };
}

// A model's GIL tells all of its counts, a real program's some.
template <typename Count>
OfRun gil_per_s(Count GilCounts::*count) {
  return [count](const Run& run) -> Value {
    const Value known_count = known(run.gil.*count);
    return known_count ? rate_of(*known_count, double(run.wall_ns)) : std::nullopt;
  };
}

Value per_acquire_of(const Run& run, double count) {
  return ratio_of(count, double(run.gil.acquires.value_or(0)));
}

OfRun gil_per_acquire(uint64_t GilCounts::*count) {
  return [count](const Run& run) { return per_acquire_of(run, double(run.gil.*count)); };
}

OfRun rusage_per_s(uint64_t ResourceUsage::*count) {
  return
      [count](const Run& run) { return rate_of(double(run.rusage.*count), double(run.wall_ns)); };
}

// A number of each CPU of a run.
using OfCpu = std::function<std::optional<uint64_t>(const CpuTrace&)>;

std::optional<uint64_t> wakeups_ran(const CpuTrace& cpu) {
  return cpu.wakeups.ran;
}

std::optional<uint64_t> wasted_wakeups(const CpuTrace& cpu) {
  return cpu.wasted_wakeups;
}

std::optional<uint64_t> migrations(const CpuTrace& cpu) {
  return cpu.migrations.wakeup + cpu.migrations.preempt;
}

OfRun per_s(const OfCpu& count) {
  return [count](const Run& run) -> Value {
    const auto sum = sum_over(run.cpus, count);
    if (run.cpus.empty() || !sum) return std::nullopt;
    return rate_of(double(*sum), window_ns(run));
  };
}

OfRun per_acquire(const OfCpu& count) {
  return [count](const Run& run) -> Value {
    const auto sum = sum_over(run.cpus, count);
    if (run.cpus.empty() || !sum) return std::nullopt;
    return per_acquire_of(run, double(*sum));
  };
}

OfRun quantile(Histogram Histograms::*histogram, double q) {
  return [histogram, q](const Run& run) -> Value {
    if (!run.histograms) return std::nullopt;
    return known(((*run.histograms).*histogram).quantile_ns(q));
  };
}

Value failed_per_acquire(const Run& run) {
  return per_acquire_of(run, double(run.gil.failed()));
}

// Of a model the kinds say more.
Value failed_per_s(const Run& run) {
  if (!run.gil.undecided) return std::nullopt;
  return rate_of(double(run.gil.failed()), double(run.wall_ns));
}

Value wasted_share(const Run& run) {
  const auto wasted = sum_over(run.cpus, wasted_wakeups), ran = sum_over(run.cpus, wakeups_ran);
  return wasted && ran ? ratio_of(double(*wasted), double(*ran)) : std::nullopt;
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

Value waited_share(const TraceFindings& trace) {
  if (!trace.of_subject) return std::nullopt;
  return ratio_of(double(trace.waits.waited_ns()), double(trace.span_ns));
}

Value owner_preempted_share(const TraceFindings& trace) {
  return ratio_of(double(trace.waits.total().of(OwnerWas::preempted).ns),
                  double(trace.waits.waited_ns()));
}

Value worst_pair_ns(const TraceFindings& trace) {
  if (trace.waits.empty()) return std::nullopt;
  const auto worst = trace.waits.worst();
  return worst ? double(worst->waits.total().ns) : 0;
}

Value idle_while_free(const TraceFindings& trace) {
  if (!trace.gil) return std::nullopt;
  return ratio_of(double(trace.gil->idle_while_free_ns), double(trace.span_ns));
}

Value chain_p99(const TraceFindings& trace) {
  return known(trace.chain.delay.quantile_ns(0.99));
}

// A run that is bounded by time has a rate, and a wall time that says nothing; one that is bounded
// by its work has a wall time, which says what its rate does.
enum class Bound : uint8_t { either, work, time };
enum class Standing : uint8_t { exploratory, primary };

// The columns behind the definition in a METRIC row.
struct Options {
  Bound bound = Bound::either;
  bool of_time = false;  // whatever the unit
  bool of_subjects = false;
};

// Where a metric's numbers come from. `plain`: from untraced runs where there are any, because the
// tracer's cost is no part of them.
struct Definition {
  enum class Of : uint8_t { pair, plain, traced, segments };

  Metric metric;
  Of of;
  std::variant<OfRun, OfTrace> value;
  Bound bound;

  bool says_something_of(const Cell& cell) const {
    return bound == Bound::either || (bound == Bound::time) == bounded_by_time(cell);
  }
};

Definition defined(const char* name, Definition::Of of, std::variant<OfRun, OfTrace> value,
                   Metric::Unit unit, Better better, Standing standing, const char* shown,
                   Options options) {
  const bool of_time = options.of_time || unit == Metric::Unit::time || unit == Metric::Unit::rate;
  return {{name, shown, unit, better, standing == Standing::primary, of_time, options.of_subjects},
          of,
          std::move(value),
          options.bound};
}

const std::vector<Definition>& definitions() {
  static const std::vector<Definition> all = [] {
    std::vector<Definition> list;
#define METRIC(name, of, value, unit, better, standing, shown, definition, ...)                \
  list.push_back(defined(#name, Definition::Of::of, value, Metric::Unit::unit, Better::better, \
                         Standing::standing, shown, Options{__VA_ARGS__}));
    // More of it a second is neither good nor bad: a faster run does more of everything.
#define CPU(key, from, since, member, definition, ...)                                          \
  if (const char* shown = GILSCOPE_ROW(__VA_ARGS__).per_s) {                                    \
    list.push_back(                                                                             \
        defined(#key "_per_s", Definition::Of::traced,                                          \
                per_s([](const CpuTrace& cpu) -> std::optional<uint64_t> { return cpu.key; }),  \
                Metric::Unit::rate, Better::neither, Standing::exploratory, shown, Options{})); \
  }
#include "bpf/numbers.def"
    return list;
  }();
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
      // Even a hundred thousandth of a failure an acquisition is worth writing.
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
  constexpr double kStated = 0.02;  // the minimum effect that the rows go with
  double least = 0;
  switch (unit) {
#define UNIT(unit, of_row, ...) \
  case Metric::Unit::unit:      \
    least = of_row;             \
    break;
#include "bpf/numbers.def"
  }
  return least * min_effect / kStated;
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
  // Traced runs do not stand in for untraced ones that were planned and are all left out.
  const auto& plain = has_untraced(cell) ? untraced : traced;
  MetricValues values;
  for (const Definition& definition : definitions()) {
    std::vector<BlockValue>& list = values.emplace_back();
    if (!definition.says_something_of(cell)) continue;
    switch (definition.of) {
      case Definition::Of::pair:
        if (sequential) list = slowdowns(cell, *sequential);
        break;
      case Definition::Of::plain:
        list = values_of(plain, std::get<OfRun>(definition.value));
        break;
      case Definition::Of::traced:
        list = values_of(traced, std::get<OfRun>(definition.value));
        break;
      case Definition::Of::segments:
        if (!trace) break;
        for (const auto& [run, findings] : trace->runs) {
          // A dropped record may have held a release; the times around it are then too long.
          if (findings.dropped) continue;
          if (const Value value = std::get<OfTrace>(definition.value)(findings))
            list.push_back({run->block, *value});
        }
        break;
    }
  }
  return values;
}

}  // namespace gilscope
