#include "userspace/tracer/counters.h"

#include <algorithm>

#include "bpf/window.h"

namespace gilscope {

Histograms to_report(const gilscope_histograms& histograms) {
  return {to_report(histograms.wake_to_run), to_report(histograms.preempt_wait),
          to_report(histograms.run)};
}

GilCounts to_report(const gilscope_slot& slot) {
  GilCounts counts;
#define GIL(key, definition) counts.key = slot.key;
#include "bpf/numbers.def"
  return counts;
}

namespace {

Core core_of(const gilscope_core& core, int cpu, const gilscope_window& window) {
  Core result;
  result.cpu = cpu;
  result.observed = core.occupant != GILSCOPE_UNKNOWN;
#define GILSCOPE_FROM_own(path, field) result.path = core.field;
#define GILSCOPE_FROM_running(path, field) result.path = core.field;
#define GILSCOPE_FROM_gil(path, field) result.path = core.field;
#define GILSCOPE_FROM_both(path, field) result.path = core.field + core.remote.field;
#define GILSCOPE_FROM_remote(path, field) result.path = core.remote.field;
#define GILSCOPE_FROM_occupant(path, field)  // below
#define CPU_NUMBER(path, field, csv, from, ...) GILSCOPE_FROM_##from(path, field)
#include "bpf/numbers.def"
  if (result.observed) {
    const bool closed = window.close_ns != GILSCOPE_NEVER;
    const uint64_t rest =
        closed ? gilscope_within(core.since_ns, window.close_ns, window.open_ns, window.close_ns)
               : 0;
    const auto with_rest = [&](uint64_t ns, uint32_t occupant) {
      return ns + (core.occupant == occupant ? rest : 0);
    };
    result.foreign_ns = with_rest(core.foreign_ns, GILSCOPE_FOREIGN);
    result.idle_ns = with_rest(core.idle_ns, GILSCOPE_IDLE);
    result.harness_ns = with_rest(core.harness_ns, GILSCOPE_HARNESS);
  }
  result.histograms = to_report(core.histograms);
  return result;
}

bool touched(const gilscope_core& core) {
  return core.segments || core.ran || core.waker || core.remote.waker || core.remote.placed ||
         core.remote.previous || core.remote.migrations_raw_in || core.remote.migrations_raw_out;
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
#define GILSCOPE_TRACED_own(field) trace.field = thread.field;
#define GILSCOPE_TRACED_waking(field) trace.field = thread.waking.field;
#define GILSCOPE_TRACED_signed_sum(field) \
  trace.field = uint64_t(std::max<int64_t>(static_cast<int64_t>(thread.field), 0));
#define THREAD_NUMBER(field, from, ...) GILSCOPE_TRACED_##from(field)
#include "bpf/numbers.def"
  trace.gil = to_report(thread.counted);
  trace.histograms = to_report(thread.histograms);
  return trace;
}

Lost lost_of(std::span<const gilscope_core> cores, const gilscope_window& window) {
  const auto sum = [&](__u64 gilscope_core::*field) {
    uint64_t total = 0;
    for (const gilscope_core& core : cores) total += core.*field;
    return total;
  };
  Lost lost;
#define GILSCOPE_LOSS_cores(field) sum(&gilscope_core::field)
#define GILSCOPE_LOSS_core_number(field) sum(&gilscope_core::field)
#define GILSCOPE_LOSS_window(field) window.field
#define GILSCOPE_LOSS_elsewhere() 0
#define LOST(key, csv, from, ...) lost.key = GILSCOPE_LOSS_##from;
#include "bpf/numbers.def"
  return lost;
}

}  // namespace gilscope
