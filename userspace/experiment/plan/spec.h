// A spec is what the user asks for: a matrix of cells and how often to run them. It is written as
// TOML, or as the flags of `gilscope run`, which fill the same struct.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/experiment/disturbance/limits.h"

namespace gilscope {

// "4", or "2x" for two threads on each of the cell's CPUs.
struct ThreadCount {
  int count = 0;
  bool per_cpu = false;

  ThreadCount() = default;
  ThreadCount(int threads) : count(threads) {}  // NOLINT: a number is a thread count
  static Result<ThreadCount> parse(const std::string& text);

  int on(size_t cpus) const { return per_cpu ? count * static_cast<int>(cpus) : count; }
  std::string text() const { return std::to_string(count) + (per_cpu ? "x" : ""); }
  bool operator==(const ThreadCount&) const = default;
};

struct Spec {
  std::string name;
  std::vector<std::string> policies;      // canonical, e.g. "check-interval:100"
  std::vector<std::string> workloads;     // canonical, e.g. "count:n=20M"
  std::vector<std::string> arrangements;  // sequential | threaded
  std::vector<ThreadCount> threads;
  std::vector<std::string> cpus;          // "1", "2", "all", "1..all", "cpu:0,2-3"
  std::string cpus_by = "affinity";       // affinity | cpuset | hotplug
  std::string cpu_order = "cores-first";  // cpus.h: cpu_orders()
  int blocks = 10;
  int warmup = 1;
  std::optional<uint64_t> seed;    // empty: drawn, and recorded in the report
  std::string trace = "full";      // full | counters | off
  bool untraced = true;            // each traced run has an untraced twin in its block
  bool perf = false;               // also perf's counters of each thread; they cost time
  std::string main_exit = "join";  // join | kill
  std::string claim;               // slower | faster | same: the expectation of threaded runs
  // The metrics that judge a comparison of such reports (userspace/report/metric_names.h). Empty:
  // compare's own choice.
  std::vector<std::string> metrics;
  DisturbanceLimits limits;

  bool operator==(const Spec&) const = default;
};

inline constexpr int kMaxThreads = 4096;
inline constexpr int kMaxBlocks = 10000;

// The values that these keys take.
const std::vector<std::string>& arrangements();
const std::vector<std::string>& cpus_by_words();
const std::vector<std::string>& trace_words();
const std::vector<std::string>& main_exit_words();

// `origin` names the text in errors: a path, or "built-in demo". Checks every value, so that a Spec
// that exists can be planned on any machine. An error names the key nearest to a misspelt one.
Result<Spec> parse_spec(const std::string& toml, const std::string& origin);

// The canonical TOML of a spec. A report keeps it when flags made the spec, and it identifies a
// spec when an --out directory is resumed. The seed is in it only if it was given.
std::string to_toml(const Spec& spec);

// Checks a spec made from flags and makes policies and workloads canonical. Empty fields get their
// defaults: both arrangements, 2 threads, all CPUs, the name "unnamed". Policies and workloads have
// no default.
Result<Spec> checked(Spec spec);

}  // namespace gilscope
