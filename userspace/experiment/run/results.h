// A workload's own results after its run: operations, fairness, latencies. docs/metrics.md defines
// each.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "userspace/experiment/run/run_sheet.h"
#include "userspace/workload/workload.h"

namespace gilscope {

// Jain's index: 1 if all shares are equal, 1/n if one has everything; empty if all are 0.
std::optional<double> fairness(std::span<const double> shares);

// The nearest-rank quantile of ascending values; there must be at least one.
uint64_t quantile(std::span<const uint64_t> ascending, double q);

// Room for the samples of a run: empty if the workload takes none. Otherwise for ten times what
// such a machine can produce, but no more than a few gigabytes of address space.
Result<SampleBook> make_book(const Workload& workload, size_t threads);

// `rows` holds main's row, then those of `threads` measured threads, then the background's.
std::map<std::string, double> results_of(const Workload& workload, const SampleBook& samples,
                                         std::span<const ThreadRow> rows, size_t threads,
                                         uint64_t wall_ns);

}  // namespace gilscope
