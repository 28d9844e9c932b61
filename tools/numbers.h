// Numbers as people read them: three digits and a unit. A missing one is "-", never 0.
#pragma once

#include <optional>
#include <string>

namespace gilscope {

// Apart, so that a table can align both.
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

// What is made of a time, a rate or a share of a time included: on emulated CPUs none means
// anything.
struct Times {
  bool emulated = false;

  Number of(Number number) const;  // as it is, or "emulated" for what is there
};

}  // namespace gilscope
