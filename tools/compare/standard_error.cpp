#include "tools/compare/standard_error.h"

#include "tools/analysis/quantiles.h"

namespace gilscope {

std::optional<double> standard_error(const Effect& effect) {
  const auto& interval = effect.estimate.interval;
  if (!interval) return {};
  const size_t degrees =
      effect.design == Design::paired ? effect.blocks() - 1 : effect.blocks_a + effect.blocks_b - 2;
  return (interval->high - interval->low) / 2 /
         student_quantile((1 + effect.estimate.confidence) / 2, int(degrees));
}

}  // namespace gilscope
