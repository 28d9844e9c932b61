#include "tools/compare/verdict.h"

#include <algorithm>
#include <cmath>

#include "tools/compare/quantiles.h"
#include "tools/compare/standard_error.h"

namespace gilscope {
namespace {

constexpr size_t kMostBlocks = 10'000;
constexpr double kPower = 0.8;

// Of the test when all blocks of one side lie beyond those of the other.
double log_smallest_p(Design design, double a, double b) {
  const double arrangements =
      design == Design::paired ? a * std::log(2.0)
                               : std::lgamma(a + b + 1) - std::lgamma(a + 1) - std::lgamma(b + 1);
  return std::log(2.0) - arrangements;
}

// What the squared standard error is proportional to.
double share_of_variance(Design design, double a, double b) {
  return design == Design::paired ? 1 / a : 1 / a + 1 / b;
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

Verdict judge(const Effect& effect, double adjusted_p, Better better, const VerdictLimits& limits) {
  if (effect.all_zero && std::min(effect.blocks_a, effect.blocks_b) >= limits.min_blocks) {
    return Verdict::same;
  }
  const auto& [ratio, interval, confidence] = effect.estimate;
  if (effect.blocks() < limits.min_blocks || !interval || !ratio) return Verdict::undecided;
  const double nobody_cares = std::log1p(limits.min_effect);
  const double low = std::log(interval->low), high = std::log(interval->high);
  if (-nobody_cares <= low && high <= nobody_cares) return Verdict::same;
  if (!(adjusted_p <= limits.significance) || interval->includes(1) ||
      std::fabs(std::log(*ratio)) < nobody_cares) {
    return Verdict::undecided;
  }
  const bool more = *ratio > 1;
  if (better == Better::neither) return more ? Verdict::more : Verdict::less;
  return more == (better == Better::higher) ? Verdict::faster : Verdict::slower;
}

std::optional<size_t> more_blocks(const Effect& effect, size_t primary_metrics,
                                  const VerdictLimits& limits) {
  if (effect.both_zero > 0 || effect.all_zero) return {};
  const double metrics = double(std::max<size_t>(primary_metrics, 1));
  const bool too_few = effect.blocks() < limits.min_blocks;
  const auto error = standard_error(effect);
  const auto& ratio = effect.estimate.ratio;
  if (!too_few && (!error || !ratio)) return {};
  const double nobody_cares = std::log1p(limits.min_effect);
  const double seen = ratio ? std::fabs(std::log(*ratio)) : 0;
  const bool differs = seen >= nobody_cares;
  const double target = differs ? seen : nobody_cares - seen;
  const double z_wrong = normal_quantile(1 - limits.significance / 2 / (differs ? metrics : 1));
  const double z = z_wrong + normal_quantile(differs ? kPower : (1 + kPower) / 2);
  // What it costs not to know the spread (Guenther 1981, Am. Stat. 35:243).
  const double lost = z_wrong * z_wrong / (effect.design == Design::paired ? 2 : 4);
  const double a = double(effect.blocks_a), b = double(effect.blocks_b);
  const auto enough = [&](double more) {
    if (std::min(a, b) + more < double(limits.min_blocks)) return false;
    if (differs || too_few) {
      const double smallest = log_smallest_p(effect.design, a + more, b + more);
      if (smallest > std::log(limits.significance / metrics)) return false;
    }
    if (too_few) return true;
    if (std::min(a, b) + more - lost < 1) return false;
    const double shrunk = share_of_variance(effect.design, a + more - lost, b + more - lost) /
                          share_of_variance(effect.design, a, b);
    return z * *error * std::sqrt(shrunk) <= target;
  };
  if (!enough(kMostBlocks)) return {};
  size_t low = 1, high = kMostBlocks;
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
