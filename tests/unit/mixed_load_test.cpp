// A thread that blocks repeatedly beside threads that compute: under every policy all of them make
// progress, and none is forgotten in a queue.
#include <gtest/gtest.h>
#include <poll.h>

#include "tests/every_policy.h"
#include "tests/unit/under_gil.h"
#include "userspace/eval/interpreter.h"
#include "userspace/eval/programs.h"

namespace gilscope {
namespace {

struct Mix {
  std::string policy;
  int threads;
};

std::vector<Mix> mixes() {
  std::vector<Mix> mixes;
  for (const std::string& policy :
       joined({"pypy:10000"}, every_policy({.opcodes = 100, .ns = 1'000'000}))) {
    for (int threads : {2, 8}) mixes.push_back({policy, threads});
  }
  return mixes;
}

class MixedLoad : public testing::TestWithParam<Mix> {};
INSTANTIATE_TEST_SUITE_P(Gil, MixedLoad, testing::ValuesIn(mixes()), [](const auto& info) {
  return name_of_test(info.param.policy + "_" + std::to_string(info.param.threads));
});

TEST_P(MixedLoad, LetsAllThreadsMakeProgress) {
  constexpr int kBlockingCalls = 10;
  constexpr int64_t kChunk = 1'000;
  const auto gil = *make_gil(GetParam().policy);
  const Code code = counting_loop();
  std::atomic<bool> blocking_is_taken{false};
  std::atomic<int> to_get_on{GetParam().threads};
  for (const auto& member : run_together(GetParam().threads, [&](UnderGil& self) {
         const bool computes = blocking_is_taken.exchange(true);
         gil->acquire(self.thread);
         Interpreter interpreter(*gil, self.thread);
         for (int turn = 0; to_get_on > 0; ++turn) {
           interpreter.run(code, {&kChunk, 1});
           if (!computes) {
             AllowThreads allow(*gil, self.thread);
             poll(nullptr, 0, turn % 3 ? 1 : 0);
           }
           if (turn == (computes ? 0 : kBlockingCalls)) --to_get_on;
         }
         gil->release(self.thread);
       })) {
    EXPECT_EQ(member->slot.state, GILSCOPE_OUTSIDE);
    EXPECT_EQ(member->slot.acquires, member->slot.releases);
    EXPECT_GE(member->slot.acquires, 1u);
  }
}

}  // namespace
}  // namespace gilscope
