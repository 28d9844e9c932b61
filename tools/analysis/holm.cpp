#include "tools/analysis/holm.h"

#include <algorithm>
#include <numeric>

namespace gilscope {

Result<std::vector<double>> holm(const std::vector<double>& p) {
  for (const double value : p) {
    if (!(value >= 0 && value <= 1)) {
      return fail(fmt::format("p is {}, which is no probability; adjust only p of a test", value));
    }
  }
  std::vector<size_t> order(p.size());
  std::iota(order.begin(), order.end(), size_t(0));
  std::sort(order.begin(), order.end(), [&](size_t i, size_t j) { return p[i] < p[j]; });
  std::vector<double> adjusted(p.size());
  double least = 0;  // whoever comes later was not easier to refuse
  for (size_t i = 0; i < order.size(); ++i) {
    least = std::max(least, std::min(1.0, p[order[i]] * double(p.size() - i)));
    adjusted[order[i]] = least;
  }
  return adjusted;
}

}  // namespace gilscope
