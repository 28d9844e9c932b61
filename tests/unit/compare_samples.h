// Synthetic blocks from seeds: log-normal noise around a side's typical value.
#pragma once

#include <cmath>
#include <numbers>
#include <random>
#include <string>
#include <vector>

#include "tests/unit/sanitizers.h"
#include "tools/analysis/effect.h"

namespace gilscope::sample {

// Sanitizers look for mistakes that a few rounds show, and are too slow for many; counts over the
// rounds are then not judged. Only tests that are recompiled for sanitizers know about them
// (OWN_TESTS of the Makefile).
constexpr bool kFewRounds = GILSCOPE_UNDER_ASAN || GILSCOPE_UNDER_TSAN;
constexpr size_t rounds(size_t count) {
  return kFewRounds ? count / 100 : count;
}

// Yields the same numbers with every standard library, which the standard distributions do not
// guarantee.
class Noise {
 public:
  explicit Noise(uint64_t seed) : engine_(seed) {}

  double uniform() { return (double(engine_() >> 11) + 0.5) * 0x1p-53; }

  double normal() {
    return std::sqrt(-2 * std::log(uniform())) * std::cos(2 * std::numbers::pi * uniform());
  }

  std::vector<double> normals(size_t count, double deviation) {
    std::vector<double> values(count);
    for (double& value : values) value = deviation * normal();
    return values;
  }

 private:
  std::mt19937_64 engine_;
};

inline Side side(const std::vector<double>& values, const std::string& name = "wall time of A") {
  Side result{name, {}};
  for (size_t i = 0; i < values.size(); ++i) result.values.push_back({int(i), values[i]});
  return result;
}

// The values of one metric in one side's blocks: the typical value, times each block's effect on
// everything in it, times the metric's own noise.
inline std::vector<double> values(Noise& noise, double typical, const std::vector<double>& blocks,
                                  double deviation) {
  std::vector<double> result;
  for (const double block : blocks) {
    result.push_back(typical * std::exp(block + deviation * noise.normal()));
  }
  return result;
}

inline Effect effect(Design design, const std::vector<double>& a, const std::vector<double>& b,
                     Scale scale = Scale::ratio) {
  const auto made = design == Design::paired ? paired_effect(side(a), side(b), scale)
                                             : unpaired_effect(side(a), side(b), scale);
  return made.value();
}

}  // namespace gilscope::sample
