#include "tests/unit/command.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "userspace/base/command.h"

namespace gilscope {

Outcome run_command(AddCommand add, std::vector<std::string> arguments) {
  CLI::App app;
  Exit exit = Exit::done;
  add(app, exit);
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  std::string refused;
  try {
    auto checked = checked_arguments(app, arguments);
    if (!checked) throw CLI::ValidationError(checked.error().message);
    std::ranges::reverse(*checked);  // the parser wants them reversed
    app.parse(std::move(*checked));
  } catch (const CLI::ParseError& error) {
    refused = error.what();
    exit = Exit::error;
  }
  Outcome outcome{int(exit), testing::internal::GetCapturedStdout(),
                  testing::internal::GetCapturedStderr()};
  outcome.err += refused;
  return outcome;
}

}  // namespace gilscope
