// The one place where numbers are judged: p of many effects together, from one set of arrangements
// of whole blocks, and a verdict for each. `show`, `html` and `compare` all ask here.
#pragma once

#include <optional>
#include <vector>

#include "tools/analysis/effect.h"
#include "tools/analysis/joint_test.h"
#include "tools/analysis/verdict.h"
#include "userspace/base/result.h"

namespace gilscope {

struct Question {
  Effect effect;
  size_t family = 0;    // each family of questions is adjusted by itself
  size_t contrast = 0;  // unpaired effects: blocks are dealt out within it
  Better better = Better::lower;
  double min_difference = 0;
  // Several machines are one question: Student's p of their combined effect replaces the joint
  // test's, and no number of blocks would decide it. Empty where all of them measured 0.
  bool of_machines = false;
  std::optional<double> machines_p;
};

struct Judgement {
  std::optional<double> p;           // of this effect alone; empty: it could not differ
  std::optional<double> adjusted_p;  // of all effects of its family together
  Verdict verdict = Verdict::undecided;
  double least = 0;              // the smallest change that matters; 0.02 for ratios of 2 %, too
  std::optional<size_t> more;    // undecided: blocks on each side that would decide it
  bool at_least = false;         // `more` makes six; it may take more than those
  bool too_many_needed = false;  // it would take more than kMaxMoreBlocks
};

struct Judgements {
  std::vector<Judgement> each;  // in the order of the questions
  std::vector<size_t> tests;    // by family: the p that were adjusted together
  Arrangements arrangements;    // those that all p were counted over
};

// Questions that could find nothing are not tested: nothing was counted on either side, no block
// differs, or there are too few blocks. That much is known without telling the sides apart, so
// leaving those out makes no false difference likelier.
Result<Judgements> judge_together(const std::vector<Question>& questions,
                                  const VerdictLimits& limits = {});

}  // namespace gilscope
