// Kernel tests trace the running kernel. If they cannot, each is skipped with the reason, unless
// GILSCOPE_MUST_TRACE is set: on the project's own machines a missing capability is a failure.
#include <gtest/gtest.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "userspace/machine/features/features.h"

namespace {

class NeedsTracing : public ::testing::Environment {
 public:
  void SetUp() override {
    gilscope::Status able = gilscope::require_tracing();
    if (able) return;
    if (std::getenv("GILSCOPE_MUST_TRACE")) {
      FAIL() << able.error().message;
    } else {
      GTEST_SKIP() << able.error().message;
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  // A shell makes its background processes ignore these, and the programs under test would inherit
  // that.
  signal(SIGINT, SIG_DFL);
  signal(SIGQUIT, SIG_DFL);
  ::testing::InitGoogleTest(&argc, argv);
  ::testing::AddGlobalTestEnvironment(new NeedsTracing);
  return RUN_ALL_TESTS();
}
