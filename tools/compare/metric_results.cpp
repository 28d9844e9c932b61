#include "tools/compare/metric_results.h"

#include <algorithm>

namespace gilscope {
namespace {

constexpr size_t kPrimary = 0, kExploratory = 1;  // families of questions

std::optional<double> median_of(const std::vector<MachineResult>& machines, double Effect::*side) {
  std::vector<double> values;
  for (const MachineResult& machine : machines) {
    if (machine.effect) values.push_back((*machine.effect).*side);
  }
  return median(std::move(values));
}

void take_one_machine(const Effect& effect, MetricResult& result) {
  result.all_zero = effect.all_zero;
  result.scale = effect.scale;
  result.confidence = effect.estimate.confidence;
  if (effect.all_zero) return;  // neither a change nor a chance of one
  result.change = from_scale(effect.scale, effect.estimate.value);
  if (effect.estimate.interval) {
    result.interval = from_scale(effect.scale, *effect.estimate.interval);
  }
}

// Machines with enough blocks for an interval are combined as a sample; each of the others says why
// it is not among them.
Status take_machines(MetricResult& result) {
  std::vector<MachineEffect> effects;
  for (MachineResult& machine : result.machines) {
    if (!machine.effect) continue;
    result.scale = machine.effect->scale;
    auto effect = machine_effect(machine.machine, *machine.effect);
    if (effect) {
      effects.push_back(std::move(*effect));
    } else {
      machine.reason = effect.error().message;
    }
  }
  result.all_zero = std::ranges::all_of(result.machines, [](const MachineResult& machine) {
    return !machine.effect || machine.effect->all_zero;
  });
  if (result.all_zero) return {};
  if (effects.size() < 2) {
    result.absent_reason = "fewer than two machines have enough blocks";
    return {};
  }
  auto combined = combine(std::move(effects));
  if (!combined) return fail(combined.error());
  result.combined = *combined;
  result.change = from_scale(result.scale, combined->value);
  result.interval = from_scale(result.scale, combined->interval);
  result.p = combined->p;
  return {};
}

// The effect that is judged: the one machine's, or the combined one of several machines.
std::optional<Effect> judged_effect(const MetricResult& result) {
  if (result.machines.size() == 1) return result.machines.front().effect;
  if (!result.combined && !result.all_zero) return {};
  Effect effect;
  effect.scale = result.scale;
  effect.blocks_a = effect.blocks_b = SIZE_MAX;
  effect.all_zero = true;
  effect.median_a = result.median_a.value_or(0);
  effect.median_b = result.median_b.value_or(0);
  for (const MachineResult& machine : result.machines) {
    if (!machine.effect || (!machine.reason.empty() && !result.all_zero)) continue;
    effect.blocks_a = std::min(effect.blocks_a, machine.effect->blocks_a);
    effect.blocks_b = std::min(effect.blocks_b, machine.effect->blocks_b);
    effect.all_zero = effect.all_zero && machine.effect->all_zero;
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

bool is_of_subject(const CellPair& pair) {
  const auto of_subject = [](const Member& member) { return member.cell->of_subject; };
  return std::ranges::any_of(pair.a, of_subject) || std::ranges::any_of(pair.b, of_subject);
}

Result<MetricResult> metric_result(const CellPair& pair, const Axis& axis, size_t metric,
                                   const UnitNumbers& units) {
  MetricResult result;
  result.metric = metric;
  if (metrics()[metric].of_time && is_emulated(pair)) {
    result.absent_reason = kEmulated;
    return result;
  }
  auto machines = machine_results(pair, axis, metric, units);
  if (!machines) return fail(machines.error());
  result.machines = std::move(*machines);
  size_t with_effect = 0;
  for (const MachineResult& machine : result.machines) {
    if (!machine.effect) continue;
    ++with_effect;
    result.blocks_a += machine.effect->blocks_a;
    result.blocks_b += machine.effect->blocks_b;
  }
  if (with_effect == 0) {
    result.absent_reason =
        result.machines.empty() ? "no machine has both sides" : result.machines.front().reason;
    return result;
  }
  result.median_a = median_of(result.machines, &Effect::median_a);
  result.median_b = median_of(result.machines, &Effect::median_b);
  if (result.machines.size() == 1) {
    take_one_machine(*result.machines.front().effect, result);
  } else if (Status s = take_machines(result); !s) {
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
        question.of_machines = result.machines.size() > 1;
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
    result.too_many_needed = judgement.too_many_needed;
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
