#include "tests/unit/command.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <algorithm>

namespace gilscope {

Outcome run_command(AddCommand add, std::vector<std::string> arguments) {
  CLI::App app;
  Exit exit = Exit::done;
  add(app, exit);
  std::ranges::reverse(arguments);  // as the parser wants them
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  std::string refused;
  try {
    app.parse(arguments);
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
