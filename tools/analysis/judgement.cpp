#include "tools/analysis/judgement.h"

#include <algorithm>

#include "tools/analysis/holm.h"

namespace gilscope {
namespace {

bool can_differ(const Question& question, const VerdictLimits& limits) {
  const Effect& effect = question.effect;
  if (effect.all_zero || effect.blocks() < limits.min_blocks) return false;
  return question.of_machines ? question.machines_p.has_value() : !effect.constant;
}

size_t families_of(const std::vector<Question>& questions) {
  size_t count = 0;
  for (const Question& question : questions) count = std::max(count, question.family + 1);
  return count;
}

// The questions that are tested, by their place in the list.
struct Tested {
  std::vector<size_t> jointly;
  std::vector<std::vector<size_t>> of_machines;  // by family

  size_t jointly_in(const std::vector<Question>& questions, size_t family) const {
    return size_t(std::ranges::count_if(
        jointly, [&](size_t place) { return questions[place].family == family; }));
  }
};

Tested tested(const std::vector<Question>& questions, const VerdictLimits& limits) {
  Tested tested;
  tested.of_machines.resize(families_of(questions));
  for (size_t place = 0; place < questions.size(); ++place) {
    const Question& question = questions[place];
    if (!can_differ(question, limits)) continue;
    auto& list = question.of_machines ? tested.of_machines[question.family] : tested.jointly;
    list.push_back(place);
  }
  return tested;
}

// Where a family has tests of both kinds, each kind has half of the significance.
double shared(double adjusted, bool alone) {
  return std::min(1.0, adjusted * (alone ? 1 : 2));
}

// Returns, by family, what the largest statistic reaches by chance.
std::vector<double> test_jointly(const std::vector<Question>& questions, const Tested& tested,
                                 Judgements& judgements) {
  std::vector<JointSample> samples;
  for (const size_t place : tested.jointly) {
    const Question& question = questions[place];
    JointSample& sample = samples.emplace_back(question.effect.sample);
    sample.family = question.family;
    sample.contrast = question.contrast;
  }
  JointOutcome outcome = joint_test(samples);
  for (size_t i = 0; i < tested.jointly.size(); ++i) {
    const size_t place = tested.jointly[i];
    Judgement& judgement = judgements.each[place];
    const bool alone = tested.of_machines[questions[place].family].empty();
    judgement.p = outcome.tests[i].p;
    judgement.adjusted_p = shared(outcome.tests[i].adjusted, alone);
  }
  judgements.arrangements = outcome.arrangements;
  outcome.critical.resize(tested.of_machines.size());
  return outcome.critical;
}

// No arrangement of a few machines is rare enough: their p is Student's, adjusted by Holm.
Status test_machines(const std::vector<Question>& questions, const Tested& tested,
                     Judgements& judgements) {
  for (size_t family = 0; family < tested.of_machines.size(); ++family) {
    std::vector<double> p;
    for (const size_t place : tested.of_machines[family]) {
      p.push_back(*questions[place].machines_p);
      judgements.each[place].p = p.back();
    }
    const auto adjusted = holm(p);
    if (!adjusted) return fail(adjusted.error());
    const bool alone = tested.jointly_in(questions, family) == 0;
    for (size_t i = 0; i < p.size(); ++i) {
      judgements.each[tested.of_machines[family][i]].adjusted_p = shared((*adjusted)[i], alone);
    }
  }
  return {};
}

void conclude(const Question& question, double critical, VerdictLimits limits,
              Judgement& judgement) {
  const Effect& effect = question.effect;
  limits.min_difference = question.min_difference;
  judgement.least =
      effect.scale == Scale::ratio ? limits.min_effect : equivalence_margin(effect, limits);
  judgement.verdict = judge(effect, judgement.adjusted_p.value_or(1), question.better, limits);
  if (judgement.verdict != Verdict::undecided || question.of_machines) return;
  judgement.more = more_blocks(effect, critical, limits);
  judgement.at_least = effect.blocks() < limits.min_blocks;
  judgement.too_many_needed = !judgement.more;
}

}  // namespace

Result<Judgements> judge_together(const std::vector<Question>& questions,
                                  const VerdictLimits& limits) {
  Judgements judgements;
  judgements.each.resize(questions.size());
  const Tested all = tested(questions, limits);
  const std::vector<double> critical = test_jointly(questions, all, judgements);
  if (Status s = test_machines(questions, all, judgements); !s) return fail(s.error());
  for (size_t family = 0; family < all.of_machines.size(); ++family) {
    judgements.tests.push_back(all.jointly_in(questions, family) + all.of_machines[family].size());
  }
  for (size_t i = 0; i < questions.size(); ++i) {
    conclude(questions[i], critical[questions[i].family], limits, judgements.each[i]);
  }
  return judgements;
}

}  // namespace gilscope
