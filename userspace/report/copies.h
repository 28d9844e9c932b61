// Two copies of one report. A report is written again after every block, and taken up where its
// experiment was interrupted, so copies made at different times differ, and rightly: one of them is
// then an earlier state of the other. Anything else was changed by somebody, or measured twice
// under one id.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "userspace/report/model.h"
#include "userspace/util/result.h"

namespace gilscope {

// How far a report has come. Of two copies that do not contradict each other, the greater is the
// later.
struct ReportState {
  size_t runs = 0;
  size_t interrupted_runs = 0;  // grows when a report is taken up, before a run is added
  int status = 0;               // running, interrupted, done
  int minor = 0;

  auto operator<=>(const ReportState&) const = default;
};

ReportState state_of(const Report& report);

// The first thing in `one` that `later` does not have as well, or has otherwise, though no
// experiment that goes on would change it: "cell 3, block 2, trace full: gil.acquires is 5 in the
// first and 6 in the second". Empty: `one` is the same, or an earlier state. Keys that this
// gilscope does not know are looked at like any other; one that is missing is as good as one with
// nothing in it, since a later minor version adds keys.
Result<std::optional<std::string>> contradiction(std::string_view one, std::string_view later);

}  // namespace gilscope
