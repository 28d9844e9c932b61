#include "tools/analysis/numbers.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <span>

namespace gilscope {
namespace {

bool known(const std::optional<double>& value) {
  return value && std::isfinite(*value);
}

// Three digits after rounding: 9.996 is 10.0, not 10.00.
std::string three_digits(double value) {
  const double size = std::fabs(value);
  const int decimals = size < 9.995 ? 2 : size < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f}", value, decimals);
}

Number scaled(double value, std::span<const char* const> units) {
  size_t unit = 0;
  while (unit + 1 < units.size() && std::fabs(value) >= 999.5) {
    value /= 1000;
    ++unit;
  }
  return {three_digits(value), units[unit]};
}

// A value that rounds to zero loses its sign.
std::string fixed(double value, int decimals) {
  const double unit = std::pow(10, -decimals);
  return fmt::format("{:.{}f}", std::fabs(value) < unit / 2 ? 0.0 : value, decimals);
}

}  // namespace

Number duration(std::optional<double> ns) {
  static constexpr std::array<const char*, 4> kUnits{"ns", "us", "ms", "s"};
  if (!known(ns)) return {"-", ""};
  if (std::fabs(*ns) < 999.5) return {fixed(*ns, 0), "ns"};
  return scaled(*ns, kUnits);
}

Number count(std::optional<double> value) {
  static constexpr std::array<const char*, 5> kUnits{"", "k", "M", "G", "T"};
  if (!known(value)) return {"-", ""};
  const bool fraction = *value < 9.95 && *value != std::round(*value);
  if (*value < 9999.5) return {fixed(*value, fraction ? 1 : 0), ""};
  return scaled(*value, kUnits);
}

Number percent(std::optional<double> share) {
  if (!known(share)) return {"-", ""};
  return {fixed(*share * 100, 1), "%"};
}

Number signed_percent(std::optional<double> share) {
  const Number number = percent(share);
  const bool plus = known(share) && *share > 0 && number.digits != "0.0";
  return {fmt::format("{}{}", plus ? "+" : "", number.digits), number.unit};
}

Number factor(std::optional<double> ratio) {
  if (!known(ratio)) return {"-", ""};
  return {three_digits(*ratio), ""};
}

Number Times::of(Number number) const {
  if (!emulated || number.digits == "-") return number;
  return {"emulated", ""};
}

}  // namespace gilscope
