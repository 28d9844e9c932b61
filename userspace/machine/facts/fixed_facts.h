// The facts that must not change within a report: an interrupted experiment resumes only if they
// are unchanged. docs/report.md lists them, and a test compares that list with this one.
#pragma once

#include <span>
#include <string>

#include "userspace/report/facts.h"

namespace gilscope {

struct Report;

enum class FixedBy { gilscope, kernel, machine, scheduler };

struct FixedFact {
  const char* key;
  FixedBy by;
};

std::span<const FixedFact> fixed_facts();

// The facts to compare: the environment, the moment before the first run, and the version that
// wrote the report, as `gilscope`.
Facts facts_of(const Report& report);
Facts current_facts();

// Empty if the experiment may resume. Otherwise a message to follow the name of the earlier
// report's directory, with both values and the ways out: "holds an experiment of another machine:
// ...". A fact that is null or absent on one side is no difference: an older gilscope did not
// record it, or it could not be read.
std::string resume_refusal(const Facts& earlier, const Facts& now);

}  // namespace gilscope
