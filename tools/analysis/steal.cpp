#include "tools/analysis/steal.h"

#include <algorithm>
#include <cmath>

namespace gilscope {
namespace {

struct Steal {
  double ns, over_ns, step_ns;  // sums over the run's CPUs
};

std::optional<Steal> steal_of(const Run& run, size_t cpus) {
  // Reports before 1.3 lack the time over which it was counted; the run's wall time is a little
  // less.
  const uint64_t over_ns = run.steal_over_ns.value_or(run.wall_ns);
  if (!run.steal_ns || over_ns == 0 || cpus == 0) return {};
  const auto n = static_cast<double>(cpus);
  return Steal{static_cast<double>(*run.steal_ns), static_cast<double>(over_ns) * n,
               kStealStepNs * n};
}

}  // namespace

std::optional<StealShare> steal_share(const Run& run, size_t cpus) {
  const auto steal = steal_of(run, cpus);
  if (!steal) return {};
  // A count of 0 is taken as exact, since most machines have no hypervisor that takes any time.
  if (steal->ns == 0) return StealShare{};
  const auto share = [&](double ns) { return std::clamp(ns / steal->over_ns, 0.0, 1.0); };
  return StealShare{share(steal->ns - steal->step_ns), share(steal->ns + steal->step_ns)};
}

void StealSummary::add(const Run& run, size_t cpus) {
  const auto share = steal_share(run, cpus);
  if (!share || share->at_most <= kStealLimit) return;
  if (share->at_least <= kStealLimit) {
    ++not_judged;
    return;
  }
  ++runs;
  worst_share = std::max(worst_share, share->at_least);
}

void StealTotal::add(const Run& run, size_t cpus) {
  const auto steal = steal_of(run, cpus);
  if (!steal) return;
  stolen_ns_ += steal->ns;
  over_ns_ += steal->over_ns;
  squared_steps_ += steal->step_ns * steal->step_ns;
}

void StealTotal::add(const StealTotal& other) {
  stolen_ns_ += other.stolen_ns_;
  over_ns_ += other.over_ns_;
  squared_steps_ += other.squared_steps_;
}

// The errors of the steps are independent, so their squares add up.
std::optional<double> StealTotal::share(double exact_to) const {
  if (over_ns_ <= 0) return {};
  if (stolen_ns_ == 0) return 0;
  if (std::sqrt(squared_steps_) / over_ns_ > exact_to) return {};
  return std::min(stolen_ns_ / over_ns_, 1.0);
}

}  // namespace gilscope
