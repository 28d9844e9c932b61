// How much of runs' CPU time the hypervisor took, as far as the kernel's steps let one say.
#pragma once

#include <cstddef>
#include <optional>

#include "userspace/report/model.h"

namespace gilscope {

inline constexpr double kStealLimit = 0.01;

// /proc/stat counts in steps of this: the difference of two readings is off by less than one.
inline constexpr double kStealStepNs = 10'000'000;

// Where a run's share lies: never above 1. Empty: it was not read.
struct StealShare {
  double at_least = 0, at_most = 0;
};
std::optional<StealShare> steal_share(const Run& run, size_t cpus);

// Of the runs that the gates let pass.
struct StealSummary {
  size_t runs = 0;         // with more than kStealLimit of their CPU time stolen
  size_t not_judged = 0;   // with some stolen, and too short to tell whether it was as much
  double worst_share = 0;  // of `runs`, at least

  void add(const Run& run, size_t cpus);
};

// Of several runs together, where the steps of each are small beside the whole.
class StealOfMany {
 public:
  void add(const Run& run, size_t cpus);
  void add(const StealOfMany& other);
  // Empty: none was read, or it cannot be told to within `exact_to`.
  std::optional<double> share(double exact_to) const;

 private:
  double stolen_ns_ = 0, over_ns_ = 0, squared_steps_ = 0;
};

}  // namespace gilscope
