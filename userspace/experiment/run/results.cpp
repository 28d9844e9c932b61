#include "userspace/experiment/run/results.h"

#include <algorithm>
#include <cmath>

namespace gilscope {
namespace {

using Results = std::map<std::string, double>;

uint64_t operations_of(const ThreadRow& row) {
  return std::atomic_ref(const_cast<uint64_t&>(row.operations)).load(std::memory_order_relaxed);
}

// A thread's progress is its operations per second of its own active time, so that a thread that
// held the GIL until it was done shows more progress than the one that came after it.
void add_progress(Results& results, const std::string& prefix, std::span<const ThreadRow> rows,
                  uint64_t wall_ns) {
  double sum = 0;
  std::vector<double> progress;
  for (const ThreadRow& row : rows) {
    const auto operations = static_cast<double>(operations_of(row));
    const uint64_t active_ns = row.active_ns != 0 ? row.active_ns : wall_ns;
    sum += operations;
    progress.push_back(active_ns ? operations / static_cast<double>(active_ns) : 0);
  }
  results[prefix + "operations"] = sum;
  if (wall_ns) results[prefix + "operations_per_s"] = sum / static_cast<double>(wall_ns) * 1e9;
  if (auto index = fairness(progress)) results[prefix + "fairness"] = *index;
}

void add_latencies(Results& results, const SampleBook& book) {
  std::vector<uint64_t> latencies;
  for (size_t writer = 0; writer < book.writers(); ++writer) {
    for (const Sample& sample : book.samples(writer)) latencies.push_back(sample.latency_ns);
  }
  results["latency_samples"] = static_cast<double>(latencies.size());
  results["latency_samples_lost"] = static_cast<double>(book.lost());
  if (latencies.empty()) return;
  std::ranges::sort(latencies);
  constexpr std::pair<const char*, double> kQuantiles[] = {{"latency_p50_ns", 0.5},
                                                           {"latency_p90_ns", 0.9},
                                                           {"latency_p99_ns", 0.99},
                                                           {"latency_p999_ns", 0.999},
                                                           {"latency_max_ns", 1}};
  for (const auto& [key, q] : kQuantiles) {
    results[key] = static_cast<double>(quantile(latencies, q));
  }
}

}  // namespace

std::optional<double> fairness(std::span<const double> shares) {
  double sum = 0, squares = 0;
  for (double share : shares) {
    sum += share;
    squares += share * share;
  }
  if (squares == 0) return {};
  return sum * sum / (static_cast<double>(shares.size()) * squares);
}

uint64_t quantile(std::span<const uint64_t> ascending, double q) {
  const auto rank = static_cast<size_t>(std::ceil(q * static_cast<double>(ascending.size())));
  return ascending[std::clamp<size_t>(rank, 1, ascending.size()) - 1];
}

Results results_of(const Workload& workload, const SampleBook& samples,
                   std::span<const ThreadRow> rows, size_t threads, uint64_t wall_ns) {
  Results results;
  add_progress(results, "", rows.subspan(1, threads), wall_ns);
  if (rows.size() > threads + 1) {
    add_progress(results, "background_", rows.subspan(threads + 1), wall_ns);
  }
  if (workload.takes_samples()) add_latencies(results, samples);
  workload.add_results(results);
  return results;
}

Result<SampleBook> make_book(const Workload& workload, size_t threads) {
  if (!workload.takes_samples()) return SampleBook();
  constexpr double kAtMostPerSecond = 1e6;
  constexpr size_t kAtMost = size_t{1} << 26;
  const double seconds = static_cast<double>(workload.bound_ns().value_or(0)) / 1e9;
  const double wanted = std::max(1.0, seconds) * kAtMostPerSecond;
  const auto all = static_cast<size_t>(std::min(wanted, static_cast<double>(kAtMost)));
  return SampleBook::make(threads, std::max<size_t>(all / threads, 1024));
}

}  // namespace gilscope
