// Numbers as people read them: three digits and a unit. A missing one is "-", never 0.
#pragma once

#include <optional>
#include <string>

namespace gilscope {

// Digits and unit are apart, so that a table can align both.
struct Number {
  std::string digits;
  std::string unit;

  std::string text() const { return unit.empty() ? digits : digits + " " + unit; }
};

Number duration(std::optional<double> ns);    // 12.3 us, 345 ms
Number count(std::optional<double> value);    // 9876, 12.3 k, 1.23 M
Number percent(std::optional<double> share);  // 0.123 -> 12.3 %
Number signed_percent(std::optional<double> share);
Number factor(std::optional<double> ratio);  // 1.38

// Hides times, and rates and shares made of them, where CPUs were emulated: there they mean
// nothing.
struct Times {
  bool emulated = false;

  Number of(Number number) const;  // the number itself, or "emulated" in its place
};

}  // namespace gilscope
