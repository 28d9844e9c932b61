// Compares two copies of one report. A report is written again after every block, and continued
// when its experiment resumes, so copies made at different times rightly differ: one is an earlier
// state of the other. Any other difference means that a copy was edited, or that two experiments
// share an id.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "userspace/base/result.h"
#include "userspace/report/model.h"

namespace gilscope {

// How far a report has come. Of two copies that do not contradict each other, the later one is
// greater.
struct ReportState {
  size_t runs = 0;
  size_t interrupted_runs = 0;  // grows when an experiment resumes, before a run is added
  int status = 0;               // running, interrupted, done
  int minor = 0;

  auto operator<=>(const ReportState&) const = default;
};

ReportState state_of(const Report& report);

// The first difference that an experiment cannot make by going on from `one` to `later`: "cell 3,
// block 2, trace full: gil.acquires is 5 in the first and 6 in the second". Empty: `one` is the
// same, or an earlier state. Unknown keys are compared like any other. A missing key equals an
// empty one, because later minor versions add keys.
Result<std::optional<std::string>> contradiction(std::string_view one, std::string_view later);

}  // namespace gilscope
