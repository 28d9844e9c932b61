#include "tools/export/rows.h"

#include <fmt/format.h>

#include <concepts>

#include "userspace/report/sums.h"

namespace gilscope {
namespace {

// Writes values of any type under their columns.
class Row {
 public:
  Row(RowWriter& writer, RowKind kind) : writer_(writer) { writer_.begin(kind); }
  ~Row() { writer_.end(); }
  Row(const Row&) = delete;
  Row& operator=(const Row&) = delete;

  template <typename Value>
  void operator()(std::string_view column, const Value& value) {
    if constexpr (std::same_as<Value, bool>) {
      writer_.truth(column, value);
    } else if constexpr (std::integral<Value>) {
      writer_.number(column, static_cast<uint64_t>(value));
    } else if constexpr (std::floating_point<Value>) {
      writer_.real(column, value);
    } else {
      writer_.text(column, value);
    }
  }
  template <typename Value>
  void operator()(std::string_view column, const std::optional<Value>& value) {
    if (value) {
      (*this)(column, *value);
    } else {
      writer_.nothing(column);
    }
  }
  template <typename Value>
  void known_if(bool known, std::string_view column, const Value& value) {
    (*this)(column, known ? std::optional(value) : std::nullopt);
  }

 private:
  RowWriter& writer_;
};

// "0 2 5"
template <typename Items, typename Text>
std::string joined(const Items& items, Text text) {
  std::string all;
  for (const auto& item : items) all += (all.empty() ? "" : " ") + text(item);
  return all;
}

void which_run(Row& row, const ExportedRun& exported) {
  row("cell", exported.cell_index);
  row("block", exported.run->block);
  row("trace", exported.run->trace);
}

void gil(Row& row, const GilCounts& counts) {
  // An untraced run of a real program counts nothing.
  const bool seen = counts.acquires || counts.undecided;
#define GIL(key, ...) row.known_if(seen, #key, counts.key);
#include "bpf/numbers.def"
}

void gil_of_subject(Row& row, const GilCounts& counts) {
#define GIL_OF_SUBJECT(key, definition) row(#key, counts.key);
#include "bpf/numbers.def"
}

// Behind all other columns of a run.
void subject(Row& row, const Cell& cell, const GilCounts& gil) {
  gil_of_subject(row, gil);
#define GIL_OF_PROCESS(key, definition) row(#key, gil.key);
#include "bpf/numbers.def"
  row("doubt", gil.doubt);
  const auto& subject = cell.subject;
  const auto of_subject = [&](const char* column, const auto CellSubject::*member) {
    row(column, subject ? std::optional((*subject).*member) : std::nullopt);
  };
  of_subject("kind", &CellSubject::kind);
  of_subject("lock", &CellSubject::lock);
  of_subject("interpreter", &CellSubject::interpreter);
  of_subject("version", &CellSubject::version);
  of_subject("executable", &CellSubject::executable);
  of_subject("build_id", &CellSubject::build_id);
  of_subject("pid", &CellSubject::pid);
  const auto* gil_of_it = subject && subject->gil ? &*subject->gil : nullptr;
  const auto of_gil = [&](const char* column, const auto SubjectGil::*member) {
    row(column, gil_of_it ? std::optional(gil_of_it->*member) : std::nullopt);
  };
  of_gil("gil_object", &SubjectGil::object);
  of_gil("gil_symbol", &SubjectGil::symbol);
  of_gil("gil_offset", &SubjectGil::offset);
  of_gil("gil_found_by", &SubjectGil::found_by);
  of_gil("gil_confirmed_by", &SubjectGil::confirmed_by);
}

void histogram(Row& row, const std::string& name, const Histogram* of) {
  const bool some = of && of->count();
  row(name + "_count", of ? std::optional(of->count()) : std::nullopt);
  row(name + "_p50_ns", some ? of->quantile_ns(0.50) : std::nullopt);
  row(name + "_p99_ns", some ? of->quantile_ns(0.99) : std::nullopt);
  row(name + "_max_ns", some ? std::optional(of->max_ns) : std::nullopt);
}

void histograms(Row& row, const Histograms* of) {
  histogram(row, "wake_to_run", of ? &of->wake_to_run : nullptr);
  histogram(row, "preempt_wait", of ? &of->preempt_wait : nullptr);
  histogram(row, "run", of ? &of->run : nullptr);
}

// The sums over the CPUs of an untraced run are unknown.
void cpus_together(Row& row, const Run& run) {
  const auto sum = [&](const char* column, auto value) {
    if (column) row(column, run.cpus.empty() ? std::nullopt : sum_over(run.cpus, value));
  };
#define CPU_NUMBER(path, field, csv, from, since, member, definition, ...) \
  sum(GILSCOPE_ROW(__VA_ARGS__).summed, [](const CpuTrace& cpu) { return cpu.path; });
#include "bpf/numbers.def"
}

void losses(Row& row, const std::optional<Lost>& lost) {
#define LOST(key, csv, ...) row(#csv, lost ? std::optional<uint64_t>(lost->key) : std::nullopt);
#include "bpf/numbers.def"
}

// "steal=0.0625>0.05 throttled=?>0": each disturbance limit that was hit, or could not be judged.
std::string disturbances(const Run& run) {
  return joined(run.disturbances, [](const Disturbance& result) {
    return fmt::format("{}={}>{}", result.kind,
                       result.value ? fmt::format("{}", *result.value) : "?", result.limit);
  });
}

std::string cpus(const std::vector<int>& list) {
  return joined(list, [](int cpu) { return std::to_string(cpu); });
}

const char* word(enum gilscope_began began) {
  switch (began) {
    case GILSCOPE_BEGAN_ENTERED:
      return "entered";
    case GILSCOPE_BEGAN_WOKEN:
      return "woken";
    case GILSCOPE_BEGAN_PREEMPTED:
      break;
  }
  return "preempted";
}

const char* word(enum gilscope_ended ended) {
  switch (ended) {
    case GILSCOPE_ENDED_PREEMPTED:
      return "preempted";
    case GILSCOPE_ENDED_BLOCKED_GIL:
      return "blocked_gil";
    case GILSCOPE_ENDED_BLOCKED:
      return "blocked";
    case GILSCOPE_ENDED_LEFT:
      return "left";
    case GILSCOPE_ENDED_EXITED:
      break;
  }
  return "exited";
}

constexpr std::pair<const char*, enum gilscope_seen> kSeen[] = {
    {"undecided", GILSCOPE_SEEN_UNDECIDED},
    {"mutex_sleep", GILSCOPE_SEEN_MUTEX_SLEEP},
    {"release_stall", GILSCOPE_SEEN_RELEASE_STALL},
    {"same_wait", GILSCOPE_SEEN_SAME_WAIT},
};

const char* word(enum gilscope_gil_state state) {
  switch (state) {
    case GILSCOPE_OUTSIDE:
      return "outside";
    case GILSCOPE_WAITING:
      return "waiting";
    case GILSCOPE_HOLDING:
      break;
  }
  return "holding";
}

}  // namespace

std::set<std::string> workload_results(const std::vector<ExportedRun>& runs) {
  std::set<std::string> names;
  for (const ExportedRun& exported : runs) {
    for (const auto& [name, value] : exported.run->workload) names.insert(name);
  }
  return names;
}

void write_run_row(RowWriter& writer, const ExportedRun& exported,
                   const std::set<std::string>& results) {
  const Cell& cell = *exported.cell;
  const Run& run = *exported.run;
  Row row(writer, RowKind::run);
  which_run(row, exported);
  row("policy", cell.policy);
  row("workload", cell.workload);
  row("arrangement", cell.arrangement);
  row("threads", cell.threads);
  row("cpus", cell.cpus);
  row("cpu_list", cpus(cell.cpu_list));
  row("cpus_by", cell.cpus_by);
  row("cpu_order", cell.cpu_order);
  row("main_exit", cell.main_exit);
  row("bounded_by", bounded_by_time(cell) ? "time" : "work");
  row("warmup", run.warmup);
  row("order", run.order);
  row("status", run.status);
  row("failure", run.failure);
  row("gated", run.disturbed());
  row("gates", disturbances(run));
  row("started_at", run.started_at);
#define RUN(key, ...) row(#key, run.key);
#include "bpf/numbers.def"
  row("stopped_by", joined(run.stopped_by, [](const std::string& way) { return way; }));
#define RUSAGE(key, definition) row(#key, run.rusage.key);
#include "bpf/numbers.def"
  gil(row, run.gil);
  cpus_together(row, run);
  histograms(row, run.histograms ? &*run.histograms : nullptr);
  row.known_if(run.trace == "full", "segment_records", run.segment_records);
  losses(row, run.lost);
  const auto& cost = run.tracer_cost;
#define COST(key, definition) \
  row("tracer_cost_" #key, cost ? std::optional(cost->key) : std::nullopt);
#include "bpf/numbers.def"
  row("client_cpus", run.client ? std::optional(cpus(run.client->cpus)) : std::nullopt);
  row("client_cpu_ns", run.client ? std::optional(run.client->cpu_ns) : std::nullopt);
  row("samples_file", run.samples_file);
  row("segments_file", run.segments_file);
  if (exported.of_subjects) subject(row, cell, run.gil);
  for (const std::string& name : results) {
    const auto result = run.workload.find(name);
    const bool has = result != run.workload.end();
    row("workload." + name, has ? std::optional(result->second) : std::nullopt);
  }
}

void write_cpu_row(RowWriter& writer, const ExportedRun& exported, const CpuTrace& cpu) {
  Row row(writer, RowKind::cpu);
  which_run(row, exported);
  row("cpu", cpu.cpu);
  row("observed", cpu.observed);
#define GILSCOPE_COLUMN_own(path, csv) row(#csv, cpu.path);
#define GILSCOPE_COLUMN_both(path, csv) row(#csv, cpu.path);
#define GILSCOPE_COLUMN_remote(path, csv) row(#csv, cpu.path);
#define GILSCOPE_COLUMN_gil(path, csv) row(#csv, cpu.path);
#define GILSCOPE_COLUMN_gil_of_models(path, csv) row(#csv, cpu.path);
#define GILSCOPE_COLUMN_subject(path, csv) \
  if (exported.of_subjects) row(#csv, cpu.path);
#define GILSCOPE_COLUMN_occupant(path, csv) row(#csv, cpu.path);
#define GILSCOPE_COLUMN_running(path, csv) row(#csv, cpu.known_##path());
#define CPU_NUMBER(path, field, csv, from, ...) GILSCOPE_COLUMN_##from(path, csv)
#include "bpf/numbers.def"
  histograms(row, &cpu.histograms);
}

void write_thread_row(RowWriter& writer, const ExportedRun& exported, size_t slot) {
  const Thread& thread = exported.run->threads[slot];
  Row row(writer, RowKind::thread);
  which_run(row, exported);
  row("thread", slot);
  row("name", thread.name);
  row("role", thread.role);
  row("ended", thread.ended);
  row("daemon", thread.daemon);
  row("operations", thread.operations);
  gil(row, thread.gil);
#define USAGE(key, definition) \
  row("usage_" #key, thread.usage ? std::optional(thread.usage->key) : std::nullopt);
#include "bpf/numbers.def"
  row("tid", thread.trace ? std::optional(thread.trace->tid) : std::nullopt);
  const auto traced = [&](const char* column, auto value) {
    row(column, thread.trace ? std::optional<uint64_t>(value(*thread.trace)) : std::nullopt);
  };
  traced("entered_ns", [](const ThreadTrace& trace) { return trace.entered_ns; });
  traced("left_ns", [](const ThreadTrace& trace) { return trace.left_ns; });
#define THREAD_NUMBER(field, ...) \
  traced(#field, [](const ThreadTrace& trace) { return trace.field; });
#include "bpf/numbers.def"
  histograms(row, thread.trace ? &thread.trace->histograms : nullptr);
#define PERF(key, event, definition) \
  row("perf_" #key, thread.perf ? thread.perf->key : std::nullopt);
#include "bpf/numbers.def"
  if (exported.of_subjects) gil_of_subject(row, thread.gil);
}

void write_segment_row(RowWriter& writer, const ExportedRun& exported, const gilscope_segment& s) {
  const Thread& thread = exported.run->threads[s.thread];
  const bool woken = s.began == GILSCOPE_BEGAN_WOKEN;
  Row row(writer, RowKind::segment);
  row("cell", exported.cell_index);
  row("block", exported.run->block);
  row("thread", s.thread);
  row("tid", thread.trace ? std::optional(thread.trace->tid) : std::nullopt);
  row("name", thread.name);
  row("cpu", s.cpu);
  row.known_if(s.previous_cpu != GILSCOPE_NO_CPU, "previous_cpu", s.previous_cpu);
  row.known_if(s.began != GILSCOPE_BEGAN_ENTERED, "ready_ns", s.ready_ns);
  row("run_ns", s.run_ns);
  row("end_ns", s.end_ns);
  row("began", word(static_cast<enum gilscope_began>(s.began)));
  row("ended", word(static_cast<enum gilscope_ended>(s.ended)));
  row("gil_state", word(static_cast<enum gilscope_gil_state>(s.gil_state)));
  row.known_if(woken, "waker_tid", s.waker_tid);
  row.known_if(woken && s.waker_cpu != GILSCOPE_NO_CPU, "waker_cpu", s.waker_cpu);
  row.known_if(woken && s.placed_cpu != GILSCOPE_NO_CPU, "placed_cpu", s.placed_cpu);
  // A real program's slot is made up: it has no requests, and an acquisition only after a wait.
  const bool of_subject = exported.cell->subject.has_value();
#define GILSCOPE_GREW_always(key) row(#key, s.key);
#define GILSCOPE_GREW_optional(key) row.known_if(!of_subject, #key, s.key);
#define GIL(key, known, definition) GILSCOPE_GREW_##known(key)
#define GIL_OF_THREAD(key, ...)
#include "bpf/numbers.def"
  // On every row, because some readers see one row alone.
  row("run_records_dropped", exported.dropped());
  if (!exported.of_subjects) return;
  row.known_if(of_subject, "acquired_after_wait", s.acquires);
  for (const auto& [column, flag] : kSeen) row.known_if(of_subject, column, (s.seen & flag) != 0);
}

}  // namespace gilscope
