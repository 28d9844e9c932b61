// Every key of the report, once, in the order in which it is written; those of numbers come from
// bpf/numbers.def. The writer and the reader each bring a visitor, so neither can know a key that
// the other does not.
//
// A visitor f understands
//   f(key, value)                  a value, an optional one (null), a vector, another model struct
//   f.derived(key, value)          written for the reader's comfort, never read back
//   f.known_if(known, key, value)  null unless known
//   f.if_any(key, list or text)    no key at all for an empty one; nor for an empty optional value
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

// Whether anything was looked at: a model's threads count themselves, a real program is traced or
// counts nothing.
inline bool seen(const GilCounts& gil) {
  return gil.acquires || gil.undecided;
}
inline GilCounts unseen() {
  GilCounts gil;
  gil.acquires = gil.releases = gil.drop_requests = std::nullopt;
  return gil;
}

void fields(auto& f, Of<GilCounts> auto& gil) {
#define GIL(key, ...) f(#key, gil.key);
#define GIL_OF_SUBJECT(key, definition) f.if_any(#key, gil.key);
#define GIL_OF_PROCESS(key, definition) f.if_any(#key, gil.key);
#include "bpf/numbers.def"
  f.if_any("doubt", gil.doubt);
}

void fields(auto& f, Of<FailedCounts> auto& failed) {
#define GILSCOPE_FAILED_gil(key) f(#key, failed.key);
#define GILSCOPE_FAILED_subject(key) f.if_any(#key, failed.key);
#define FAILED(key, from, ...) GILSCOPE_FAILED_##from(key)
#include "bpf/numbers.def"
}

void fields(auto& f, Of<WakeupCounts> auto& wakeups) {
#define WAKEUPS(key, ...) f(#key, wakeups.key);
#include "bpf/numbers.def"
}

void fields(auto& f, Of<MigrationCounts> auto& migrations) {
#define MIGRATIONS(key, ...) f(#key, migrations.key);
#include "bpf/numbers.def"
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

void fields(auto& f, Of<CpuTrace> auto& cpu) {
  f("cpu", cpu.cpu);
  f("observed", cpu.observed);
#define GILSCOPE_KEY_own(key) f(#key, cpu.key);
#define GILSCOPE_KEY_both(key) f(#key, cpu.key);
#define GILSCOPE_KEY_remote(key) f(#key, cpu.key);
#define GILSCOPE_KEY_gil(key) f(#key, cpu.key);
#define GILSCOPE_KEY_gil_of_models(key) f(#key, cpu.key);
#define GILSCOPE_KEY_subject(key) f.if_any(#key, cpu.key);
#define GILSCOPE_KEY_occupant(key) f(#key, cpu.key);
#define GILSCOPE_KEY_running(key) f.known_if(cpu.known_##key().has_value(), #key, cpu.key);
#define CPU(key, from, ...) GILSCOPE_KEY_##from(key)
#define CPU_OBJECT(object) f(#object, cpu.object);
#include "bpf/numbers.def"
  f("histograms", cpu.histograms);
}

void fields(auto& f, Of<ThreadUsage> auto& usage) {
#define USAGE(key, definition) f(#key, usage.key);
#include "bpf/numbers.def"
}

void fields(auto& f, Of<ThreadTrace> auto& trace) {
  f("tid", trace.tid);
  f("entered_ns", trace.entered_ns);
  f("left_ns", trace.left_ns);
  const auto migrations = [&](auto& inner) {
#define THREAD_MIGRATIONS(key, ...) inner(#key, trace.migrations_##key);
#include "bpf/numbers.def"
  };
#define THREAD(key, ...) f(#key, trace.key);
#define THREAD_OBJECT(name) f.object(#name, name);
#include "bpf/numbers.def"
  f("gil", trace.gil);
  f("histograms", trace.histograms);
}

void fields(auto& f, Of<ThreadPerf> auto& perf) {
#define PERF(key, event, definition) f(#key, perf.key);
#include "bpf/numbers.def"
}

void fields(auto& f, Of<Thread> auto& thread) {
  f("name", thread.name);
  f("role", thread.role);
  f("ended", thread.ended);
  f("daemon", thread.daemon);
  f("operations", thread.operations);
  f.known_if(seen(thread.gil), "gil", thread.gil);
  f("usage", thread.usage);
  f("trace", thread.trace);
  f("perf", thread.perf);
}

void fields(auto& f, Of<ResourceUsage> auto& rusage) {
#define RUSAGE(key, definition) f(#key, rusage.key);
#include "bpf/numbers.def"
}

void fields(auto& f, Of<Client> auto& client) {
  f("cpus", client.cpus);
  f("cpu_ns", client.cpu_ns);
}

void fields(auto& f, Of<Lost> auto& lost) {
#define LOST(key, ...) f(#key, lost.key);
#include "bpf/numbers.def"
}

void fields(auto& f, Of<TracerCost> auto& cost) {
#define COST(key, definition) f(#key, cost.key);
#include "bpf/numbers.def"
}

void fields(auto& f, Of<Disturbance> auto& result) {
  f("gate", result.kind);
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
  f.if_any("pid", run.pid);
#define RUN(key, ...) f(#key, run.key);
#include "bpf/numbers.def"
  f("rusage", run.rusage);
  f.known_if(seen(run.gil), "gil", run.gil);
  f("cores", run.cpus);
  f("threads", run.threads);
  f("histograms", run.histograms);
  f("lost", run.lost);
  f("tracer_cost", run.tracer_cost);
  f("workload", run.workload);
  f("client", run.client);
  f("samples_file", run.samples_file);
  f("segments_file", run.segments_file);
  f("segment_records", run.segment_records);
  f("gates", run.disturbances);
  f.if_any("stopped_by", run.stopped_by);
}

void fields(auto& f, Of<SubjectGil> auto& gil) {
  f("object", gil.object);
  f("symbol", gil.symbol);
  f("offset", gil.offset);
  f("found_by", gil.found_by);
  f("confirmed_by", gil.confirmed_by);
}

void fields(auto& f, Of<CellSubject> auto& subject) {
  f("kind", subject.kind);
  f.if_any("lock", subject.lock);
  f("interpreter", subject.interpreter);
  f("version", subject.version);
  f("executable", subject.executable);
  f("build_id", subject.build_id);
  f("pid", subject.pid);
  f("gil", subject.gil);
  f("gils_of_others", subject.gils_of_others);
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
  f.if_any("subject", cell.subject);
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
