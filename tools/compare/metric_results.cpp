#include "tools/compare/metric_results.h"

#include <algorithm>

namespace gilscope {
namespace {

constexpr size_t kPrimary = 0, kExploratory = 1;  // families of questions

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

// Boxes with enough blocks for an interval are combined as a sample; each of the others says why it
// is not among them.
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

// The effect that is judged: the one box's, or the combined one of several boxes.
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

Better better_of(const CellResult& cell, const Metric& metric) {
  // Only real CPUs tell whether more of something is worse.
  return cell.emulated ? Better::neither : metric.better;
}

}  // namespace

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

Status judge_results(Comparison& comparison) {
  VerdictLimits limits;
  limits.min_effect = comparison.min_effect;
  std::vector<Question> questions;
  std::vector<MetricResult*> results;
  for (size_t contrast = 0; contrast < comparison.results.size(); ++contrast) {
    for (CellResult& cell : comparison.results[contrast].cells) {
      for (MetricResult& result : cell.metrics) {
        auto effect = judged_effect(result);
        if (!effect) continue;
        const Metric& metric = metrics()[result.metric];
        Question& question = questions.emplace_back();
        question.effect = std::move(*effect);
        question.family = result.primary ? kPrimary : kExploratory;
        question.contrast = contrast;
        question.better = better_of(cell, metric);
        question.min_difference = minimum_difference(metric.unit, limits.min_effect);
        question.of_machines = result.boxes.size() > 1;
        if (result.combined) question.machines_p = result.combined->p;
        results.push_back(&result);
      }
    }
  }
  const auto judged = judge_together(questions, limits);
  if (!judged) return fail(judged.error());
  for (size_t i = 0; i < results.size(); ++i) {
    MetricResult& result = *results[i];
    const Judgement& judgement = judged->each[i];
    if (judgement.p) result.p = judgement.p;
    result.adjusted_p = judgement.adjusted_p;
    result.verdict = judgement.verdict;
    result.least = judgement.least;
    result.more = judgement.more;
    result.at_least = judgement.at_least;
    result.not_worth_it = judgement.not_worth_it;
  }
  const auto tests_of = [&](size_t family) {
    return family < judged->tests.size() ? judged->tests[family] : 0;
  };
  comparison.tests = tests_of(kPrimary);
  comparison.exploratory_tests = tests_of(kExploratory);
  comparison.arrangements = judged->arrangements;
  return {};
}

}  // namespace gilscope
