#include "tools/html/comparison_plots.h"

#include <fmt/format.h>

#include "tools/compare/sentences.h"
#include "tools/html/forest_plot.h"

namespace gilscope {
namespace {

constexpr size_t kMostDots = 400;

// Each block of the other side over the baseline's same block, or over the baseline's median.
std::vector<double> ratios_of(const CellResult& cell, const MetricResult& result) {
  std::map<std::pair<std::string, int>, double> baseline;
  for (const Member& member : cell.pair->a) {
    for (const BlockValue& value : member.cell->values[result.metric]) {
      baseline[{member.report->id, value.block}] = value.value;
    }
  }
  std::vector<double> ratios;
  for (const Member& member : cell.pair->b) {
    for (const BlockValue& value : member.cell->values[result.metric]) {
      double under = result.median_a.value_or(0);
      if (cell.design == Design::paired) {
        const auto found = baseline.find({member.report->id, value.block});
        if (found == baseline.end()) continue;
        under = found->second;
      }
      if (under > 0 && ratios.size() < kMostDots) ratios.push_back(value.value / under);
    }
  }
  return ratios;
}

Number (*written(Metric::Unit unit))(std::optional<double>) {
  switch (unit) {
    case Metric::Unit::time:
      return duration;
    case Metric::Unit::share:
      return percent;
    case Metric::Unit::rate:
      return count;
    case Metric::Unit::each:
    case Metric::Unit::factor:
      break;
  }
  return factor;
}

std::vector<double> values_of(const std::vector<Member>& members, size_t metric) {
  std::vector<double> values;
  for (const Member& member : members) {
    for (const BlockValue& value : member.cell->values[metric]) {
      if (values.size() < kMostDots) values.push_back(value.value);
    }
  }
  return values;
}

}  // namespace

std::string group_name(const Comparison& comparison, const ContrastResult& contrast,
                       const CellResult& cell) {
  if (comparison.results.size() == 1) return cell.name;
  return fmt::format("{}: {} against {}", cell.name, contrast.contrast->b, contrast.contrast->a);
}

std::string ratio_plot(const Comparison& comparison) {
  std::vector<ForestRow> rows;
  for (const ContrastResult& contrast : comparison.results) {
    for (const CellResult& cell : contrast.cells) {
      for (const MetricResult& result : cell.metrics) {
        if (!result.primary || !result.ratio()) continue;
        ForestRow row;
        row.group = group_name(comparison, contrast, cell);
        row.label =
            fmt::format("{}: {}", shown_name(metrics()[result.metric]), name_of(result.verdict));
        row.values = ratios_of(cell, result);
        row.middle = result.change;
        row.interval = result.interval;
        row.attributes = fmt::format("data-metric=\"{}\" data-verdict=\"{}\"",
                                     metrics()[result.metric].name, name_of(result.verdict));
        rows.push_back(std::move(row));
        if (result.machines.size() < 2) continue;
        for (const MachineResult& machine : result.machines) {
          if (!machine.effect) continue;
          const Estimate& estimate = machine.effect->estimate;
          ForestRow of_machine;
          of_machine.group = rows.back().group;
          of_machine.label = "on " + machine.machine;
          of_machine.middle = from_scale(Scale::ratio, estimate.value);
          if (estimate.interval) of_machine.interval = from_scale(Scale::ratio, *estimate.interval);
          rows.push_back(std::move(of_machine));
        }
      }
    }
  }
  if (rows.empty()) return "";
  ForestAxis axis{"Ratio to " + level_name(comparison.axis, comparison.axis.levels.front()),
                  "compared ratio", "block", 1.0};
  axis.middle = "ratio";
  return forest_plot(axis, rows);
}

std::string distributions(const CellResult& cell, const Contrast& contrast) {
  std::string out;
  for (const MetricResult& result : cell.metrics) {
    if (!result.primary || !result.absent_reason.empty() || !result.change) continue;
    const Metric& metric = metrics()[result.metric];
    std::vector<ForestRow> rows;
    for (const bool baseline : {true, false}) {
      ForestRow row;
      row.label = baseline ? contrast.a : contrast.b;
      row.values = values_of(baseline ? cell.pair->a : cell.pair->b, result.metric);
      const Typical of_blocks = typical(row.values);
      row.middle = of_blocks.value;
      row.interval = of_blocks.interval;
      rows.push_back(std::move(row));
    }
    out += forest_plot({shown_name(metric), metric.name, "block", std::nullopt, false, "estimate",
                        written(metric.unit)},
                       rows);
  }
  if (out.empty()) return "";
  return "<details><summary>Distributions side by side</summary>\n" + out + "</details>\n";
}

}  // namespace gilscope
