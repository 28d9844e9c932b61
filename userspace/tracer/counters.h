// From the structures that the kernel side counts in to the report's. Pure; no root needed.
#pragma once

#include <span>
#include <vector>

#include "bpf/contract.h"
#include "userspace/report/histogram.h"

namespace gilscope {

Histograms to_report(const gilscope_histograms& histograms);

// What a thread counted about itself.
GilCounts to_report(const gilscope_slot& slot);

// `cores` by CPU id. What still ran at the end of the window (an idle or foreign task that was
// never switched out again) is added here. Cores outside `cpus` on which the run's threads never
// ran are left out.
std::vector<Core> cores_of(std::span<const gilscope_core> cores, const gilscope_window& window,
                           std::span<const int> cpus);

ThreadTrace trace_of(const gilscope_thread& thread);

// Drops, discards and censored waits, over all cores.
Lost lost_of(std::span<const gilscope_core> cores, const gilscope_window& window);

}  // namespace gilscope
