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

// Gives every member of the model its own value, none a default. Each struct is decomposed by name,
// so this does not compile when the model grows. Give the new member its key in fields.h, the
// schema and docs/report.md, and its column in tools/export/rows.cpp; then add its name here.
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
    auto& [acquires, releases, contended, woken_lost, timed_out, drop_requests] = gil;
    all(acquires, releases, contended, woken_lost, timed_out, drop_requests);
  }
  void fill(FailedCounts& failed) {
    auto& [contended, woken_lost, timed_out] = failed;
    all(contended, woken_lost, timed_out);
  }
  void fill(WakeupCounts& wakeups) {
    auto& [waker, previous, placed, ran] = wakeups;
    all(waker, previous, placed, ran);
  }
  void fill(MigrationCounts& migrations) {
    auto& [wakeup, preempt, raw_in, raw_out] = migrations;
    all(wakeup, preempt, raw_in, raw_out);
  }
  void fill(Core& core) {
    auto& [cpu, observed, segments, records_dropped, on_cpu, foreign, idle, harness, wakeups,
           migrations, failed, acquires, wasted, preempted, drop_requests, histograms] = core;
    all(cpu, observed, segments, records_dropped, on_cpu, foreign, idle, harness, wakeups,
        migrations, failed, acquires, wasted, preempted, drop_requests, histograms);
  }
  void fill(ThreadTrace& trace) {
    auto& [tid, entered, left, segments, on_cpu, stolen, voluntary, involuntary, wakeups,
           raw_wakeups, migrations_wakeup, migrations_preempt, migrations_raw, wasted, preempted,
           gil, histograms] = trace;
    all(tid, entered, left, segments, on_cpu, stolen, voluntary, involuntary, wakeups, raw_wakeups,
        migrations_wakeup, migrations_preempt, migrations_raw, wasted, preempted, gil, histograms);
  }
  void fill(ThreadUsage& usage) {
    auto& [cpu, voluntary, involuntary, slack] = usage;
    all(cpu, voluntary, involuntary, slack);
  }
  void fill(ThreadPerf& perf) {
    auto& [cycles, instructions, cache_misses, context_switches, migrations] = perf;
    all(cycles, instructions, cache_misses, context_switches, migrations);
  }
  void fill(Thread& thread) {
    auto& [name, role, ended, daemon, operations, gil, usage, trace, perf] = thread;
    all(name, role, ended, daemon, operations, gil, usage, trace, perf);
    role = "background", ended = "never_started";
  }
  void fill(ResourceUsage& rusage) {
    auto& [user, system, voluntary, involuntary, minor_faults, major_faults, max_rss] = rusage;
    all(user, system, voluntary, involuntary, minor_faults, major_faults, max_rss);
  }
  void fill(gilscope::Client& client) {
    auto& [cpus, cpu] = client;
    all(cpus, cpu);
  }
  void fill(Lost& lost) {
    auto& [segments, discarded, censored, untracked, missed, recursion, window_late] = lost;
    all(segments, discarded, censored, untracked, missed, recursion, window_late);
  }
  void fill(TracerCost& cost) {
    auto& [ns, runs] = cost;
    all(ns, runs);
  }
  void fill(GateResult& result) {
    auto& [gate, value, limit] = result;
    all(gate, value, limit);
  }
  void fill(gilscope::Run& run) {
    auto& [block, warmup, order, trace, status, failure, started_at, wall, window, opened, steal,
           steal_over, rusage, gil, cores, threads, histograms, lost, cost, results, client,
           samples, segments, records, gates, stopped_by] = run;
    all(block, warmup, order, trace, status, failure, started_at, wall, window, opened, steal,
        steal_over, rusage, gil, cores, threads, histograms, lost, cost, results, client, samples,
        segments, records, gates, stopped_by);
    trace = "full", status = "interrupted";
  }
  void fill(Cell& cell) {
    auto& [policy, workload, arrangement, threads, cpus, cpu_list, cpus_by, cpu_order, main_exit,
           bounded_by, runs] = cell;
    all(policy, workload, arrangement, threads, cpus, cpu_list, cpus_by, cpu_order, main_exit,
        bounded_by, runs);
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
