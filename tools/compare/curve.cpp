#include "tools/compare/curve.h"

#include <algorithm>
#include <cmath>

#include "tools/compare/sentences.h"

namespace gilscope {
namespace {

using Keys = std::map<std::string, std::string>;

const MetricResult* find(const CellResult& cell, size_t metric) {
  for (const MetricResult& result : cell.metrics) {
    if (result.metric == metric && result.absent.empty()) return &result;
  }
  return nullptr;
}

// The slowdown where some cell has it; else what cells have first. Cells that last for a set time
// have no slowdown, and a rate beside the others' slowdown.
std::vector<size_t> metrics_of(const Comparison& comparison) {
  const auto slowdown = find_metric("slowdown"), rate = find_metric("operations_per_s");
  bool any_slowdown = false, any_rate = false;
  std::optional<size_t> first;
  for (const ContrastResult& contrast : comparison.results) {
    for (const CellResult& cell : contrast.cells) {
      any_slowdown = any_slowdown || (slowdown && find(cell, *slowdown));
      any_rate = any_rate || (rate && cell.lead() && cell.lead()->metric == *rate);
      if (cell.lead() && !first) first = cell.lead()->metric;
    }
  }
  std::vector<size_t> found;
  if (any_slowdown) {
    found.push_back(*slowdown);
  } else if (first) {
    found.push_back(*first);
  }
  if (any_rate && found.front() != *rate) found.push_back(*rate);
  return found;
}

CurvePoint point_of(const std::string& level, const std::vector<Member>& members, size_t metric) {
  std::vector<double> values;
  for (const Member& member : members) {
    for (const BlockValue& value : member.cell->values[metric]) values.push_back(value.value);
  }
  return {level, median(values), median_interval(values), Verdict::same};
}

std::string bends(const Curve& curve, const Axis& axis) {
  const auto differs = std::ranges::find_if(curve.points, [](const CurvePoint& point) {
    return point.verdict != Verdict::same && point.verdict != Verdict::undecided;
  });
  if (differs == curve.points.end()) return "no bend is decided";
  double steepest = 0;
  size_t from = 0;
  for (size_t i = 0; i + 1 < curve.points.size(); ++i) {
    const auto &here = curve.points[i].median, &next = curve.points[i + 1].median;
    if (!here || !next || *here <= 0 || *next <= 0) continue;
    const double step = std::fabs(std::log(*next / *here));
    if (step > steepest) steepest = step, from = i;
  }
  return fmt::format("differs from {} with {}; bends most between {} and {}",
                     level_name(axis, curve.points.front().level), level_name(axis, differs->level),
                     curve.points[from].level, level_name(axis, curve.points[from + 1].level));
}

Curves curves_of(const Comparison& comparison, size_t metric) {
  Curves all;
  all.metric = metric;
  std::vector<const Keys*> keys;
  for (const ContrastResult& contrast : comparison.results) {
    for (const CellResult& cell : contrast.cells) {
      if (!find(cell, metric)) continue;
      const auto found =
          std::ranges::find_if(keys, [&](const Keys* other) { return *other == cell.pair->keys; });
      const auto place = size_t(found - keys.begin());
      if (place == keys.size()) {
        keys.push_back(&cell.pair->keys);
        Curve& curve = all.curves.emplace_back();
        curve.cell = cell.name;
        curve.points.push_back(point_of(contrast.contrast->a, cell.pair->a, metric));
      }
      CurvePoint point = point_of(contrast.contrast->b, cell.pair->b, metric);
      point.verdict = find(cell, metric)->verdict;
      all.curves[place].points.push_back(std::move(point));
    }
  }
  for (Curve& curve : all.curves) curve.bends = bends(curve, comparison.axis);
  return all;
}

}  // namespace

std::vector<Curves> curves(const Comparison& comparison) {
  std::vector<Curves> all;
  if (comparison.axis.key != "cpus" || comparison.axis.levels.size() < 3) return all;
  for (const size_t metric : metrics_of(comparison)) all.push_back(curves_of(comparison, metric));
  return all;
}

}  // namespace gilscope
