// The metrics of `attach --metrics`: their names and meanings, once. Those of CPUs and threads are
// rows of bpf/numbers.def.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "bpf/counters.h"
#include "userspace/live/exposition.h"
#include "userspace/report/model.h"

namespace gilscope {

// A number that only grows, of a CPU or a thread; empty where the kernel side has none.
struct CpuMetric {
  MetricFamily family;
  bool seconds = false;  // counted in nanoseconds
  std::optional<uint64_t> (*value)(const CpuTrace& cpu) = nullptr;
};
struct ThreadMetric {
  MetricFamily family;
  bool seconds = false;
  uint64_t (*value)(const gilscope_thread& thread) = nullptr;
};
struct LostMetric {
  MetricFamily family;
  std::optional<uint64_t> (*value)(const Lost& lost) = nullptr;
};

const std::vector<CpuMetric>& cpu_metrics();
const std::vector<ThreadMetric>& thread_metrics();
const std::vector<LostMetric>& lost_metrics();

// Of the process and of this program.
struct OtherMetrics {
  MetricFamily up, info, recorded, own_cpu, processes, threads;
  // From segments.
  MetricFamily waited, waited_for, waited_for_bounded, handoff, handoffs_unseen;
};
const OtherMetrics& other_metrics();

// All of them, in the order of the file.
std::vector<MetricFamily> metric_families();

}  // namespace gilscope
