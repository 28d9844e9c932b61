// What a workload has to say of itself when its run is over: operations, fairness, latencies.
// docs/metrics.md defines each.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "userspace/experiment/run_sheet.h"
#include "userspace/workload/workload.h"

namespace gilscope {

// Jain's index: 1 where all are alike, 1/n where one has everything; empty where all are 0.
std::optional<double> fairness(std::span<const double> shares);

// The nearest-rank quantile of ascending values, which are there.
uint64_t quantile(std::span<const uint64_t> ascending, double q);

// `rows`: main's, then `threads` measured ones, then the background.
std::map<std::string, double> results_of(const Workload& workload, const SampleBook& samples,
                                         std::span<const ThreadRow> rows, size_t threads,
                                         uint64_t wall_ns);

}  // namespace gilscope
