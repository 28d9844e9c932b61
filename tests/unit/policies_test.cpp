// The spellings of policies, which are a contract, and the messages about bad ones.
#include "userspace/gil/policies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

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
  EXPECT_EQ(canonical("fifo"), "fifo:100");
  EXPECT_EQ(canonical("fifo:1k"), "fifo:1000");
  EXPECT_EQ(canonical("fifo:0"), "fifo:0");
  EXPECT_EQ(canonical("pypy"), "pypy:10000");
  EXPECT_EQ(canonical("pypy:10k"), "pypy:10000");
  EXPECT_EQ(canonical("pypy:1"), "pypy:1");
  EXPECT_EQ(canonical("gvl"), "gvl:100ms");
  EXPECT_EQ(canonical("gvl:0.1s"), "gvl:100ms");
  EXPECT_EQ(canonical("gvl:1us"), "gvl:1us");
  EXPECT_EQ(canonical("gvl-handoff"), "gvl-handoff:100ms");
  EXPECT_EQ(canonical("gvl-handoff:10ms"), "gvl-handoff:10ms");
  EXPECT_EQ(canonical("bfs"), "bfs");
  EXPECT_EQ(canonical("priority"), "priority:5ms");
  EXPECT_EQ(canonical("priority:5000us"), "priority:5ms");
  EXPECT_EQ(canonical("sharded"), "sharded:16");
  EXPECT_EQ(canonical("sharded:1"), "sharded:1");
  EXPECT_EQ(canonical("sharded:4096"), "sharded:4096");
  EXPECT_EQ(canonical("none"), "none");
}

TEST(Policies, ReadTheirCanonicalFormAsItself) {
  for (const char* text :
       {"check-interval:100", "check-interval:100,lock=condvar", "check-interval:100,yield",
        "check-interval:100,lock=condvar,yield", "switch-interval:5ms",
        "switch-interval:5ms,flag=thread", "fifo:100", "pypy:10000", "gvl:100ms",
        "gvl-handoff:100ms", "bfs", "priority:5ms", "sharded:16", "none"}) {
    EXPECT_EQ(canonical(text), text);
  }
}

TEST(Policies, AllOfTheListCanBeMade) {
  std::set<std::string> names;
  for (const PolicyDescriptor& policy : policies()) {
    SCOPED_TRACE(policy.name);
    EXPECT_TRUE(names.insert(policy.name).second);
    EXPECT_EQ(canonical(policy.name), policy.example());
    for (const std::string& form : policy.forms()) {
      EXPECT_EQ(canonical(form), form);
      auto gil = make_gil(form);
      ASSERT_TRUE(gil) << gil.error().message;
      ASSERT_NE(*gil, nullptr);
      EXPECT_EQ(has_one_owner(form), (*gil)->pieces() == 1 && form != "none");
    }
  }
}

TEST(Policies, DescribeThemselves) {
  for (const PolicyDescriptor& policy : policies()) {
    SCOPED_TRACE(policy.name);
    for (const std::string& text :
         {policy.summary, policy.whose, policy.primitive, policy.next, policy.given_up}) {
      EXPECT_FALSE(text.empty());
      EXPECT_EQ(text.find_first_of("\n|"), std::string::npos) << text << " is no cell of a table";
    }
    EXPECT_LE(policy.summary.size(), 82u) << "too long for a line of `gilscope list`";
    if (!policy.failures.timed_out.empty() || !policy.failures.drop_requests.empty()) {
      EXPECT_FALSE(policy.failures.contended.empty());
    }
    if (policy.promises.gives_way) {
      EXPECT_FALSE(policy.failures.drop_requests.empty()) << "nobody asks";
    }
  }
}

TEST(Policies, TakeTheirBoundsAndNothingBeyond) {
  for (const PolicyDescriptor& policy : policies()) {
    SCOPED_TRACE(policy.name);
    EXPECT_THAT(canonical(policy.name + ":no-such=option"),
                testing::AllOf(HasSubstr("has no parameter 'no-such=option'"),
                               HasSubstr(policy.parameters())));
    if (!policy.value) continue;
    for (const uint64_t good : {policy.value->lowest, policy.value->highest}) {
      EXPECT_EQ(canonical(policy.with(good)), policy.with(good));
    }
    std::vector<uint64_t> bad = {policy.value->highest + 1};
    if (policy.value->lowest > 0) bad.push_back(policy.value->lowest - 1);
    for (const uint64_t number : bad) {
      EXPECT_THAT(canonical(policy.with(number)),
                  testing::AllOf(HasSubstr(policy.value->what), HasSubstr(policy.example())));
    }
  }
}

TEST(Policies, SayWhichKindOfChecksTheyNeed) {
  EXPECT_EQ((*make_gil("check-interval"))->checks(), Gil::Checks::counted_opcodes);
  EXPECT_EQ((*make_gil("switch-interval"))->checks(), Gil::Checks::back_edges);
  EXPECT_EQ((*make_gil("none"))->checks(), Gil::Checks::back_edges);
  for (const char* text : {"fifo", "pypy", "bfs", "sharded"}) {
    EXPECT_EQ((*make_gil(text))->checks(), Gil::Checks::counted_opcodes) << text;
  }
  for (const char* text : {"gvl", "gvl-handoff", "priority"}) {
    EXPECT_EQ((*make_gil(text))->checks(), Gil::Checks::back_edges) << text;
  }
}

TEST(Policies, SayHowManyMayHold) {
  EXPECT_EQ((*make_gil("sharded:16"))->pieces(), 16u);
  EXPECT_EQ((*make_gil("sharded:1"))->pieces(), 1u);
  EXPECT_EQ((*make_gil("fifo"))->pieces(), 1u);
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
  EXPECT_THAT(canonical("pypy:0"), testing::AllOf(HasSubstr("'0'"), HasSubstr("1 to 2147483647")));
  EXPECT_THAT(canonical("gvl:1ns"), testing::AllOf(HasSubstr("'1ns'"), HasSubstr("1us to 3600s")));
  EXPECT_THAT(canonical("gvl-handoff:9ms"),
              testing::AllOf(HasSubstr("'9ms'"), HasSubstr("10ms to 3600s")));
  EXPECT_THAT(canonical("sharded:4097"),
              testing::AllOf(HasSubstr("'4097'"), HasSubstr("1 to 4096")));
  EXPECT_THAT(canonical("priority:5ms,yield"), HasSubstr("it takes T (time)"));
  EXPECT_THAT(canonical("bfs:10ms"), HasSubstr("it takes none"));
  EXPECT_THAT(canonical("none:1"), HasSubstr("it takes none"));
}

class BadPolicy : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(
    Policies, BadPolicy,
    testing::Values("", ":", "check", "unknown", "NONE", "none:", "none:1", "none:yield",
                    "check-interval:", "check-interval:-1", "check-interval:1.5",
                    "check-interval:2147483648", "check-interval:18446744073709551616",
                    "check-interval:ten", "check-interval:100,", "check-interval:100,100",
                    "check-interval:100,yield=1", "check-interval:100,lock", "check-interval:5ms",
                    "check-interval:100,lock=condvar,lock=condvar",
                    "check-interval:100,flag=thread", "check-interval:yield,100",
                    "switch-interval:5", "switch-interval:0ms", "switch-interval:999ns",
                    "switch-interval:3601s", "switch-interval:-5ms", "switch-interval:5ms,yield",
                    "switch-interval:5ms,flag=global", "switch-interval:5ms,5ms",
                    "switch-interval 5ms", "fifo:-1", "fifo:2147483648", "fifo:5ms", "fifo:100,100",
                    "fifo:n=100", "pypy:0", "pypy:2147483648", "pypy:100,yield", "gvl:100",
                    "gvl:999ns", "gvl:3601s", "gvl:100ms,100ms", "gvl:t=100ms", "gvl-handoff:9ms",
                    "gvl-handoff:3601s", "gvl-handoff:100", "gvl_handoff:100ms", "bfs:", "bfs:10ms",
                    "priority:5", "priority:999ns", "priority:3601s", "priority:high", "sharded:0",
                    "sharded:4097", "sharded:-1", "sharded:16,16", "sharded:n=16", "sharded:16ms",
                    "check-interval\n:100", "\x1b[2Jnone", "none\xff", std::string("none\0", 5),
                    std::string(100'000, 'n'), "check-interval:" + std::string(100'000, '1'),
                    "check-interval:" + std::string(900, '1')));

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
    EXPECT_TRUE(c >= ' ' && c <= '~') << "a control character, or not ASCII";
  }
}

}  // namespace
}  // namespace gilscope
