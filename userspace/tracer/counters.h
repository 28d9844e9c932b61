// Turns the structures that the kernel side counts in into the report's. Pure; needs no root.
#pragma once

#include <span>
#include <vector>

#include "bpf/counters.h"
#include "userspace/report/histogram.h"

namespace gilscope {

Histograms to_report(const gilscope_histograms& histograms);

// The counts that a thread kept about itself.
GilCounts to_report(const gilscope_slot& slot);

// `all_cpus` by CPU id. Adds the time of a task that still ran at the end of the window (idle or
// foreign, never switched out again). Leaves out CPUs outside `cpus` on which the run's threads
// never ran. `of_subject`: the threads are a real program's, some of whose numbers a model does not
// have, and the other way round.
std::vector<CpuTrace> cpus_of(std::span<const gilscope_cpu> all_cpus, const gilscope_window& window,
                              std::span<const int> cpus, bool of_subject = false);

ThreadTrace trace_of(const gilscope_thread& thread, bool of_subject = false);

// Losses over all CPUs; recursion misses are the tracer's to add.
Lost lost_of(std::span<const gilscope_cpu> all_cpus, const gilscope_window& window);

}  // namespace gilscope
