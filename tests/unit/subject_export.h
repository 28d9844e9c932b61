// The output of `gilscope export` on the report of a real program (subject_report.h).
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/command.h"
#include "tests/unit/subject_report.h"
#include "tools/cli/tools.h"

namespace gilscope {

inline std::string exported(const sample::TracedSubject& subject,
                            std::vector<std::string> options) {
  std::vector<std::string> words{"export", "-o", "-"};
  words.insert(words.end(), options.begin(), options.end());
  words.push_back(subject.path());
  const Outcome outcome = run_command(add_export, words);
  EXPECT_EQ(outcome.exit, 0) << outcome.err;
  return outcome.out;
}

}  // namespace gilscope
