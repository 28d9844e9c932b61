#include "tools/compare/curve.h"

#include <algorithm>
#include <cmath>

#include "tools/compare/sentences.h"

namespace gilscope {
namespace {

using Keys = std::map<std::string, std::string>;

const MetricResult* find(const CellResult& cell, size_t metric) {
  for (const MetricResult& result : cell.metrics) {
    if (result.metric == metric && result.absent_reason.empty()) return &result;
  }
  return nullptr;
}

// A cell is drawn by its slowdown, where it has one, else by what it is about: the rate where runs
// last for a set time, the wall time of sequential cells.
std::optional<size_t> metric_of(const CellResult& cell) {
  const auto slowdown = find_metric("slowdown");
  if (slowdown && find(cell, *slowdown)) return slowdown;
  return cell.lead() ? std::optional(cell.lead()->metric) : std::nullopt;
}

CurvePoint point_of(const std::string& level, const std::vector<Member>& members, size_t metric) {
  std::vector<double> values;
  for (const Member& member : members) {
    for (const BlockValue& value : member.cell->values[metric]) values.push_back(value.value);
  }
  const Typical of_blocks = typical(values);
  return {level, of_blocks.value, of_blocks.interval, Verdict::same};
}

struct Group {
  Curves curves;
  std::vector<const Keys*> keys;  // of the cells, in the order of the curves

  void add(const CellResult& cell, const Contrast& contrast) {
    const auto found =
        std::ranges::find_if(keys, [&](const Keys* other) { return *other == cell.pair->keys; });
    const auto place = size_t(found - keys.begin());
    if (place == keys.size()) {
      keys.push_back(&cell.pair->keys);
      Curve& curve = curves.curves.emplace_back();
      curve.cell = cell.name;
      curve.points.push_back(point_of(contrast.a, cell.pair->a, curves.metric));
    }
    CurvePoint point = point_of(contrast.b, cell.pair->b, curves.metric);
    point.verdict = find(cell, curves.metric)->verdict;
    curves.curves[place].points.push_back(std::move(point));
  }
};

}  // namespace

std::string bends(const std::vector<CurvePoint>& points, const Axis& axis) {
  const auto differs = std::ranges::find_if(points, [](const CurvePoint& point) {
    return point.verdict != Verdict::same && point.verdict != Verdict::undecided;
  });
  if (differs == points.end()) return "no bend is decided";
  double steepest = 0;
  size_t from = 0;
  for (size_t i = 0; i + 1 < points.size(); ++i) {
    const auto &here = points[i].value, &next = points[i + 1].value;
    if (!here || !next || *here <= 0 || *next <= 0) continue;
    const double step = std::fabs(std::log(*next / *here));
    if (step > steepest) steepest = step, from = i;
  }
  return fmt::format("differs from {} with {}; bends most between {} and {}",
                     level_name(axis, points.front().level), level_name(axis, differs->level),
                     points[from].level, level_name(axis, points[from + 1].level));
}

std::vector<Curves> curves(const Comparison& comparison) {
  if (comparison.axis.key != "cpus" || comparison.axis.levels.size() < 3) return {};
  std::vector<Group> groups;
  for (const ContrastResult& contrast : comparison.results) {
    for (const CellResult& cell : contrast.cells) {
      const auto metric = metric_of(cell);
      if (!metric) continue;
      const auto same = [&](const Group& group) { return group.curves.metric == *metric; };
      auto group = std::ranges::find_if(groups, same);
      if (group == groups.end()) {
        group = groups.emplace(groups.end());
        group->curves.metric = *metric;
      }
      group->add(cell, *contrast.contrast);
    }
  }
  // The slowdown, which is asked about most, comes first.
  const auto slowdown = find_metric("slowdown");
  // (clang 14 does not take libstdc++'s std::ranges::stable_partition.)
  std::stable_partition(groups.begin(), groups.end(),
                        [&](const Group& group) { return group.curves.metric == slowdown; });
  std::vector<Curves> all;
  for (Group& group : groups) {
    for (Curve& curve : group.curves.curves) curve.bends = bends(curve.points, comparison.axis);
    all.push_back(std::move(group.curves));
  }
  return all;
}

}  // namespace gilscope
