#include "tools/analysis/verdict.h"

#include <algorithm>
#include <cmath>

#include "tools/analysis/quantiles.h"

namespace gilscope {
namespace {

constexpr double kPower = 0.8;

// The standard error with `more` units added on each side.
double standard_error_after(const Effect& effect, double more) {
  const double a = double(effect.blocks_a) + more, b = double(effect.blocks_b) + more;
  const double variance_a = effect.deviation_a * effect.deviation_a / a;
  const double variance_b = effect.deviation_b * effect.deviation_b / b;
  return std::sqrt(variance_a + variance_b);
}

double degrees_after(const Effect& effect, double more) {
  return effect.design == Design::paired ? double(effect.blocks_a) + more - 1
                                         : double(effect.blocks_a + effect.blocks_b) + 2 * more - 2;
}

}  // namespace

const char* name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::faster:
      return "faster";
    case Verdict::slower:
      return "slower";
    case Verdict::more:
      return "more";
    case Verdict::less:
      return "less";
    case Verdict::same:
      return "same";
    case Verdict::undecided:
      break;
  }
  return "undecided";
}

double equivalence_margin(const Effect& effect, const VerdictLimits& limits) {
  if (effect.scale == Scale::ratio) return std::log1p(limits.min_effect);
  return std::max(limits.min_difference,
                  limits.min_effect * std::max(effect.median_a, effect.median_b));
}

Verdict judge(const Effect& effect, double adjusted_p, Better better, const VerdictLimits& limits) {
  if (effect.all_zero && effect.blocks() >= limits.min_blocks) return Verdict::same;
  const auto& [value, interval, confidence] = effect.estimate;
  if (effect.blocks() < limits.min_blocks || !interval) return Verdict::undecided;
  const double least = equivalence_margin(effect, limits);
  if (-least <= interval->low && interval->high <= least) return Verdict::same;
  if (!(adjusted_p <= limits.significance) || interval->includes(0) || std::fabs(value) < least) {
    return Verdict::undecided;
  }
  const bool more = value > 0;
  if (better == Better::neither) return more ? Verdict::more : Verdict::less;
  return more == (better == Better::higher) ? Verdict::faster : Verdict::slower;
}

std::optional<size_t> more_blocks(const Effect& effect, double critical,
                                  const VerdictLimits& limits) {
  if (effect.blocks() < limits.min_blocks) return limits.min_blocks - effect.blocks();
  const double least = equivalence_margin(effect, limits), seen = std::fabs(effect.estimate.value);
  const double z = normal_quantile(1 - limits.significance / 2);
  const double found = normal_quantile(kPower), within = normal_quantile((1 + kPower) / 2);
  const auto enough = [&](double more) {
    const double error = standard_error_after(effect, more);
    const double degrees = degrees_after(effect, more);
    if (seen >= least) {
      const double t = t_of_normal_score(critical, degrees);
      return (t + found) * error <= seen && found * error <= seen - least;
    }
    return (t_of_normal_score(z, degrees) + within) * error <= least - seen;
  };
  if (!enough(kMaxMoreBlocks)) return {};
  size_t low = 1, high = kMaxMoreBlocks;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (enough(double(middle))) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

}  // namespace gilscope
