// A report in which every member of the model has its own value, none a default. It conforms to the
// schema; its numbers do not add up.
#pragma once

#include <fmt/format.h>

#include <concepts>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "userspace/report/model.h"

namespace gilscope {

// Gives every member of the model its own value, none a default. The numbers come from
// bpf/numbers.def. Every other struct is decomposed by name, so this does not compile when the
// model grows. Give the new member its key in fields.h, the schema and docs/report.md, and its
// column in tools/export/rows.cpp; then add its name here.
class Filler {
 public:
  template <typename... Members>
  void all(Members&... members) {
    (fill(members), ...);
  }

  void fill(bool& value) { value = true; }
  void fill(std::integral auto& value) {
    value = static_cast<std::remove_reference_t<decltype(value)>>(++next_);
  }
  void fill(double& value) { value = static_cast<double>(++next_) + 0.5; }
  void fill(std::string& value) { value = fmt::format("text {}", ++next_); }
  void fill(Histogram::Bucket& bucket) {
    auto& [low, high, count] = bucket;
    all(low, high, count);
  }
  void fill(Histogram& histogram) {
    auto& [buckets, max] = histogram;
    all(buckets, max);
  }
  void fill(Histograms& histograms) {
    auto& [wake_to_run, preempt_wait, run] = histograms;
    all(wake_to_run, preempt_wait, run);
  }
  void fill(GilCounts& gil) {
#define GIL(key, ...) fill(gil.key);
#define GIL_OF_SUBJECT(key, definition) fill(gil.key);
#define GIL_OF_PROCESS(key, definition) fill(gil.key);
#include "bpf/numbers.def"
    fill(gil.doubt);
  }
  void fill(CpuTrace& per_cpu) {
    all(per_cpu.cpu, per_cpu.observed);
#define CPU_NUMBER(path, ...) fill(per_cpu.path);
#include "bpf/numbers.def"
    fill(per_cpu.histograms);
  }
  void fill(ThreadTrace& trace) {
    all(trace.tid, trace.entered_ns, trace.left_ns);
#define THREAD_NUMBER(field, ...) fill(trace.field);
#include "bpf/numbers.def"
    all(trace.gil, trace.histograms);
  }
  void fill(ThreadUsage& usage) {
#define USAGE(key, definition) fill(usage.key);
#include "bpf/numbers.def"
  }
  void fill(ThreadPerf& perf) {
#define PERF(key, event, definition) fill(perf.key);
#include "bpf/numbers.def"
  }
  void fill(Thread& thread) {
    auto& [name, role, ended, daemon, operations, gil, usage, trace, perf] = thread;
    all(name, role, ended, daemon, operations, gil, usage, trace, perf);
    role = "background", ended = "never_started";
  }
  void fill(ResourceUsage& rusage) {
#define RUSAGE(key, definition) fill(rusage.key);
#include "bpf/numbers.def"
  }
  void fill(gilscope::Client& client) {
    auto& [cpus, cpu] = client;
    all(cpus, cpu);
  }
  void fill(Lost& lost) {
#define LOST(key, ...) fill(lost.key);
#include "bpf/numbers.def"
  }
  void fill(TracerCost& cost) {
#define COST(key, definition) fill(cost.key);
#include "bpf/numbers.def"
  }
  void fill(Disturbance& result) {
    auto& [kind, value, limit] = result;
    all(kind, value, limit);
  }
  void fill(gilscope::Run& run) {
    all(run.block, run.warmup, run.order, run.trace, run.status, run.failure, run.started_at);
#define RUN(key, ...) fill(run.key);
#include "bpf/numbers.def"
    all(run.rusage, run.gil, run.cpus, run.threads, run.histograms, run.lost, run.tracer_cost,
        run.workload, run.client, run.samples_file, run.segments_file, run.segment_records,
        run.disturbances, run.stopped_by);
    run.trace = "full", run.status = "interrupted";
  }
  void fill(SubjectGil& gil) {
    auto& [object, symbol, offset, found_by, confirmed_by] = gil;
    all(object, symbol, offset, found_by, confirmed_by);
  }
  void fill(CellSubject& subject) {
    auto& [kind, interpreter, version, executable, build_id, pid, lock, gil, gils_of_others] =
        subject;
    all(kind, interpreter, version, executable, build_id, pid, lock, gil, gils_of_others);
  }
  void fill(Cell& cell) {
    auto& [policy, workload, arrangement, threads, cpus, cpu_list, cpus_by, cpu_order, main_exit,
           bounded_by, subject, runs] = cell;
    all(policy, workload, arrangement, threads, cpus, cpu_list, cpus_by, cpu_order, main_exit,
        bounded_by, subject, runs);
    arrangement = "threaded", cpus_by = "hotplug", cpu_order = "nodes-first", main_exit = "kill";
    bounded_by = "time";
  }
  void fill(Fact& fact) {
    auto& [key, value, reason] = fact;
    fill(key);
    value = std::monostate();  // with a reason; other tests cover facts
    fill(reason);
  }
  void fill(Report& report) {
    auto& [major, minor, id, version, created_at, status, spec, sha256, seed, blocks, warmups,
           claim, environment, before, after, capabilities, cells, left_out] = report;
    all(minor, id, version, created_at, status, spec, sha256, seed, blocks, warmups, claim,
        environment, before, after, capabilities, cells, left_out);
    major = kReportMajor, status = "interrupted", claim = "faster";
  }
  void fill(std::map<std::string, double>& map) {
    for (int i = 0; i < 2; ++i) fill(map[fmt::format("result {}", ++next_)]);
  }
  template <typename T>
  void fill(std::optional<T>& value) {
    fill(value.emplace());
  }
  template <typename T>
  void fill(std::vector<T>& values) {
    for (int i = 0; i < 2; ++i) fill(values.emplace_back());
  }

 private:
  int next_ = 100;
};

inline Report filled_report() {
  Report report;
  Filler().fill(report);
  return report;
}

}  // namespace gilscope
