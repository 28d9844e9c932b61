// A small report that uses everything a report can contain, and is consistent.
#pragma once

#include <fmt/format.h>

#include "userspace/report/model.h"

namespace gilscope::sample {

inline Histogram histogram(uint64_t count, uint64_t typical_ns) {
  if (count == 0) return {};
  const uint64_t few = count / 50;
  Histogram h;
  h.buckets.push_back({typical_ns, typical_ns + typical_ns / 8, count - few});
  if (few) h.buckets.push_back({typical_ns * 8, typical_ns * 9, few});
  h.max_ns = few ? typical_ns * 9 - 7 : typical_ns + typical_ns / 9;
  return h;
}

// The behaviour of one thread in one run, divided evenly among the CPUs.
struct Behaviour {
  uint64_t wall_ns = 0;
  uint64_t acquires = 0, contended = 0, woken_lost = 0, timed_out = 0, drop_requests = 0;
  uint64_t segments = 0, wakeups = 0, wasted = 0, preempted = 0;
};

inline Run run(const Behaviour& b, int block, bool warmup, const std::string& trace, int cpus) {
  Run r;
  r.block = block;
  r.warmup = warmup;
  r.trace = trace;
  r.order = trace == "off" ? 0 : 1;
  r.status = "done";
  r.started_at = fmt::format("2026-03-01T12:00:{:02}Z", block);
  // The blocks differ slightly, in the same way each time the report is built.
  r.wall_ns = b.wall_ns + b.wall_ns / 500 * uint64_t(block * 7 % 5);
  r.steal_ns = 0;
  r.rusage = {r.wall_ns, r.wall_ns / 20, 20, 10, 300, 0, 5 << 20};
  r.workload["operations_per_s"] = 1.25e8;
  const bool traced = trace != "off";
  if (traced) r.wall_ns += r.wall_ns / 100;
  for (int t = 0; t < 2; ++t) {
    Thread thread;
    thread.name = fmt::format("Thread-{}", t + 1);
    thread.role = "worker";
    thread.ended = "finished";
    thread.operations = 20'000'000;
    thread.gil = {b.acquires, b.acquires, b.contended, b.woken_lost, b.timed_out, b.drop_requests};
    thread.usage = ThreadUsage{r.wall_ns / 2, b.wakeups, b.preempted, 2};
    thread.perf = ThreadPerf{b.segments * 50'000, b.segments * 40'000, std::nullopt,
                             b.wakeups + b.preempted, b.wakeups / 100};
    if (traced) {
      ThreadTrace trace_of;
      trace_of.tid = 4000 + uint32_t(t);
      trace_of.entered_ns = 1'000'000'000;
      trace_of.left_ns = 1'000'000'000 + r.wall_ns;
      trace_of.segments = b.segments;
      trace_of.on_cpu_ns = r.wall_ns / 2;
      trace_of.voluntary_switches = b.wakeups;
      trace_of.involuntary_switches = b.preempted;
      trace_of.wakeups = b.wakeups;
      trace_of.raw_wakeups = b.wakeups;
      trace_of.migrations_wakeup = b.wakeups / 100;
      trace_of.migrations_preempt = b.preempted / 2;
      trace_of.migrations_raw = trace_of.migrations_wakeup + trace_of.migrations_preempt;
      trace_of.wasted_wakeups = b.wasted;
      trace_of.holder_preempted = b.preempted;
      trace_of.gil = thread.gil;
      trace_of.histograms = {histogram(b.wakeups, 4000), histogram(b.preempted, 3'000'000),
                             histogram(b.segments, 9000)};
      thread.trace = trace_of;
    }
    r.gil += thread.gil;
    r.threads.push_back(thread);
  }
  if (!traced) return r;

  r.window_ns = r.wall_ns;
  r.opened_ns = 999'990'000;
  r.histograms = Histograms{};
  r.lost = Lost{};
  r.lost->window_late_ns = 0;
  for (int c = 0; c < cpus; ++c) {
    // Everything is divisible by the number of CPUs: the sample has at most two, and two threads.
    const uint64_t share = 2 / uint64_t(cpus);
    CpuTrace cpu;
    cpu.cpu = c;
    cpu.observed = true;
    cpu.segments = b.segments * share;
    cpu.on_cpu_ns = r.wall_ns / uint64_t(cpus) * 98 / 100;
    cpu.foreign_ns = r.wall_ns / 200;
    cpu.idle_ns = r.wall_ns - cpu.on_cpu_ns - *cpu.foreign_ns;
    cpu.harness_ns = 20'000;
    cpu.wakeups = {b.wakeups * share, b.wakeups * share, b.wakeups * share, b.wakeups * share};
    cpu.migrations = {cpus == 1 ? 0 : b.wakeups / 100, cpus == 1 ? 0 : b.preempted / 2, 3, 3};
    cpu.failed = {b.contended * share, b.woken_lost * share, b.timed_out * share};
    cpu.acquires = b.acquires * share;
    cpu.wasted_wakeups = b.wasted * share;
    cpu.holder_preempted = b.preempted * share;
    cpu.drop_requests = b.drop_requests * share;
    cpu.histograms = r.threads[0].trace->histograms;
    r.histograms->wake_to_run += cpu.histograms.wake_to_run;
    r.histograms->preempt_wait += cpu.histograms.preempt_wait;
    r.histograms->run += cpu.histograms.run;
    r.cpus.push_back(cpu);
    r.segment_records += cpu.segments;
  }
  r.segments_file = fmt::format("segments/{}.bin", block);
  r.client = gilscope::Client{{1}, 77'000};
  r.samples_file = fmt::format("samples/{}.npy", block);
  if (warmup) r.tracer_cost = TracerCost{123456, 789};
  if (warmup) r.disturbances = {{"throttled", std::nullopt, 0}};
  return r;
}

inline Cell cell(const std::string& policy, const std::string& arrangement, int cpus,
                 const Behaviour& behaviour, int blocks, int warmup) {
  Cell c;
  c.policy = policy;
  c.workload = "count:n=20M";
  c.arrangement = arrangement;
  c.threads = 2;
  c.cpus = std::to_string(cpus);
  for (int cpu = 0; cpu < cpus; ++cpu) c.cpu_list.push_back(cpu);
  c.cpus_by = "affinity";
  c.cpu_order = "cores-first";
  c.main_exit = "join";
  c.bounded_by = "work";
  for (int block = 0; block < warmup + blocks; ++block) {
    // The threaded runs vary independently, so that the spread of the slowdown is not zero.
    Behaviour now = behaviour;
    if (arrangement == "threaded") {
      now.wall_ns = now.wall_ns / 1000 * uint64_t(994 + 4 * (block * 3 % 4));
    }
    c.runs.push_back(run(now, block, block < warmup, "off", cpus));
    c.runs.push_back(run(now, block, block < warmup, "full", cpus));
  }
  return c;
}

inline Report report(int blocks = 7, int warmup = 1) {
  Report r;
  r.id = "6f1c2a1e-0b5d-4b8e-9c55-0d5a7c1f2e3b";
  r.gilscope = "0.1.0";
  r.created_at = "2026-03-01T12:00:00Z";
  r.status = "done";
  r.spec = "name = \"demo\"\npolicies = [\"check-interval:100\", \"switch-interval:5ms\"]\n";
  r.spec_sha256 = std::string(64, 'a');
  r.seed = 0xfedcba9876543210;
  r.blocks_planned = blocks;
  r.warmup_planned = warmup;
  r.environment = {
      {"kernel.release", std::string("6.18.4"), ""},
      {"cpu.model", std::string("AMD EPYC"), ""},
      {"cpu.count", int64_t{2}, ""},
      {"cpu.online", std::vector<int64_t>{0, 1}, ""},
      {"virtualization.hypervisor", std::string("kvm"), ""},
      {"kernel.preempt", std::monostate{}, "cannot read /sys/kernel/debug/sched/preempt: not root"},
      {"cpu.boost", false, ""},
      {"clock.available", std::vector<std::string>{"tsc", "kvm-clock"}, ""},
  };
  r.environment_before = {
      {"load.one_minute", 0.25, ""},
      {"uptime_s", int64_t{4242}, ""},
      {"cpu.governor", std::vector<std::string>{"performance", "performance"}, ""}};
  r.environment_after = {
      {"load.one_minute", 1.75, ""},
      {"uptime_s", int64_t{4299}, ""},
      {"cpu.governor", std::vector<std::string>{"performance", "powersave"}, ""}};
  r.capabilities = {{"programs.sched_switch", std::string("tp_btf"), ""}};

  const std::string check = "check-interval:100", change = "switch-interval:5ms";
  const Behaviour alone_check{1'240'000'000, 600'020, 2, 0, 0, 0, 40, 12, 0, 25};
  const Behaviour one_check{1'240'000'000, 600'020, 300, 1, 0, 0, 620, 310, 1, 300};
  const Behaviour both_check{1'735'000'000, 601'000, 9'000,  24'000, 0, 0,
                             25'100,        25'000,  24'000, 60};
  const Behaviour alone_change{1'230'000'000, 12, 1, 0, 0, 0, 40, 12, 0, 25};
  const Behaviour one_change{1'230'000'000, 130, 125, 0, 120, 120, 400, 250, 2, 120};
  const Behaviour both_change{1'300'000'000, 135, 130, 2, 128, 128, 420, 260, 3, 30};
  r.cells = {
      cell(check, "sequential", 1, alone_check, blocks, warmup),
      cell(check, "threaded", 1, one_check, blocks, warmup),
      cell(check, "sequential", 2, alone_check, blocks, warmup),
      cell(check, "threaded", 2, both_check, blocks, warmup),
      cell(change, "sequential", 1, alone_change, blocks, warmup),
      cell(change, "threaded", 1, one_change, blocks, warmup),
      cell(change, "sequential", 2, alone_change, blocks, warmup),
      cell(change, "threaded", 2, both_change, blocks, warmup),
  };
  return r;
}

}  // namespace gilscope::sample
