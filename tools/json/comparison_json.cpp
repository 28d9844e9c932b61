#include "tools/json/comparison_json.h"

#include "tools/compare/per_acquire.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace gilscope {
namespace {

using Json = nlohmann::ordered_json;

Json value(const std::optional<double>& number) {
  return number && std::isfinite(*number) ? Json(*number) : Json(nullptr);
}

Json value(const std::optional<Interval>& interval) {
  if (!interval) return nullptr;
  return {{"low", value(interval->low)},
          {"high", value(interval->high)},
          {"open_above", false}};  // a key of 1.0; intervals are no longer open
}

// A change is a ratio or a difference; the key of the other is null.
void add_change(Json& json, Scale scale, const std::optional<double>& change,
                const std::optional<Interval>& interval) {
  const bool ratio = scale == Scale::ratio;
  json["ratio"] = ratio ? value(change) : Json(nullptr);
  json["interval"] = ratio ? value(interval) : Json(nullptr);
  json["difference"] = ratio ? Json(nullptr) : value(change);
  json["difference_interval"] = ratio ? Json(nullptr) : value(interval);
}

const char* name_of(Design design) {
  return design == Design::paired ? "paired" : "unpaired";
}

const char* name_of(Unit unit) {
  return unit == Unit::boot ? "boot" : "block";
}

const char* name_of(Better better) {
  return better == Better::lower ? "lower" : better == Better::higher ? "higher" : "neither";
}

Json machine_json(const MachineResult& machine) {
  Json json{{"box", machine.machine}, {"unit", name_of(machine.unit)}};
  if (!machine.reason.empty()) json["left_out"] = machine.reason;
  if (!machine.effect) return json;
  const Effect& effect = *machine.effect;
  json["design"] = name_of(effect.design);
  json["units_a"] = effect.blocks_a;
  json["units_b"] = effect.blocks_b;
  json["median_a"] = value(effect.median_a);
  json["median_b"] = value(effect.median_b);
  const auto& interval = effect.estimate.interval;
  add_change(json, effect.scale, from_scale(effect.scale, effect.estimate.value),
             interval ? std::optional(from_scale(effect.scale, *interval)) : std::nullopt);
  return json;
}

Json metric_json(const MetricResult& result) {
  const Metric& metric = metrics()[result.metric];
  Json json{
      {"metric", metric.name}, {"primary", result.primary}, {"better", name_of(metric.better)}};
  if (!result.absent_reason.empty()) {
    json["absent"] = result.absent_reason;
    return json;
  }
  json["median_a"] = value(result.median_a);
  json["median_b"] = value(result.median_b);
  json["units_a"] = result.blocks_a;
  json["units_b"] = result.blocks_b;
  add_change(json, result.scale, result.change, result.interval);
  json["least_that_matters"] = value(result.least);
  json["confidence"] = result.confidence;
  json["p"] = value(result.p);
  json["adjusted_p"] = value(result.adjusted_p);
  json["verdict"] = gilscope::name_of(result.verdict);
  if (result.verdict == Verdict::undecided) {
    json["more_units"] = result.more ? Json(*result.more) : Json(nullptr);
    json["more_at_least"] = result.at_least;
    json["more_not_worth_it"] = result.too_many_needed;
  }
  if (result.combined) {
    json["combined"] = {{"between_boxes", result.combined->between},
                        {"signs_differ", result.combined->signs_differ},
                        {"contradictory", result.combined->contradictory}};
  }
  Json machines = Json::array();
  for (const MachineResult& machine : result.machines) machines.push_back(machine_json(machine));
  json["boxes"] = std::move(machines);
  return json;
}

Json unmatched_json(const std::vector<CellPair>& cells) {
  Json list = Json::array();
  for (const CellPair& pair : cells) list.push_back(pair.keys);
  return list;
}

Json runs_json(const std::vector<Member>& members) {
  const RunTally sum = runs_of(members);
  return {{"planned", sum.planned},         {"compared", sum.compared}, {"failed", sum.failed},
          {"interrupted", sum.interrupted}, {"not_run", sum.not_run},   {"gated", sum.disturbed},
          {"failures", sum.failures},       {"gates", sum.disturbances}};
}

Json cell_json(const CellResult& cell) {
  Json json{{"name", cell.name},
            {"keys", cell.pair->keys},
            {"design", name_of(cell.design)},
            {"unit", name_of(cell.unit)},
            {"runs_a", runs_json(cell.pair->a)},
            {"runs_b", runs_json(cell.pair->b)},
            {"boxes_left_out", cell.machines_left_out}};
  Json list = Json::array();
  for (const MetricResult& result : cell.metrics) list.push_back(metric_json(result));
  json["metrics"] = std::move(list);
  return json;
}

Json contrast_json(const ContrastResult& result) {
  Json json{{"a", result.contrast->a}, {"b", result.contrast->b}};
  json["refusals"] = result.differences.refusals;
  Json differences = Json::array();
  for (const Difference& difference : result.differences.between) {
    differences.push_back({{"key", difference.key}, {"a", difference.a}, {"b", difference.b}});
  }
  json["differences"] = std::move(differences);
  Json varying = Json::array();
  for (const Variation& variation : result.differences.within) {
    varying.push_back(
        {{"side", variation.side}, {"key", variation.key}, {"values", variation.values}});
  }
  json["varying"] = std::move(varying);
  json["only_a"] = unmatched_json(result.contrast->only_a);
  json["only_b"] = unmatched_json(result.contrast->only_b);
  Json missing = Json::array();
  for (const Missing& one : result.missing()) {
    missing.push_back(
        {{"side", one.side}, {"cell", one.cell}, {"what", one.what}, {"passes", one.passes}});
  }
  json["missing"] = std::move(missing);
  Json cells = Json::array();
  for (const CellResult& cell : result.cells) cells.push_back(cell_json(cell));
  json["cells"] = std::move(cells);
  return json;
}

}  // namespace

std::string comparison_json(const Comparison& comparison) {
  Json json{{"schema", {{"name", "gilscope.comparison"}, {"major", 1}, {"minor", 1}}},
            {"by", comparison.axis.key},
            {"within", comparison.axis.within},
            {"baseline", comparison.axis.levels.front()},
            {"min_effect", comparison.min_effect},
            {"forced", comparison.forced},
            {"emulated", comparison.emulated()},
            {"undecided_passes", comparison.undecided_passes},
            {"missing_passes", comparison.missing_passes},
            {"tests", comparison.tests},
            {"exploratory_tests", comparison.exploratory_tests}};
  const Arrangements& arrangements = comparison.arrangements;
  json["arrangements"] = {{"count", arrangements.count},
                          {"exact", arrangements.exact},
                          {"seed", arrangements.exact ? Json(nullptr) : Json(arrangements.seed)}};
  const PerAcquire counts = per_acquire(comparison);
  Json groups = Json::array();
  for (const PerAcquire::Group& group : counts.groups) {
    Json rows = Json::array();
    for (const PerAcquire::Row& row : group.rows) {
      Json json_row{{"level", row.level}};
      for (size_t i = 0; i < row.values.size(); ++i) {
        json_row[PerAcquire::kMetrics[i]] = value(row.values[i]);
      }
      rows.push_back(std::move(json_row));
    }
    groups.push_back({{"cell", group.title}, {"rows", std::move(rows)}});
  }
  json["per_acquire"] = std::move(groups);
  Json reports = Json::array();
  for (const UnfinishedReport& report : comparison.unfinished) {
    reports.push_back({{"report", report.report},
                       {"status", report.status},
                       {"blocks", report.blocks},
                       {"blocks_planned", report.planned}});
  }
  json["unfinished_reports"] = std::move(reports);
  Json contrasts = Json::array();
  for (const ContrastResult& result : comparison.results) {
    contrasts.push_back(contrast_json(result));
  }
  json["contrasts"] = std::move(contrasts);
  json["slower"] = comparison.primary(Verdict::slower);
  json["undecided"] = comparison.primary(Verdict::undecided);
  json["missing"] = comparison.missing();
  json["exit"] = int(comparison.exit());
  return json.dump(2) + "\n";
}

}  // namespace gilscope
