#include "tools/analysis/counted_summary.h"

#include <algorithm>

#include "tools/analysis/statistics.h"

namespace gilscope {
namespace {

using Value = std::optional<double>;

Value ratio(std::optional<uint64_t> part, double whole) {
  if (!part || whole <= 0) return std::nullopt;
  return double(*part) / whole;
}

Value number(std::optional<uint64_t> value) {
  return value ? Value(double(*value)) : std::nullopt;
}

// One run's number, as its column is made of it.
Value made_as(numbers::As as, std::optional<uint64_t> value, double window_ns, uint64_t wakeups) {
  switch (as) {
    case numbers::As::count:
    case numbers::As::duration:
      break;
    case numbers::As::share:
      return ratio(value, window_ns);
    case numbers::As::per_s:
      return ratio(value, window_ns / 1e9);
    case numbers::As::of_wakeups:
      return ratio(value, double(wakeups));
  }
  return number(value);
}

// Items without a value do not take part.
template <typename Item, typename Of>
Value median_of(const std::vector<Item>& items, Of of) {
  std::vector<double> values;
  for (const Item& item : items) {
    if (const Value value = of(item)) values.push_back(*value);
  }
  return median(std::move(values));
}

Value migrations_of(const Thread& thread) {
  if (!thread.trace) return std::nullopt;
  return double(thread.trace->migrations_wakeup + thread.trace->migrations_preempt);
}

Value acquires_of(const Thread& thread) {
  return number(thread.gil.acquires);
}

template <auto GilCounts::*count>
Value of_gil(const Thread& thread) {
  return number(thread.gil.*count);
}

Value failed_of(const Thread& thread) {
  return double(thread.gil.failed());
}

template <int percent>
Value wake_to_run_of(const Thread& thread) {
  if (!thread.trace) return std::nullopt;
  return number(thread.trace->histograms.wake_to_run.quantile_ns(percent / 100.0));
}

Number written(numbers::As as, Value value) {
  switch (as) {
    case numbers::As::duration:
      return duration(value);
    case numbers::As::share:
    case numbers::As::of_wakeups:
      return percent(value);
    case numbers::As::count:
    case numbers::As::per_s:
      break;
  }
  return count(value);
}

template <typename Of>
void sort_by_place(std::vector<SummaryColumn<Of>>& columns) {
  std::ranges::stable_sort(columns, {}, [](const auto& column) { return column.column.place; });
}

}  // namespace

template <typename Of>
Number SummaryColumn<Of>::number(const Of& of, const Times& times) const {
  const Number number = written(column.as, of.*median);
  return numbers::of_time(column.as) ? times.of(number) : number;
}
template struct SummaryColumn<CpuSummary>;
template struct SummaryColumn<ThreadSummary>;

CpuSummary summarize(int cpu, const std::vector<CpuOfRun>& cpus) {
  CpuSummary summary;
  summary.cpu = cpu;
#define GILSCOPE_KNOWN_own(path) cpu.path
#define GILSCOPE_KNOWN_both(path) cpu.path
#define GILSCOPE_KNOWN_remote(path) cpu.path
#define GILSCOPE_KNOWN_gil(path) cpu.path
#define GILSCOPE_KNOWN_gil_of_models(path) cpu.path
#define GILSCOPE_KNOWN_subject(path) cpu.path
#define GILSCOPE_KNOWN_occupant(path) cpu.path
#define GILSCOPE_KNOWN_running(path) (cpu.observed ? std::optional(cpu.path) : std::nullopt)
#define CPU_NUMBER(path, field, csv, from, since, member, definition, ...)           \
  summary.member = median_of(cpus, [](const CpuOfRun& item) {                        \
    const CpuTrace& cpu = *item.cpu;                                                 \
    return made_as(GILSCOPE_ROW(__VA_ARGS__).column.as, GILSCOPE_KNOWN_##from(path), \
                   item.window_ns, cpu.wakeups.ran);                                 \
  });
#include "bpf/numbers.def"
  for (const CpuOfRun& item : cpus) summary.histograms += item.cpu->histograms;
  return summary;
}

ThreadSummary summarize(const std::vector<const Thread*>& threads) {
  ThreadSummary summary;
  summary.name = threads.front()->name;
  const auto usage = [](const Thread* thread, uint64_t ThreadUsage::*count) -> Value {
    return thread->usage ? Value(double((*thread->usage).*count)) : std::nullopt;
  };
#define GILSCOPE_OTHERWISE_none std::nullopt
#define GILSCOPE_OTHERWISE_usage(key) usage(thread, &ThreadUsage::key)
#define THREAD_NUMBER(field, from, since, member, otherwise, definition, ...)    \
  summary.member = median_of(threads, [&](const Thread* thread) -> Value {       \
    if (!thread->trace) return GILSCOPE_OTHERWISE_##otherwise;                   \
    return made_as(GILSCOPE_ROW(__VA_ARGS__).column.as, thread->trace->field, 0, \
                   thread->trace->wakeups);                                      \
  });
#define THREAD_DERIVED(member, whose, value, ...) \
  summary.member = median_of(threads, [](const Thread* thread) { return value(*thread); });
#include "bpf/numbers.def"
  for (const Thread* thread : threads) {
    if (thread->trace) summary.histograms += thread->trace->histograms;
  }
  summary.perf = std::ranges::any_of(threads, [](const Thread* t) { return t->perf.has_value(); });
  const auto perf = [&](std::optional<uint64_t> ThreadPerf::*count) {
    return median_of(threads, [&](const Thread* thread) {
      return thread->perf ? number((*thread->perf).*count) : std::nullopt;
    });
  };
  summary.perf_switches = perf(&ThreadPerf::context_switches);
  summary.perf_migrations = perf(&ThreadPerf::migrations);
  summary.cache_misses = perf(&ThreadPerf::cache_misses);
  summary.instructions_per_cycle = median_of(threads, [](const Thread* thread) -> Value {
    if (!thread->perf || !thread->perf->cycles) return std::nullopt;
    return ratio(thread->perf->instructions, double(*thread->perf->cycles));
  });
  return summary;
}

namespace {

std::vector<SummaryColumn<CpuSummary>> columns_of(numbers::View view) {
  std::vector<SummaryColumn<CpuSummary>> columns;
  const auto add = [&](const char* key, numbers::From from, const numbers::Row& row,
                       Value CpuSummary::*median) {
    if (row.column.view != view) return;
    columns.push_back({key, numbers::key_of_median(key, row.column.as), numbers::whose(from),
                       row.column, median});
  };
#define CPU_NUMBER(path, field, csv, from, since, member, definition, ...) \
  add(#path, numbers::From::from, GILSCOPE_ROW(__VA_ARGS__), &CpuSummary::member);
#include "bpf/numbers.def"
  sort_by_place(columns);
  return columns;
}

std::vector<SummaryColumn<ThreadSummary>> columns_of_threads() {
  std::vector<SummaryColumn<ThreadSummary>> columns;
  const auto add = [&](const char* key, const numbers::Row& row, Value ThreadSummary::*median) {
    if (row.column.view == numbers::View::none) return;
    columns.push_back({key, numbers::key_of_median(key, row.column.as), numbers::Whose::both,
                       row.column, median});
  };
#define THREAD_NUMBER(field, from, since, member, otherwise, definition, ...) \
  add(#field, GILSCOPE_ROW(__VA_ARGS__), &ThreadSummary::member);
#define THREAD_DERIVED(member, of, value, key, ...)                                                \
  columns.push_back({key, #member, numbers::Whose::of, GILSCOPE_ROW(.column = __VA_ARGS__).column, \
                     &ThreadSummary::member});
#include "bpf/numbers.def"
  sort_by_place(columns);
  return columns;
}

template <typename Of>
std::vector<SummaryColumn<Of>> those_of(std::vector<SummaryColumn<Of>> columns,
                                        numbers::Whose whose) {
  std::erase_if(columns, [whose](const auto& column) {
    return whose != numbers::Whose::both && column.whose != numbers::Whose::both &&
           column.whose != whose;
  });
  return columns;
}

}  // namespace

std::vector<SummaryColumn<CpuSummary>> cpu_columns(numbers::View view, numbers::Whose whose) {
  static const auto scheduling = columns_of(numbers::View::scheduling);
  static const auto gil = columns_of(numbers::View::gil);
  return those_of(view == numbers::View::gil ? gil : scheduling, whose);
}

std::vector<SummaryColumn<ThreadSummary>> thread_columns(numbers::Whose whose) {
  static const auto columns = columns_of_threads();
  return those_of(columns, whose);
}

}  // namespace gilscope
