#include "tools/compare/boxes.h"

#include <algorithm>
#include <cmath>

#include "tools/analysis/quantiles.h"
#include "tools/compare/standard_error.h"

namespace gilscope {
namespace {

// A machine whose blocks agree to the last digit would outweigh all others: errors are taken to be
// at least this share of the largest effect.
constexpr double kLeastError = 1e-6;

double least_error(const std::vector<BoxEffect>& boxes) {
  double largest = 0;
  for (const BoxEffect& box : boxes) {
    largest = std::max({largest, std::fabs(box.value), box.standard_error});
  }
  return largest > 0 ? kLeastError * largest : kLeastError;
}

struct Weighted {
  double mean = 0;
  double weights = 0;   // sum of the weights
  double distance = 0;  // weighted squared distances from the mean
};

Weighted weigh(const std::vector<BoxEffect>& boxes, double between_squared) {
  Weighted result;
  const double least = least_error(boxes);
  const auto weight_of = [&](const BoxEffect& box) {
    return 1 / (std::pow(std::max(box.standard_error, least), 2) + between_squared);
  };
  for (const BoxEffect& box : boxes) {
    result.weights += weight_of(box);
    result.mean += weight_of(box) * box.value;
  }
  result.mean /= result.weights;
  for (const BoxEffect& box : boxes) {
    result.distance += weight_of(box) * std::pow(box.value - result.mean, 2);
  }
  return result;
}

// The variance between machines at which their distances from the mean are as large as expected.
double paule_mandel(const std::vector<BoxEffect>& boxes) {
  const double expected = double(boxes.size() - 1);
  if (weigh(boxes, 0).distance <= expected) return 0;
  double low = 0, high = least_error(boxes) * least_error(boxes);
  while (weigh(boxes, high).distance > expected) high *= 2;
  for (int i = 0; i < 200; ++i) {
    const double middle = (low + high) / 2;
    (weigh(boxes, middle).distance > expected ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace

Result<BoxEffect> box_effect(const std::string& box, const Effect& effect) {
  const auto error = standard_error(effect);
  if (!error) {
    return fail(Exit::no_data,
                fmt::format("{}: its {} blocks are too few for an interval; leave the box out, or "
                            "run more blocks on it",
                            box, effect.blocks()));
  }
  return BoxEffect{box, effect.estimate.value, *error, *effect.estimate.interval};
}

Result<CombinedEffect> combine(std::vector<BoxEffect> boxes) {
  if (boxes.size() < 2) {
    return fail(Exit::no_data, "one box cannot be combined with others; compare it alone");
  }
  for (const BoxEffect& box : boxes) {
    if (std::isfinite(box.value) && std::isfinite(box.standard_error) && box.standard_error >= 0) {
      continue;
    }
    return fail(
        fmt::format("{}: an effect of {} with standard error {} cannot be combined; leave the "
                    "box out",
                    box.box, box.value, box.standard_error));
  }
  // Sorted, so that the order of the arguments does not even show in the last digit.
  std::sort(boxes.begin(), boxes.end(), [](const BoxEffect& x, const BoxEffect& y) {
    return std::pair(x.value, x.standard_error) < std::pair(y.value, y.standard_error);
  });
  const double between_squared = paule_mandel(boxes);
  const Weighted weighted = weigh(boxes, between_squared);
  const int degrees = int(boxes.size()) - 1;
  const double error = std::sqrt(std::max(1.0, weighted.distance / degrees) / weighted.weights);
  const double half = student_quantile(0.975, degrees) * error;
  CombinedEffect result;
  result.value = weighted.mean;
  result.interval = {weighted.mean - half, weighted.mean + half};
  result.p = student_two_sided(weighted.mean / error, degrees);
  result.between = std::sqrt(between_squared);
  const auto any = [&](auto says) { return std::any_of(boxes.begin(), boxes.end(), says); };
  result.signs_differ = boxes.front().value < 0 && boxes.back().value > 0;
  result.contradictory = any([](const BoxEffect& box) { return box.interval.high < 0; }) &&
                         any([](const BoxEffect& box) { return box.interval.low > 0; });
  return result;
}

}  // namespace gilscope
