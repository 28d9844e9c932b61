#include "tools/analysis/quantiles.h"

#include <cmath>
#include <numbers>

namespace gilscope {
namespace {

// Bisects for the value at which the increasing function `below` reaches `probability`.
template <typename Below>
double invert(double probability, Below below) {
  double low = 0, high = 1;
  while (below(high) < probability && high < 1e300) high *= 2;
  for (int i = 0; i < 200; ++i) {
    const double middle = (low + high) / 2;
    (below(middle) < probability ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace

double normal_quantile(double probability) {
  if (probability < 0.5) return -normal_quantile(1 - probability);
  return invert(probability, [](double z) { return 1 - std::erfc(z / std::numbers::sqrt2) / 2; });
}

double student_quantile(double probability, int degrees) {
  if (probability < 0.5) return -student_quantile(1 - probability, degrees);
  return invert(probability, [&](double t) { return 1 - student_two_sided(t, degrees) / 2; });
}

// A finite sum for whole degrees of freedom: Abramowitz and Stegun, 26.7.3 (odd) and 26.7.4 (even).
double student_two_sided(double t, int degrees) {
  const double angle = std::atan(std::fabs(t) / std::sqrt(double(degrees)));
  const double cosine = std::cos(angle), square = cosine * cosine;
  const bool odd = degrees % 2 == 1;
  double term = odd ? cosine : 1, sum = degrees == 1 ? 0 : term;
  for (int k = odd ? 3 : 2; k <= degrees - 2; k += 2) {
    term *= square * double(k - 1) / double(k);
    sum += term;
  }
  const double within =
      odd ? 2 / std::numbers::pi * (angle + std::sin(angle) * sum) : std::sin(angle) * sum;
  return 1 - within;
}

double squared_normal_score(double t_squared, double degrees) {
  const double factor = (8 * degrees + 1) / (8 * degrees + 3);
  return factor * factor * degrees * std::log1p(t_squared / degrees);
}

double t_of_normal_score(double z, double degrees) {
  const double unscaled = z * (8 * degrees + 3) / (8 * degrees + 1);
  return std::sqrt(degrees * std::expm1(unscaled * unscaled / degrees));
}

}  // namespace gilscope
