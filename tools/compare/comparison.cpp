#include "tools/compare/comparison.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "tools/analysis/holm.h"
#include "tools/compare/cell_names.h"
#include "tools/compare/missing.h"
#include "tools/compare/units.h"
#include "userspace/report/metric_names.h"
#include "userspace/util/quote.h"
#include "userspace/util/term.h"

namespace gilscope {
namespace {

Result<std::vector<size_t>> primary_metrics(const std::vector<ComparedReport>& reports,
                                            const std::vector<std::string>& asked) {
  std::set<std::string> names(asked.begin(), asked.end());
  if (names.empty()) {
    for (const ComparedReport& report : reports) {
      names.insert(report.settings.metrics.begin(), report.settings.metrics.end());
    }
  }
  std::set<size_t> places;
  for (const std::string& name : names) {
    if (const auto place = find_metric(name)) {
      places.insert(*place);
      continue;
    }
    const std::string near = nearest(name, metric_names());
    return fail(fmt::format("no metric {}: {}", in_quotes(name),
                            near.empty()
                                ? fmt::format("there are {}", fmt::join(metric_names(), ", "))
                                : fmt::format("did you mean '{}'?", near)));
  }
  if (places.empty()) {
    for (size_t i = 0; i < metrics().size(); ++i) {
      if (metrics()[i].primary) places.insert(i);
    }
  }
  return std::vector<size_t>(places.begin(), places.end());
}

std::optional<double> median_of(const std::vector<BoxResult>& boxes, double Effect::*side) {
  std::vector<double> values;
  for (const BoxResult& box : boxes) {
    if (box.effect) values.push_back((*box.effect).*side);
  }
  return median(std::move(values));
}

void take_one_box(const Effect& effect, MetricResult& result) {
  result.all_zero = effect.all_zero;
  result.scale = effect.scale;
  result.confidence = effect.estimate.confidence;
  if (effect.all_zero) return;  // neither a change nor a chance of one
  result.change = shown_on(effect.scale, effect.estimate.value);
  if (effect.estimate.interval) {
    result.interval = shown_on(effect.scale, *effect.estimate.interval);
  }
}

// Boxes with enough blocks for an interval are a sample of boxes; the others say why they are not.
Status take_boxes(MetricResult& result) {
  std::vector<BoxEffect> effects;
  for (BoxResult& box : result.boxes) {
    if (!box.effect) continue;
    result.scale = box.effect->scale;
    auto effect = box_effect(box.box, *box.effect);
    if (effect) {
      effects.push_back(std::move(*effect));
    } else {
      box.why = effect.error().message;
    }
  }
  result.all_zero = std::ranges::all_of(
      result.boxes, [](const BoxResult& box) { return !box.effect || box.effect->all_zero; });
  if (result.all_zero) return {};
  if (effects.size() < 2) {
    result.absent = "fewer than two boxes have enough blocks";
    return {};
  }
  auto combined = combine(std::move(effects));
  if (!combined) return fail(combined.error());
  result.combined = *combined;
  result.change = shown_on(result.scale, combined->value);
  result.interval = shown_on(result.scale, combined->interval);
  result.p = combined->p;
  return {};
}

constexpr const char* kEmulated = "emulated";

bool is_emulated(const CellPair& pair) {
  const auto emulated = [](const Member& member) { return member.report->emulated; };
  return std::ranges::any_of(pair.a, emulated) || std::ranges::any_of(pair.b, emulated);
}

Result<MetricResult> metric_result(const CellPair& pair, const Axis& axis, size_t metric,
                                   const UnitNumbers& units) {
  MetricResult result;
  result.metric = metric;
  if (metrics()[metric].of_time && is_emulated(pair)) {
    result.absent = kEmulated;
    return result;
  }
  auto boxes = box_results(pair, axis, metric, units);
  if (!boxes) return fail(boxes.error());
  result.boxes = std::move(*boxes);
  size_t with_effect = 0;
  for (const BoxResult& box : result.boxes) {
    if (!box.effect) continue;
    ++with_effect;
    result.blocks_a += box.effect->blocks_a;
    result.blocks_b += box.effect->blocks_b;
  }
  if (with_effect == 0) {
    result.absent = result.boxes.empty() ? "no box has both sides" : result.boxes.front().why;
    return result;
  }
  result.median_a = median_of(result.boxes, &Effect::median_a);
  result.median_b = median_of(result.boxes, &Effect::median_b);
  if (result.boxes.size() == 1) {
    take_one_box(*result.boxes.front().effect, result);
  } else if (Status s = take_boxes(result); !s) {
    return fail(s.error());
  }
  return result;
}

// What the verdict is of: the one box's effect, or several boxes' as if it were one's.
std::optional<Effect> judged_effect(const MetricResult& result) {
  if (result.boxes.size() == 1) return result.boxes.front().effect;
  if (!result.combined && !result.all_zero) return {};
  Effect effect;
  effect.scale = result.scale;
  effect.blocks_a = effect.blocks_b = SIZE_MAX;
  effect.all_zero = true;
  effect.median_a = result.median_a.value_or(0);
  effect.median_b = result.median_b.value_or(0);
  for (const BoxResult& box : result.boxes) {
    if (!box.effect || (!box.why.empty() && !result.all_zero)) continue;
    effect.blocks_a = std::min(effect.blocks_a, box.effect->blocks_a);
    effect.blocks_b = std::min(effect.blocks_b, box.effect->blocks_b);
    effect.all_zero = effect.all_zero && box.effect->all_zero;
  }
  if (result.combined) effect.estimate = {result.combined->value, result.combined->interval, 0.95};
  return effect;
}

// What is tested, of the primary metrics and of the others: a family each, since what is looked at
// besides takes nothing from what was declared.
//
// Whether a test could find anything at all, that nothing was counted on either side, or that there
// are too few blocks, is known without looking at which side is which, so leaving those tests out
// costs the others nothing and makes no false finding likelier.
struct Tested {
  std::vector<MetricResult*> of_one_box;
  std::vector<JointSample> samples;        // of these
  std::vector<MetricResult*> of_boxes[2];  // by family
};

Tested tested(Comparison& comparison, const VerdictLimits& limits) {
  Tested all;
  for (size_t contrast = 0; contrast < comparison.results.size(); ++contrast) {
    for (CellResult& cell : comparison.results[contrast].cells) {
      for (MetricResult& result : cell.metrics) {
        const auto effect = judged_effect(result);
        if (!effect || effect->all_zero || effect->blocks() < limits.min_blocks) continue;
        const size_t family = result.primary ? 0 : 1;
        if (result.combined) {
          all.of_boxes[family].push_back(&result);
        } else if (!effect->constant) {
          all.of_one_box.push_back(&result);
          all.samples.push_back(effect->sample);
          all.samples.back().family = family;
          all.samples.back().contrast = contrast;
        }
      }
    }
  }
  return all;
}

// Of metrics whose boxes were combined: Student's p of a few boxes, adjusted by Holm. Where a
// family has tests of both kinds, each kind has half of the significance.
Status adjust_boxes(const std::vector<MetricResult*>& results, bool alone) {
  std::vector<double> p;
  for (const MetricResult* result : results) p.push_back(*result->p);
  const auto adjusted = holm(p);
  if (!adjusted) return fail(adjusted.error());
  for (size_t i = 0; i < results.size(); ++i) {
    results[i]->adjusted_p = std::min(1.0, (*adjusted)[i] * (alone ? 1 : 2));
  }
  return {};
}

// By family, what chance alone makes of the largest statistic.
Result<std::vector<double>> test_all(Comparison& comparison, const VerdictLimits& limits) {
  const Tested all = tested(comparison, limits);
  JointOutcome outcome = joint_test(all.samples);
  size_t of_one_box[2] = {};
  for (const JointSample& sample : all.samples) ++of_one_box[sample.family];
  for (size_t i = 0; i < all.samples.size(); ++i) {
    const bool alone = all.of_boxes[all.samples[i].family].empty();
    all.of_one_box[i]->p = outcome.tests[i].p;
    all.of_one_box[i]->adjusted_p = std::min(1.0, outcome.tests[i].adjusted * (alone ? 1 : 2));
  }
  for (size_t family = 0; family < 2; ++family) {
    if (Status s = adjust_boxes(all.of_boxes[family], of_one_box[family] == 0); !s) {
      return fail(s.error());
    }
  }
  comparison.tests = of_one_box[0] + all.of_boxes[0].size();
  comparison.exploratory_tests = of_one_box[1] + all.of_boxes[1].size();
  comparison.arrangements = outcome.arrangements;
  outcome.critical.resize(2, 0);
  return outcome.critical;
}

void judge_all(Comparison& comparison, VerdictLimits limits, const std::vector<double>& critical) {
  for (ContrastResult& contrast : comparison.results) {
    for (CellResult& cell : contrast.cells) {
      for (MetricResult& result : cell.metrics) {
        const auto effect = judged_effect(result);
        if (!effect) continue;
        const Metric& metric = metrics()[result.metric];
        limits.min_difference = minimum_difference(metric.unit, limits.min_effect);
        result.least =
            result.scale == Scale::ratio ? limits.min_effect : least_that_matters(*effect, limits);
        // Whether more is worse is for real CPUs to say.
        const Better better = cell.emulated ? Better::neither : metric.better;
        result.verdict = judge(*effect, result.adjusted_p.value_or(1), better, limits);
        if (result.verdict != Verdict::undecided || result.boxes.size() > 1) continue;
        result.more = more_blocks(*effect, critical[result.primary ? 0 : 1], limits);
        result.at_least = effect->blocks() < limits.min_blocks;
        result.not_worth_it = !result.more;
      }
    }
  }
}

Status refuse(const Comparison& comparison) {
  for (const ContrastResult& result : comparison.results) {
    if (result.differences.refusals.empty()) continue;
    return fail(
        fmt::format("{} and {} do not compare: {}; --force compares all the same, and says so",
                    in_quotes(result.contrast->a), in_quotes(result.contrast->b),
                    fmt::join(result.differences.refusals, "; ")));
  }
  return {};
}

// A metric that was asked for by name has to be there.
Status missing(const CellResult& cell, const Contrast& contrast,
               const std::vector<std::string>& asked) {
  for (const MetricResult& result : cell.metrics) {
    const std::string name = metrics()[result.metric].name;
    if (result.absent.empty() || std::ranges::count(asked, name) == 0) continue;
    return fail(Exit::no_data,
                fmt::format("{}, {} against {}: {}: {}; leave out --metric {}", cell.name,
                            contrast.a, contrast.b, name, result.absent, name));
  }
  return {};
}

}  // namespace

const MetricResult* CellResult::lead() const {
  for (const MetricResult& result : metrics) {
    if (result.primary && result.absent.empty()) return &result;
  }
  return nullptr;
}

size_t CellResult::primary(Verdict verdict) const {
  return size_t(std::ranges::count_if(metrics, [&](const MetricResult& result) {
    return result.primary && result.absent.empty() && result.verdict == verdict;
  }));
}

size_t Comparison::primary(Verdict verdict) const {
  size_t sum = 0;
  for (const ContrastResult& contrast : results) {
    for (const CellResult& cell : contrast.cells) sum += cell.primary(verdict);
  }
  return sum;
}

bool Comparison::emulated() const {
  return std::ranges::any_of(results, [](const ContrastResult& contrast) {
    return std::ranges::any_of(contrast.cells, &CellResult::emulated);
  });
}

std::vector<Missing> ContrastResult::missing() const {
  std::vector<Missing> all = unmatched;
  for (const CellResult& cell : cells) {
    all.insert(all.end(), cell.missing.begin(), cell.missing.end());
  }
  return all;
}

size_t Comparison::missing() const {
  size_t sum = unfinished.size();
  for (const ContrastResult& contrast : results) {
    const auto all = contrast.missing();
    sum += size_t(std::ranges::count(all, false, &Missing::passes));
  }
  return sum;
}

Exit Comparison::exit() const {
  const bool failed = primary(Verdict::slower) > 0 ||
                      (!undecided_passes && primary(Verdict::undecided) > 0) ||
                      (!missing_passes && missing() > 0);
  return failed ? Exit::check_failed : Exit::done;
}

Result<Comparison> compare(std::vector<ComparedReport> reports, const ComparisonOptions& options) {
  Comparison comparison;
  comparison.min_effect = options.min_effect;
  comparison.undecided_passes = options.undecided_passes;
  comparison.missing_passes = options.missing_passes;
  const bool declared =
      !options.metrics.empty() || std::ranges::any_of(reports, [](const ComparedReport& report) {
        return !report.settings.metrics.empty();
      });
  const auto primary = primary_metrics(reports, options.metrics);
  if (!primary) return fail(primary.error());
  const bool by_report = options.sides.by.empty() || options.sides.by == kByReport;
  auto once = each_once(std::move(reports), by_report);
  if (!once) return fail(once.error());
  comparison.reports = std::move(*once);
  auto axis = axis_of(comparison.reports, options.sides);
  if (!axis) return fail(axis.error());
  comparison.axis = std::move(*axis);
  auto contrasts = contrasts_of(comparison.reports, comparison.axis);
  if (!contrasts) return fail(contrasts.error());
  comparison.contrasts = std::move(*contrasts);

  comparison.unfinished = unfinished(comparison.reports);
  const CellNames names(comparison.contrasts);
  const UnitNumbers units(comparison.reports);
  bool any = false;
  std::string why_not;
  for (const Contrast& contrast : comparison.contrasts) {
    ContrastResult& result = comparison.results.emplace_back();
    result.contrast = &contrast;
    result.differences = differences(contrast, comparison.axis);
    result.unmatched = unmatched_of(contrast, comparison.axis, names);
    comparison.forced = comparison.forced || !result.differences.refusals.empty();
    for (const CellPair& pair : contrast.cells) {
      CellResult& cell = result.cells.emplace_back();
      cell.pair = &pair;
      cell.name = names.of(pair);
      cell.boxes_left_out = boxes_left_out(pair, comparison.axis);
      const auto how = how_compared(pair, comparison.axis);
      cell.design = how.design;
      cell.unit = how.unit;
      cell.emulated = is_emulated(pair);
      for (const bool first : {true, false}) {
        for (size_t metric = 0; metric < metrics().size(); ++metric) {
          const bool is_primary = std::ranges::count(*primary, metric) > 0;
          if (is_primary != first) continue;
          auto found = metric_result(pair, comparison.axis, metric, units);
          if (!found) return fail(found.error());
          found->primary = is_primary;
          found->inapplicable =
              !declared && (found->absent == kOnNeitherSide || found->absent == kEmulated);
          any = any || (found->absent.empty() && is_primary);
          if (!found->absent.empty() && is_primary && why_not.empty()) {
            why_not = fmt::format("{}: {}", cell.name, found->absent);
          }
          cell.metrics.push_back(std::move(*found));
        }
      }
      cell.missing = missing_of(cell, contrast, comparison.axis);
      const bool lost = std::ranges::count(cell.missing, false, &Missing::passes) > 0;
      Status there = missing(cell, contrast, options.metrics);
      if (!there && !lost) return fail(there.error());
    }
  }
  if (comparison.forced && !options.force) return fail(refuse(comparison).error());
  if (!any) {
    return fail(
        Exit::no_data,
        fmt::format("nothing to compare: no metric was measured on both sides ({})", why_not));
  }
  VerdictLimits limits;
  limits.min_effect = options.min_effect;
  const auto critical = test_all(comparison, limits);
  if (!critical) return fail(critical.error());
  judge_all(comparison, limits, *critical);
  return comparison;
}

}  // namespace gilscope
