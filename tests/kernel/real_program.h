// Real programs for the tests of `exec` and `attach`: scripts of Debian's Python.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "tests/kernel/program.h"

namespace gilscope {

inline constexpr const char* kPython = "/usr/bin/python3";

class WithPython : public ::testing::Test {
 protected:
  void SetUp() override {
    if (access(kPython, X_OK) != 0) GTEST_SKIP() << "this machine has no " << kPython;
  }

  Scratch scratch_;
};

// Waits for a minute at most: loading the programs takes a while on a busy machine.
template <typename Condition>
bool in_time(Condition condition) {
  for (int i = 0; i < 12'000; ++i) {
    if (condition()) return true;
    usleep(5'000);
  }
  return false;
}

// Waits until a file has this text.
inline bool says(const std::string& file, const std::string& text) {
  return in_time([&] {
    return shell(fmt::format("cat {} 2>/dev/null", file)).out.find(text) != std::string::npos;
  });
}

}  // namespace gilscope
