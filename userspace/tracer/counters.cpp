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
#define GIL(key, ...) counts.key = slot.key;
#include "bpf/numbers.def"
  return counts;
}

namespace {

CpuTrace per_cpu_of(const gilscope_cpu& per_cpu, int cpu, const gilscope_window& window,
                    bool of_subject) {
  CpuTrace result;
  result.cpu = cpu;
  result.observed = per_cpu.occupant != GILSCOPE_UNKNOWN;
#define GILSCOPE_FROM_own(path, field) result.path = per_cpu.field;
#define GILSCOPE_FROM_running(path, field) result.path = per_cpu.field;
#define GILSCOPE_FROM_gil(path, field) result.path = per_cpu.field;
#define GILSCOPE_FROM_gil_of_models(path, field) \
  if (!of_subject) result.path = per_cpu.field;
#define GILSCOPE_FROM_subject(path, field) \
  if (of_subject) result.path = per_cpu.field;
#define GILSCOPE_FROM_both(path, field) result.path = per_cpu.field + per_cpu.remote.field;
#define GILSCOPE_FROM_remote(path, field) result.path = per_cpu.remote.field;
#define GILSCOPE_FROM_occupant(path, field)  // below
#define CPU_NUMBER(path, field, csv, from, ...) GILSCOPE_FROM_##from(path, field)
#include "bpf/numbers.def"
  if (result.observed) {
    const bool closed = window.close_ns != GILSCOPE_NEVER;
    const uint64_t rest =
        closed ? gilscope_within(per_cpu.since_ns, window.close_ns, window.open_ns, window.close_ns)
               : 0;
    const auto with_open_stretch = [&](uint64_t ns, uint32_t occupant) {
      return ns + (per_cpu.occupant == occupant ? rest : 0);
    };
    result.foreign_ns = with_open_stretch(per_cpu.foreign_ns, GILSCOPE_FOREIGN);
    result.idle_ns = with_open_stretch(per_cpu.idle_ns, GILSCOPE_IDLE);
    result.harness_ns = with_open_stretch(per_cpu.harness_ns, GILSCOPE_HARNESS);
  }
  result.histograms = to_report(per_cpu.histograms);
  return result;
}

GilCounts of_subject_thread(const gilscope_thread& thread) {
  GilCounts counts = GilCounts::of_subject();
#define GILSCOPE_SEEN_always(key) counts.key = thread.counted.key;
#define GILSCOPE_SEEN_optional(key)
#define GIL(key, known, definition) GILSCOPE_SEEN_##known(key)
#define GIL_OF_SUBJECT(key, definition) counts.key = thread.key;
#include "bpf/numbers.def"
  return counts;
}

bool touched(const gilscope_cpu& per_cpu) {
  return per_cpu.segments || per_cpu.ran || per_cpu.waker || per_cpu.remote.waker ||
         per_cpu.remote.placed || per_cpu.remote.previous || per_cpu.remote.migrations_raw_in ||
         per_cpu.remote.migrations_raw_out;
}

}  // namespace

std::vector<CpuTrace> cpus_of(std::span<const gilscope_cpu> all_cpus, const gilscope_window& window,
                              std::span<const int> cpus, bool of_subject) {
  std::vector<CpuTrace> result;
  for (size_t cpu = 0; cpu < all_cpus.size(); ++cpu) {
    bool asked_for = std::find(cpus.begin(), cpus.end(), static_cast<int>(cpu)) != cpus.end();
    if (asked_for || touched(all_cpus[cpu])) {
      result.push_back(per_cpu_of(all_cpus[cpu], static_cast<int>(cpu), window, of_subject));
    }
  }
  return result;
}

ThreadTrace trace_of(const gilscope_thread& thread, bool of_subject) {
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
  trace.gil = of_subject ? of_subject_thread(thread) : to_report(thread.counted);
  trace.histograms = to_report(thread.histograms);
  return trace;
}

Lost lost_of(std::span<const gilscope_cpu> all_cpus, const gilscope_window& window) {
  const auto sum = [&](__u64 gilscope_cpu::*field) {
    uint64_t total = 0;
    for (const gilscope_cpu& per_cpu : all_cpus) total += per_cpu.*field;
    return total;
  };
  Lost lost;
#define GILSCOPE_LOSS_cpus(field) sum(&gilscope_cpu::field)
#define GILSCOPE_LOSS_cpu_number(field) sum(&gilscope_cpu::field)
#define GILSCOPE_LOSS_window(field) window.field
#define GILSCOPE_LOSS_elsewhere() 0
#define LOST(key, csv, from, ...) lost.key = GILSCOPE_LOSS_##from;
#include "bpf/numbers.def"
  return lost;
}

}  // namespace gilscope
