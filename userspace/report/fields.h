// Every key of the report, once, in the order in which it is written. The writer and the reader
// each bring a visitor, so neither can know a key that the other does not.
//
// A visitor f understands
//   f(key, value)                  a value, an optional one (null), a vector, another model struct
//   f.derived(key, value)          written for the reader's comfort, never read back
//   f.known_if(known, key, value)  null unless known
//   f.if_any(key, list or text)    no key at all for an empty one
//   f.object(key, body)            keys that stand together in an object of their own
//   f.environment(report)          facts, with the two moments nested inside them
#pragma once

#include <concepts>
#include <type_traits>

#include "userspace/report/model.h"

namespace gilscope {

inline constexpr const char* kReportSchemaName = "gilscope.report";

// T is Model or const Model: reading fills what writing only looks at.
template <typename T, typename Model>
concept Of = std::same_as<std::remove_const_t<T>, Model>;

void fields(auto& f, Of<GilCounts> auto& gil) {
  f("acquires", gil.acquires);
  f("releases", gil.releases);
  f("contended", gil.contended);
  f("woken_lost", gil.woken_lost);
  f("timed_out", gil.timed_out);
  f("drop_requests", gil.drop_requests);
}

void fields(auto& f, Of<FailedCounts> auto& failed) {
  f("contended", failed.contended);
  f("woken_lost", failed.woken_lost);
  f("timed_out", failed.timed_out);
}

void fields(auto& f, Of<WakeupCounts> auto& wakeups) {
  f("waker", wakeups.waker);
  f("previous", wakeups.previous);
  f("placed", wakeups.placed);
  f("ran", wakeups.ran);
}

void fields(auto& f, Of<MigrationCounts> auto& migrations) {
  f("wakeup", migrations.wakeup);
  f("preempt", migrations.preempt);
  f("raw_in", migrations.raw_in);
  f("raw_out", migrations.raw_out);
}

void fields(auto& f, Of<Histogram> auto& histogram) {
  f.derived("count", histogram.count());
  f.known_if(!histogram.buckets.empty(), "max_ns", histogram.max_ns);
  f.derived("p50_ns", histogram.quantile_ns(0.50));
  f.derived("p99_ns", histogram.quantile_ns(0.99));
  f("buckets", histogram.buckets);
}

void fields(auto& f, Of<Histograms> auto& histograms) {
  f("wake_to_run", histograms.wake_to_run);
  f("preempt_wait", histograms.preempt_wait);
  f("run", histograms.run);
}

void fields(auto& f, Of<Core> auto& core) {
  f("cpu", core.cpu);
  f("observed", core.observed);
  f("segments", core.segments);
  f("records_dropped", core.records_dropped);
  f.known_if(core.observed || core.on_cpu_ns != 0, "on_cpu_ns", core.on_cpu_ns);
  f("foreign_ns", core.foreign_ns);
  f("idle_ns", core.idle_ns);
  f("harness_ns", core.harness_ns);
  f("wakeups", core.wakeups);
  f("migrations", core.migrations);
  f("failed", core.failed);
  f("acquires", core.acquires);
  f("wasted_wakeups", core.wasted_wakeups);
  f("holder_preempted", core.holder_preempted);
  f("drop_requests", core.drop_requests);  // reports before 1.3 have none
  f("histograms", core.histograms);
}

void fields(auto& f, Of<ThreadUsage> auto& usage) {
  f("cpu_ns", usage.cpu_ns);
  f("voluntary_switches", usage.voluntary_switches);
  f("involuntary_switches", usage.involuntary_switches);
  f("slack_switches", usage.slack_switches);
}

void fields(auto& f, Of<ThreadTrace> auto& trace) {
  f("tid", trace.tid);
  f("entered_ns", trace.entered_ns);
  f("left_ns", trace.left_ns);
  f("segments", trace.segments);
  f("on_cpu_ns", trace.on_cpu_ns);
  f("stolen_ns", trace.stolen_ns);
  f("voluntary_switches", trace.voluntary_switches);
  f("involuntary_switches", trace.involuntary_switches);
  f("wakeups", trace.wakeups);
  f("raw_wakeups", trace.raw_wakeups);
  f.object("migrations", [&](auto& inner) {
    inner("wakeup", trace.migrations_wakeup);
    inner("preempt", trace.migrations_preempt);
    inner("raw", trace.migrations_raw);
  });
  f("wasted_wakeups", trace.wasted_wakeups);
  f("holder_preempted", trace.holder_preempted);
  f("gil", trace.gil);
  f("histograms", trace.histograms);
}

void fields(auto& f, Of<ThreadPerf> auto& perf) {
  f("cycles", perf.cycles);
  f("instructions", perf.instructions);
  f("cache_misses", perf.cache_misses);
  f("context_switches", perf.context_switches);
  f("migrations", perf.migrations);
}

void fields(auto& f, Of<Thread> auto& thread) {
  f("name", thread.name);
  f("role", thread.role);
  f("ended", thread.ended);
  f("daemon", thread.daemon);
  f("operations", thread.operations);
  f("gil", thread.gil);
  f("usage", thread.usage);
  f("trace", thread.trace);
  f("perf", thread.perf);
}

void fields(auto& f, Of<ResourceUsage> auto& rusage) {
  f("user_ns", rusage.user_ns);
  f("system_ns", rusage.system_ns);
  f("voluntary_switches", rusage.voluntary_switches);
  f("involuntary_switches", rusage.involuntary_switches);
  f("minor_faults", rusage.minor_faults);
  f("major_faults", rusage.major_faults);
  f("max_rss_bytes", rusage.max_rss_bytes);
}

void fields(auto& f, Of<Client> auto& client) {
  f("cpus", client.cpus);
  f("cpu_ns", client.cpu_ns);
}

void fields(auto& f, Of<Lost> auto& lost) {
  f("segments", lost.segments);
  f("discarded", lost.discarded);
  f("censored", lost.censored);
  f("untracked_threads", lost.untracked_threads);
  f("missed_switches", lost.missed_switches);
  f("recursion_misses", lost.recursion_misses);
  f("window_late_ns", lost.window_late_ns);
}

void fields(auto& f, Of<TracerCost> auto& cost) {
  f("bpf_ns", cost.bpf_ns);
  f("bpf_runs", cost.bpf_runs);
}

void fields(auto& f, Of<GateResult> auto& result) {
  f("gate", result.gate);
  f("value", result.value);
  f("limit", result.limit);
}

void fields(auto& f, Of<Run> auto& run) {
  f("block", run.block);
  f("warmup", run.warmup);
  f("order", run.order);
  f.derived("traced", run.traced());
  f("trace", run.trace);
  f("status", run.status);
  f("failure", run.failure);
  f("started_at", run.started_at);
  f("wall_ns", run.wall_ns);
  f("window_ns", run.window_ns);
  f("opened_ns", run.opened_ns);
  f("steal_ns", run.steal_ns);
  f("steal_over_ns", run.steal_over_ns);  // reports before 1.3 have none
  f("rusage", run.rusage);
  f("gil", run.gil);
  f("cores", run.cores);
  f("threads", run.threads);
  f("histograms", run.histograms);
  f("lost", run.lost);
  f("tracer_cost", run.tracer_cost);
  f("workload", run.workload);
  f("client", run.client);
  f("samples_file", run.samples_file);
  f("segments_file", run.segments_file);
  f("segment_records", run.segment_records);
  f("gates", run.gates);
  f.if_any("stopped_by", run.stopped_by);
}

void fields(auto& f, Of<gilscope::Cell> auto& cell) {
  f("policy", cell.policy);
  f("workload", cell.workload);
  f("arrangement", cell.arrangement);
  f("threads", cell.threads);
  f("cpus", cell.cpus);
  f("cpu_list", cell.cpu_list);
  f("cpus_by", cell.cpus_by);
  f.if_any("cpu_order", cell.cpu_order);  // reports of 1.0 have none
  f("main_exit", cell.main_exit);
  f.if_any("bounded_by", cell.bounded_by);  // reports before 1.3 have none
  f("runs", cell.runs);
}

void fields(auto& f, Of<Report> auto& report) {
  f.object("schema", [&](auto& inner) {
    inner.derived("name", std::string(kReportSchemaName));
    inner("major", report.major);
    inner("minor", report.minor);
  });
  f("id", report.id);
  f("gilscope", report.gilscope);
  f("created_at", report.created_at);
  f("status", report.status);
  f.object("spec", [&](auto& inner) {
    inner("toml", report.spec);
    inner("sha256", report.spec_sha256);
  });
  f("seed", report.seed);
  f("blocks_planned", report.blocks_planned);
  f("warmup_planned", report.warmup_planned);
  f("claim", report.claim);
  f.environment(report);
  f("capabilities", report.capabilities);
  f("cells", report.cells);
  f.if_any("left_out", report.left_out);
}

}  // namespace gilscope
