#include "tools/export/rows.h"

#include <fmt/format.h>

#include <concepts>

namespace gilscope {
namespace {

// Writes values under their columns, whatever their types.
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
  row("acquires", counts.acquires);
  row("releases", counts.releases);
  row("contended", counts.contended);
  row("woken_lost", counts.woken_lost);
  row("timed_out", counts.timed_out);
  row("drop_requests", counts.drop_requests);
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

struct CoreSums {
  uint64_t segments = 0, on_cpu_ns = 0, wakeups = 0, migrations_wakeup = 0, migrations_preempt = 0,
           wasted_wakeups = 0, holder_preempted = 0;
};

std::optional<CoreSums> sums(const Run& run) {
  if (run.cores.empty()) return std::nullopt;
  CoreSums sums;
  for (const Core& core : run.cores) {
    sums.segments += core.segments;
    sums.on_cpu_ns += core.on_cpu_ns;
    sums.wakeups += core.wakeups.ran;
    sums.migrations_wakeup += core.migrations.wakeup;
    sums.migrations_preempt += core.migrations.preempt;
    sums.wasted_wakeups += core.wasted_wakeups;
    sums.holder_preempted += core.holder_preempted;
  }
  return sums;
}

void cores_together(Row& row, const Run& run) {
  const auto of = sums(run);
  const auto sum = [&](const char* column, uint64_t CoreSums::*member) {
    row(column, of ? std::optional((*of).*member) : std::nullopt);
  };
  sum("segments", &CoreSums::segments);
  sum("on_cpu_ns", &CoreSums::on_cpu_ns);
  sum("wakeups", &CoreSums::wakeups);
  sum("migrations_wakeup", &CoreSums::migrations_wakeup);
  sum("migrations_preempt", &CoreSums::migrations_preempt);
  sum("wasted_wakeups", &CoreSums::wasted_wakeups);
  sum("holder_preempted", &CoreSums::holder_preempted);
}

void losses(Row& row, const std::optional<Lost>& lost) {
  const auto count = [&](const char* column, uint64_t Lost::*member) {
    row(column, lost ? std::optional((*lost).*member) : std::nullopt);
  };
  count("records_dropped", &Lost::segments);
  count("discarded", &Lost::discarded);
  count("censored", &Lost::censored);
  count("untracked_threads", &Lost::untracked_threads);
  count("missed_switches", &Lost::missed_switches);
  count("recursion_misses", &Lost::recursion_misses);
  row("window_late_ns", lost ? lost->window_late_ns : std::nullopt);
}

// "steal=0.0625>0.05 throttled=?>0": each gate that was hit, or could not be judged.
std::string gates(const Run& run) {
  return joined(run.gates, [](const GateResult& result) {
    return fmt::format("{}={}>{}", result.gate,
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
  row("gated", run.gated());
  row("gates", gates(run));
  row("started_at", run.started_at);
  row("wall_ns", run.wall_ns);
  row("window_ns", run.window_ns);
  row("opened_ns", run.opened_ns);
  row("steal_ns", run.steal_ns);
  row("steal_over_ns", run.steal_over_ns);
  row("stopped_by", joined(run.stopped_by, [](const std::string& way) { return way; }));
  row("user_ns", run.rusage.user_ns);
  row("system_ns", run.rusage.system_ns);
  row("voluntary_switches", run.rusage.voluntary_switches);
  row("involuntary_switches", run.rusage.involuntary_switches);
  row("minor_faults", run.rusage.minor_faults);
  row("major_faults", run.rusage.major_faults);
  row("max_rss_bytes", run.rusage.max_rss_bytes);
  gil(row, run.gil);
  cores_together(row, run);
  histograms(row, run.histograms ? &*run.histograms : nullptr);
  row.known_if(run.trace == "full", "segment_records", run.segment_records);
  losses(row, run.lost);
  const auto& cost = run.tracer_cost;
  row("tracer_cost_bpf_ns", cost ? std::optional(cost->bpf_ns) : std::nullopt);
  row("tracer_cost_bpf_runs", cost ? std::optional(cost->bpf_runs) : std::nullopt);
  row("client_cpus", run.client ? std::optional(cpus(run.client->cpus)) : std::nullopt);
  row("client_cpu_ns", run.client ? std::optional(run.client->cpu_ns) : std::nullopt);
  row("samples_file", run.samples_file);
  row("segments_file", run.segments_file);
  for (const std::string& name : results) {
    const auto result = run.workload.find(name);
    const bool has = result != run.workload.end();
    row("workload." + name, has ? std::optional(result->second) : std::nullopt);
  }
}

void write_core_row(RowWriter& writer, const ExportedRun& exported, const Core& core) {
  Row row(writer, RowKind::core);
  which_run(row, exported);
  row("cpu", core.cpu);
  row("observed", core.observed);
  row("segments", core.segments);
  row("records_dropped", core.records_dropped);
  row.known_if(core.observed || core.on_cpu_ns, "on_cpu_ns", core.on_cpu_ns);
  row("foreign_ns", core.foreign_ns);
  row("idle_ns", core.idle_ns);
  row("harness_ns", core.harness_ns);
  row("wakeups_waker", core.wakeups.waker);
  row("wakeups_previous", core.wakeups.previous);
  row("wakeups_placed", core.wakeups.placed);
  row("wakeups_ran", core.wakeups.ran);
  row("migrations_wakeup", core.migrations.wakeup);
  row("migrations_preempt", core.migrations.preempt);
  row("migrations_raw_in", core.migrations.raw_in);
  row("migrations_raw_out", core.migrations.raw_out);
  row("acquires", core.acquires);
  row("contended", core.failed.contended);
  row("woken_lost", core.failed.woken_lost);
  row("timed_out", core.failed.timed_out);
  row("wasted_wakeups", core.wasted_wakeups);
  row("holder_preempted", core.holder_preempted);
  row("drop_requests", core.drop_requests);
  histograms(row, &core.histograms);
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
  const auto used = [&](const char* column, uint64_t ThreadUsage::*member) {
    row(column, thread.usage ? std::optional((*thread.usage).*member) : std::nullopt);
  };
  used("usage_cpu_ns", &ThreadUsage::cpu_ns);
  used("usage_voluntary_switches", &ThreadUsage::voluntary_switches);
  used("usage_involuntary_switches", &ThreadUsage::involuntary_switches);
  used("usage_slack_switches", &ThreadUsage::slack_switches);
  row("tid", thread.trace ? std::optional(thread.trace->tid) : std::nullopt);
  const auto traced = [&](const char* column, uint64_t ThreadTrace::*member) {
    row(column, thread.trace ? std::optional((*thread.trace).*member) : std::nullopt);
  };
  traced("entered_ns", &ThreadTrace::entered_ns);
  traced("left_ns", &ThreadTrace::left_ns);
  traced("segments", &ThreadTrace::segments);
  traced("on_cpu_ns", &ThreadTrace::on_cpu_ns);
  traced("stolen_ns", &ThreadTrace::stolen_ns);
  traced("voluntary_switches", &ThreadTrace::voluntary_switches);
  traced("involuntary_switches", &ThreadTrace::involuntary_switches);
  traced("wakeups", &ThreadTrace::wakeups);
  traced("raw_wakeups", &ThreadTrace::raw_wakeups);
  traced("migrations_wakeup", &ThreadTrace::migrations_wakeup);
  traced("migrations_preempt", &ThreadTrace::migrations_preempt);
  traced("migrations_raw", &ThreadTrace::migrations_raw);
  traced("wasted_wakeups", &ThreadTrace::wasted_wakeups);
  traced("holder_preempted", &ThreadTrace::holder_preempted);
  histograms(row, thread.trace ? &thread.trace->histograms : nullptr);
  const auto counted = [&](const char* column, std::optional<uint64_t> ThreadPerf::*member) {
    row(column, thread.perf ? (*thread.perf).*member : std::nullopt);
  };
  counted("perf_cycles", &ThreadPerf::cycles);
  counted("perf_instructions", &ThreadPerf::instructions);
  counted("perf_cache_misses", &ThreadPerf::cache_misses);
  counted("perf_context_switches", &ThreadPerf::context_switches);
  counted("perf_migrations", &ThreadPerf::migrations);
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
  row("acquires", s.acquires);
  row("contended", s.contended);
  row("woken_lost", s.woken_lost);
  row("timed_out", s.timed_out);
  row("drop_requests", s.drop_requests);
  // On every row, because a row is all that some will ever see.
  row("run_records_dropped", exported.dropped());
}

}  // namespace gilscope
