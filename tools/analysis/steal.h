// How much CPU time of runs the hypervisor took, as far as the kernel's coarse steps can tell.
#pragma once

#include <cstddef>
#include <optional>

#include "userspace/report/model.h"

namespace gilscope {

inline constexpr double kStealLimit = 0.01;

// /proc/stat counts in steps of 10 ms: the difference of two readings is off by less than one step.
inline constexpr double kStealStepNs = 10'000'000;

// The bounds of a run's stolen share, at most 1; empty where it was not read.
struct StealShare {
  double at_least = 0, at_most = 0;
};
std::optional<StealShare> steal_share(const Run& run, size_t cpus);

// Sums up runs that the disturbance limits let pass.
struct StealSummary {
  size_t runs = 0;         // with more than kStealLimit of their CPU time stolen
  size_t not_judged = 0;   // with some stolen time, but too short to tell how much
  double worst_share = 0;  // lower bound of the worst of `runs`

  void add(const Run& run, size_t cpus);
};

// The share of several runs together: the steps of each are small beside the whole.
class StealTotal {
 public:
  void add(const Run& run, size_t cpus);
  void add(const StealTotal& other);
  // Empty where none was read, or where the steps leave it uncertain by more than `exact_to`.
  std::optional<double> share(double exact_to) const;

 private:
  double stolen_ns_ = 0, over_ns_ = 0, squared_steps_ = 0;
};

}  // namespace gilscope
