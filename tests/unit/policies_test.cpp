// The spellings of policies, which are a contract, and what is said of a bad one.
#include "userspace/gil/policies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gilscope {
namespace {

using testing::HasSubstr;

std::string canonical(const std::string& text) {
  auto result = canonical_policy(text);
  return result ? *result : "refused: " + result.error().message;
}

TEST(Policies, HaveOneCanonicalForm) {
  EXPECT_EQ(canonical("check-interval"), "check-interval:100");
  EXPECT_EQ(canonical("check-interval:100"), "check-interval:100");
  EXPECT_EQ(canonical("check-interval:1k"), "check-interval:1000");
  EXPECT_EQ(canonical("check-interval:0"), "check-interval:0");
  EXPECT_EQ(canonical("check-interval:2147483647"), "check-interval:2147483647");
  EXPECT_EQ(canonical("check-interval:lock=condvar"), "check-interval:100,lock=condvar");
  EXPECT_EQ(canonical("check-interval:yield"), "check-interval:100,yield");
  EXPECT_EQ(canonical("check-interval:7,yield,lock=condvar"),
            "check-interval:7,lock=condvar,yield");
  EXPECT_EQ(canonical("switch-interval"), "switch-interval:5ms");
  EXPECT_EQ(canonical("switch-interval:5000us"), "switch-interval:5ms");
  EXPECT_EQ(canonical("switch-interval:50us"), "switch-interval:50us");
  EXPECT_EQ(canonical("switch-interval:1us"), "switch-interval:1us");
  EXPECT_EQ(canonical("switch-interval:3600s"), "switch-interval:3600s");
  EXPECT_EQ(canonical("switch-interval:flag=thread"), "switch-interval:5ms,flag=thread");
  EXPECT_EQ(canonical("switch-interval:0.05s,flag=thread"), "switch-interval:50ms,flag=thread");
  EXPECT_EQ(canonical("none"), "none");
}

TEST(Policies, ReadTheirCanonicalFormAsItself) {
  for (const char* text : {"check-interval:100", "check-interval:100,lock=condvar",
                           "check-interval:100,yield", "check-interval:100,lock=condvar,yield",
                           "switch-interval:5ms", "switch-interval:5ms,flag=thread", "none"}) {
    EXPECT_EQ(canonical(text), text);
  }
}

TEST(Policies, AllOfTheListCanBeMade) {
  ASSERT_GE(policy_list().size(), 3u);
  for (const PolicyInfo& policy : policy_list()) {
    EXPECT_EQ(canonical(policy.name), policy.name);
    EXPECT_FALSE(policy.summary.empty());
    auto gil = make_gil(policy.name);
    ASSERT_TRUE(gil) << gil.error().message;
    EXPECT_NE(*gil, nullptr);
  }
}

TEST(Policies, SayWhichKindOfChecksTheyNeed) {
  EXPECT_EQ((*make_gil("check-interval"))->checks(), Gil::Checks::counted_opcodes);
  EXPECT_EQ((*make_gil("switch-interval"))->checks(), Gil::Checks::back_edges);
  EXPECT_EQ((*make_gil("none"))->checks(), Gil::Checks::back_edges);
}

TEST(Policies, NameTheOneThatWasMeant) {
  EXPECT_THAT(canonical("chekc-interval:100"), HasSubstr("did you mean 'check-interval'?"));
  EXPECT_THAT(canonical("switch-intervall"), HasSubstr("did you mean 'switch-interval'?"));
  EXPECT_THAT(canonical("none_"), HasSubstr("did you mean 'none'?"));
  EXPECT_THAT(canonical("quantum"), HasSubstr("'quantum'"));
  EXPECT_THAT(canonical("quantum"), testing::Not(HasSubstr("did you mean")));
}

TEST(Policies, SayWhatIsWrongAndWhatThereIs) {
  EXPECT_THAT(canonical("check-interval:100,lock=mutex"),
              testing::AllOf(HasSubstr("'lock=mutex'"), HasSubstr("lock=condvar, yield")));
  EXPECT_THAT(canonical("check-interval:2147483648"),
              testing::AllOf(HasSubstr("'2147483648'"), HasSubstr("0 to 2147483647")));
  EXPECT_THAT(canonical("switch-interval:999ns"),
              testing::AllOf(HasSubstr("'999ns'"), HasSubstr("1us to 3600s")));
  EXPECT_THAT(canonical("none:1"), HasSubstr("it takes none"));
}

class BadPolicy : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(
    Policies, BadPolicy,
    testing::Values(
        "", ":", "check", "unknown", "NONE", "none:", "none:1", "none:yield",
        "check-interval:", "check-interval:-1", "check-interval:1.5", "check-interval:2147483648",
        "check-interval:18446744073709551616", "check-interval:ten", "check-interval:100,",
        "check-interval:100,100", "check-interval:100,yield=1", "check-interval:100,lock",
        "check-interval:5ms", "check-interval:100,lock=condvar,lock=condvar",
        "check-interval:100,flag=thread", "check-interval:yield,100", "switch-interval:5",
        "switch-interval:0ms", "switch-interval:999ns", "switch-interval:3601s",
        "switch-interval:-5ms", "switch-interval:5ms,yield", "switch-interval:5ms,flag=global",
        "switch-interval:5ms,5ms", "switch-interval 5ms", "check-interval\n:100", "\x1b[2Jnone",
        "none\xff", std::string("none\0", 5), std::string(100'000, 'n'),
        "check-interval:" + std::string(100'000, '1'), "check-interval:" + std::string(900, '1')));

TEST_P(BadPolicy, IsRefusedInOneShortLine) {
  auto gil = make_gil(GetParam());
  ASSERT_FALSE(gil);
  auto text = canonical_policy(GetParam());
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, Exit::error);
  EXPECT_EQ(text.error().message, gil.error().message);
  EXPECT_FALSE(text.error().message.empty());
  EXPECT_LT(text.error().message.size(), 500u);
  for (const char c : text.error().message) {
    EXPECT_TRUE(c >= ' ' && c <= '~') << "a control character, or no ASCII";
  }
}

}  // namespace
}  // namespace gilscope
