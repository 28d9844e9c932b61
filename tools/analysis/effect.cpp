#include "tools/analysis/effect.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace gilscope {
namespace {

Status check(const Side& side, Scale scale) {
  if (side.values.empty()) {
    return fail(Exit::no_data,
                side.name + ": no block has a value; leave it out, or run what measures it");
  }
  for (const BlockValue& value : side.values) {
    const bool in_reach = scale == Scale::ratio ? value.value > 0 : value.value >= 0;
    if (std::isfinite(value.value) && in_reach) continue;
    return fail(fmt::format(
        "{}: block {} has {}, and only finite values {} can be compared; leave out what was not "
        "measured",
        side.name, value.block, value.value,
        scale == Scale::ratio ? "above 0 by their ratio" : "from 0 on"));
  }
  return {};
}

Status check(const Side& a, const Side& b, Scale scale) {
  if (auto checked = check(a, scale); !checked) return checked;
  return check(b, scale);
}

Result<std::map<int, double>> by_block(const Side& side) {
  std::map<int, double> values;
  for (const BlockValue& value : side.values) {
    if (values.emplace(value.block, value.value).second) continue;
    return fail(
        fmt::format("{}: block {} is there twice; give each block one value, or compare "
                    "unpaired",
                    side.name, value.block));
  }
  return values;
}

std::vector<double> values_of(const std::vector<UnitValue>& values) {
  std::vector<double> list;
  for (const UnitValue& value : values) list.push_back(value.value);
  return list;
}

bool zero(double value) {
  return value == 0;
}

double deviation_of(const std::vector<double>& values) {
  if (values.size() < 2) return 0;
  double mean = 0, squares = 0;
  for (const double value : values) mean += value / double(values.size());
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / double(values.size() - 1));
}

// Fills in what paired and unpaired effects have in common.
void describe(Effect& effect, const std::vector<double>& a, const std::vector<double>& b) {
  effect.blocks_a = a.size();
  effect.blocks_b = b.size();
  effect.median_a = *median(a);
  effect.median_b = *median(b);
  effect.all_zero = std::ranges::all_of(a, zero) && std::ranges::all_of(b, zero);
}

double on_scale(Scale scale, double value) {
  return scale == Scale::ratio ? std::log(value) : value;
}

}  // namespace

size_t Effect::blocks() const {
  return std::min(blocks_a, blocks_b);
}

double Effect::shown() const {
  return from_scale(scale, estimate.value);
}

std::optional<Interval> Effect::shown_interval() const {
  if (!estimate.interval) return {};
  return from_scale(scale, *estimate.interval);
}

double from_scale(Scale scale, double value) {
  return scale == Scale::ratio ? std::exp(value) : value;
}

Interval from_scale(Scale scale, const Interval& interval) {
  return {from_scale(scale, interval.low), from_scale(scale, interval.high)};
}

double difference_on(Scale scale, double a, double b) {
  return on_scale(scale, b) - on_scale(scale, a);
}

Result<Effect> paired_effect(const Side& a, const Side& b, Scale scale) {
  if (auto checked = check(a, b, scale); !checked) return fail(checked.error());
  const auto of_a = by_block(a), of_b = by_block(b);
  if (!of_a) return fail(of_a.error());
  if (!of_b) return fail(of_b.error());
  Effect effect;
  effect.design = effect.sample.design = Design::paired;
  effect.scale = scale;
  std::vector<double> paired_a, paired_b;
  for (const auto& [block, value] : *of_a) {
    const auto other = of_b->find(block);
    if (other == of_b->end()) continue;
    paired_a.push_back(value);
    paired_b.push_back(other->second);
    effect.sample.differences.push_back({block, difference_on(scale, value, other->second)});
  }
  if (paired_a.empty()) {
    return fail(
        Exit::no_data,
        fmt::format("{} and {} have no block in common; compare them unpaired", a.name, b.name));
  }
  effect.left_out = of_a->size() + of_b->size() - 2 * paired_a.size();
  describe(effect, paired_a, paired_b);
  const auto differences = values_of(effect.sample.differences);
  effect.constant = std::ranges::all_of(differences, zero);
  effect.estimate = paired_estimate(differences);
  effect.deviation_a = deviation_of(differences);
  return effect;
}

Result<Effect> unpaired_effect(const Side& a, const Side& b, Scale scale) {
  if (auto checked = check(a, b, scale); !checked) return fail(checked.error());
  Effect effect;
  effect.design = effect.sample.design = Design::unpaired;
  effect.scale = scale;
  std::vector<double> list_a, list_b;
  const auto take = [&](const Side& side, std::vector<UnitValue>& units,
                        std::vector<double>& list) {
    for (const BlockValue& value : side.values) {
      units.push_back({value.block, on_scale(scale, value.value)});
      list.push_back(value.value);
    }
  };
  take(a, effect.sample.a, list_a);
  take(b, effect.sample.b, list_b);
  describe(effect, list_a, list_b);
  const auto of_a = values_of(effect.sample.a), of_b = values_of(effect.sample.b);
  const auto as_first = [&](double value) { return value == of_a.front(); };
  effect.constant = std::ranges::all_of(of_a, as_first) && std::ranges::all_of(of_b, as_first);
  effect.estimate = unpaired_estimate(of_a, of_b);
  effect.deviation_a = deviation_of(of_a);
  effect.deviation_b = deviation_of(of_b);
  return effect;
}

Typical typical(const std::vector<double>& values) {
  if (values.empty()) return {};
  const bool above_0 = std::ranges::all_of(values, [](double value) { return value > 0; });
  const Scale scale = above_0 ? Scale::ratio : Scale::difference;
  std::vector<double> scaled;
  for (const double value : values) scaled.push_back(on_scale(scale, value));
  const Estimate estimate = paired_estimate(std::move(scaled));
  Typical typical{from_scale(scale, estimate.value), {}};
  if (estimate.interval) typical.interval = from_scale(scale, *estimate.interval);
  return typical;
}

}  // namespace gilscope
