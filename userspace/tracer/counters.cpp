#include "userspace/tracer/counters.h"

#include <algorithm>

#include "bpf/window.h"

namespace gilscope {

Histograms to_report(const gilscope_histograms& histograms) {
  return {to_report(histograms.wake_to_run), to_report(histograms.preempt_wait),
          to_report(histograms.run)};
}

GilCounts to_report(const gilscope_slot& slot) {
  return {slot.acquires,   slot.releases,  slot.contended,
          slot.woken_lost, slot.timed_out, slot.drop_requests};
}

namespace {

Core core_of(const gilscope_core& core, int cpu, const gilscope_window& window) {
  Core result;
  result.cpu = cpu;
  result.observed = core.occupant != GILSCOPE_UNKNOWN;
  result.segments = core.segments;
  result.records_dropped = core.records_dropped;
  result.on_cpu_ns = core.on_cpu_ns;
  if (result.observed) {
    const bool closed = window.close_ns != GILSCOPE_NEVER;
    const uint64_t rest =
        closed ? gilscope_within(core.since_ns, window.close_ns, window.open_ns, window.close_ns)
               : 0;
    auto with_rest = [&](uint64_t ns, uint32_t occupant) {
      return ns + (core.occupant == occupant ? rest : 0);
    };
    result.foreign_ns = with_rest(core.foreign_ns, GILSCOPE_FOREIGN);
    result.idle_ns = with_rest(core.idle_ns, GILSCOPE_IDLE);
    result.harness_ns = with_rest(core.harness_ns, GILSCOPE_HARNESS);
  }
  result.wakeups = {core.waker + core.remote.waker, core.previous + core.remote.previous,
                    core.placed + core.remote.placed, core.ran};
  result.migrations = {core.migrations_wakeup, core.migrations_preempt, core.remote.raw_in,
                       core.remote.raw_out};
  result.failed = {core.contended, core.woken_lost, core.timed_out};
  result.acquires = core.acquires;
  result.wasted_wakeups = core.wasted_wakeups;
  result.holder_preempted = core.holder_preempted;
  result.drop_requests = core.drop_requests;
  result.histograms = to_report(core.histograms);
  return result;
}

bool touched(const gilscope_core& core) {
  return core.segments || core.ran || core.waker || core.remote.waker || core.remote.placed ||
         core.remote.previous || core.remote.raw_in || core.remote.raw_out;
}

}  // namespace

std::vector<Core> cores_of(std::span<const gilscope_core> cores, const gilscope_window& window,
                           std::span<const int> cpus) {
  std::vector<Core> result;
  for (size_t cpu = 0; cpu < cores.size(); ++cpu) {
    bool asked_for = std::find(cpus.begin(), cpus.end(), static_cast<int>(cpu)) != cpus.end();
    if (asked_for || touched(cores[cpu])) {
      result.push_back(core_of(cores[cpu], static_cast<int>(cpu), window));
    }
  }
  return result;
}

ThreadTrace trace_of(const gilscope_thread& thread) {
  ThreadTrace trace;
  trace.tid = thread.tid;
  trace.entered_ns = thread.entered_ns;
  trace.left_ns = thread.left_ns;
  trace.segments = thread.segments;
  trace.on_cpu_ns = thread.on_cpu_ns;
  trace.stolen_ns = std::max<int64_t>(static_cast<int64_t>(thread.stolen_ns), 0);
  trace.voluntary_switches = thread.voluntary_switches;
  trace.involuntary_switches = thread.involuntary_switches;
  trace.wakeups = thread.wakeups;
  trace.raw_wakeups = thread.waking.raw_wakeups;
  trace.migrations_wakeup = thread.migrations_wakeup;
  trace.migrations_preempt = thread.migrations_preempt;
  trace.migrations_raw = thread.waking.raw_migrations;
  trace.wasted_wakeups = thread.wasted_wakeups;
  trace.holder_preempted = thread.holder_preempted;
  trace.gil = to_report(thread.counted);
  trace.histograms = to_report(thread.histograms);
  return trace;
}

Lost lost_of(std::span<const gilscope_core> cores, const gilscope_window& window) {
  Lost lost;
  for (const gilscope_core& core : cores) {
    lost.segments += core.records_dropped;
    lost.discarded += core.discarded;
    lost.censored += core.censored;
    lost.missed_switches += core.missed_switches;
  }
  lost.untracked_threads = window.started;
  lost.window_late_ns = window.late_ns;
  return lost;
}

}  // namespace gilscope
