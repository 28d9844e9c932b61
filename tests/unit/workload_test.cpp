// The spellings of workloads, which are a contract, and what a workload does.
#include "userspace/workload/workload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/under_gil.h"

namespace gilscope {
namespace {

using testing::HasSubstr;

std::string canonical(const std::string& text) {
  auto result = canonical_workload(text);
  return result ? *result : "refused: " + result.error().message;
}

TEST(Workloads, HaveOneCanonicalForm) {
  EXPECT_EQ(canonical("count"), "count:n=20M");
  EXPECT_EQ(canonical("count:n=20000000"), "count:n=20M");
  EXPECT_EQ(canonical("count:n=1500"), "count:n=1500");
  EXPECT_EQ(canonical("count:n=1"), "count:n=1");
  EXPECT_EQ(canonical("count:n=9223372036854775807"), "count:n=9223372036854775807");
  EXPECT_EQ(canonical("count:seconds=2"), "count:n=20M,seconds=2s");
  EXPECT_EQ(canonical("count:seconds=0.5"), "count:n=20M,seconds=500ms");
  EXPECT_EQ(canonical("count:seconds=250ms,n=1k"), "count:n=1k,seconds=250ms");
  EXPECT_EQ(canonical("count:seconds=86400"), "count:n=20M,seconds=86400s");
}

TEST(Workloads, ReadTheirCanonicalFormAsItself) {
  for (const char* text : {"count:n=20M", "count:n=1500", "count:n=1k,seconds=1.5s"}) {
    EXPECT_EQ(canonical(text), text);
  }
}

TEST(Workloads, AllOfTheListCanBeMade) {
  ASSERT_FALSE(workload_list().empty());
  for (const WorkloadInfo& workload : workload_list()) {
    EXPECT_EQ(canonical(workload.name), workload.name);
    auto made = make_workload(workload.name);
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_NE(*made, nullptr);
  }
}

TEST(Workloads, NameTheOneThatWasMeant) {
  EXPECT_THAT(canonical("cuont:n=5"), HasSubstr("did you mean 'count'?"));
  EXPECT_THAT(canonical("sleep"),
              testing::AllOf(HasSubstr("'sleep'"), testing::Not(HasSubstr("did you mean"))));
  EXPECT_THAT(canonical("count:m=5"), testing::AllOf(HasSubstr("'m'"), HasSubstr("n=COUNT")));
  EXPECT_THAT(canonical("count:n=0"), HasSubstr("n=0"));
}

class BadWorkload : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(
    Workloads, BadWorkload,
    testing::Values("", ":", "Count", "counts:n=1:", "unknown", "count:", "count:5", "count:n",
                    "count:n=", "count:n=0", "count:n=-1", "count:n=1.5", "count:n=ten",
                    "count:n=5ms", "count:n=9223372036854775808", "count:n=18446744073709551616",
                    "count:n=10G0", "count:n=5,n=5", "count:N=5", "count:n=5,seconds=0",
                    "count:n=5,seconds=0ms", "count:n=5,seconds=-1", "count:n=5,seconds=86401",
                    "count:n=5,seconds=25h", "count:n=5,seconds=forever",
                    // Not "two minutes", and so not two milliseconds either.
                    "count:seconds=2m", "count:seconds=2n", "count:seconds=2u", "count:n=5\n",
                    "\x1b[2Jcount", "count\xff", std::string("count\0", 6),
                    std::string(100'000, 'c'), "count:n=" + std::string(900, '9'),
                    "count:" + std::string(900, 'n') + "=5"));

TEST_P(BadWorkload, IsRefusedInOneLine) {
  auto workload = make_workload(GetParam());
  ASSERT_FALSE(workload);
  auto text = canonical_workload(GetParam());
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, Exit::error);
  EXPECT_EQ(text.error().message, workload.error().message);
  EXPECT_FALSE(text.error().message.empty());
  for (const char c : text.error().message) {
    EXPECT_TRUE(c >= ' ' && c <= '~') << "a control character, or no ASCII";
  }
}

TEST(Count, DoesAsManyOperationsAsItWasAskedFor) {
  const auto gil = make_gil("check-interval:0");
  UnderGil self;
  (*gil)->acquire(self.thread);
  Interpreter interpreter(**gil, self.thread);
  auto workload = make_workload("count:n=1234");
  EXPECT_EQ((*workload)->run(interpreter), 1234u);
  EXPECT_EQ(self.slot.acquires, 2u + 3 * 1234 + 3) << "it did not count as often as it says";
  EXPECT_EQ((*workload)->run(interpreter), 1234u) << "a workload runs once in each thread";
  (*gil)->release(self.thread);
}

TEST(Count, SaysHowLongMainSleeps) {
  EXPECT_EQ((*make_workload("count:n=1"))->main_sleep_ns(), std::nullopt);
  EXPECT_EQ((*make_workload("count:n=1,seconds=2"))->main_sleep_ns(), 2'000'000'000u);
  EXPECT_EQ((*make_workload("count:n=1,seconds=500ms"))->main_sleep_ns(), 500'000'000u);
}

}  // namespace
}  // namespace gilscope
