#include "tools/compare/effect.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace gilscope {
namespace {

Status check(const Side& side) {
  if (side.values.empty()) {
    return fail(Exit::no_data,
                side.name + ": no block has a value; leave it out, or run what measures it");
  }
  for (const BlockValue& value : side.values) {
    if (std::isfinite(value.value) && value.value >= 0) continue;
    return fail(
        fmt::format("{}: block {} has {}, and only finite values from 0 on can be compared; "
                    "leave out what was not measured",
                    side.name, value.block, value.value));
  }
  return {};
}

Status check(const Side& a, const Side& b) {
  if (auto checked = check(a); !checked) return checked;
  return check(b);
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

std::vector<double> values_of(const Side& side) {
  std::vector<double> values;
  for (const BlockValue& value : side.values) values.push_back(value.value);
  return values;
}

bool zero(double value) {
  return value == 0;
}

// What both designs say alike.
void describe(Effect& effect, const std::vector<double>& a, const std::vector<double>& b) {
  effect.blocks_a = a.size();
  effect.blocks_b = b.size();
  effect.median_a = *median(a);
  effect.median_b = *median(b);
  effect.all_zero = std::all_of(a.begin(), a.end(), zero) && std::all_of(b.begin(), b.end(), zero);
}

}  // namespace

size_t Effect::blocks() const {
  return std::min(blocks_a, blocks_b) - both_zero;
}

Result<Effect> paired_effect(const Side& a, const Side& b) {
  if (auto checked = check(a, b); !checked) return fail(checked.error());
  const auto of_a = by_block(a), of_b = by_block(b);
  if (!of_a) return fail(of_a.error());
  if (!of_b) return fail(of_b.error());
  Effect effect;
  effect.design = Design::paired;
  std::vector<ValuePair> pairs;
  std::vector<double> paired_a, paired_b, differences;
  for (const auto& [block, value] : *of_a) {
    const auto other = of_b->find(block);
    if (other == of_b->end()) continue;
    pairs.push_back({value, other->second});
    paired_a.push_back(value);
    paired_b.push_back(other->second);
    if (value == 0 && other->second == 0) {
      ++effect.both_zero;
    } else {
      // The logarithm of 0 is -infinity, which ranks behind every other.
      differences.push_back(std::log(other->second) - std::log(value));
    }
  }
  if (pairs.empty()) {
    return fail(
        Exit::no_data,
        fmt::format("{} and {} have no block in common; compare them unpaired", a.name, b.name));
  }
  effect.left_out = of_a->size() + of_b->size() - 2 * pairs.size();
  describe(effect, paired_a, paired_b);
  effect.estimate = paired_ratio(pairs);
  effect.permutation = sign_flips(differences);
  return effect;
}

Result<Effect> unpaired_effect(const Side& a, const Side& b) {
  if (auto checked = check(a, b); !checked) return fail(checked.error());
  const std::vector<double> values_a = values_of(a), values_b = values_of(b);
  Effect effect;
  effect.design = Design::unpaired;
  describe(effect, values_a, values_b);
  effect.estimate = unpaired_ratio(values_a, values_b);
  effect.permutation = relabelling(values_a, values_b);
  return effect;
}

}  // namespace gilscope
