// The facts that must be unchanged for an interrupted experiment to go on.
#include "userspace/machine/facts/fixed_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "tests/unit/sample_report.h"

namespace gilscope {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kDocument =
#include "docs/report.md.inc"
    ;

Facts with(Facts facts, const std::string& key, decltype(Fact::value) value) {
  std::erase_if(facts, [&](const Fact& fact) { return fact.key == key; });
  facts.push_back({key, std::move(value), ""});
  return facts;
}

Facts all_known() {
  Facts facts;
  for (const FixedFact& fixed : fixed_facts())
    facts.push_back({fixed.key, std::string("then"), ""});
  return facts;
}

TEST(FixedFacts, EachAloneForbidsGoingOnAndNamesBothValues) {
  const Facts now = all_known();
  EXPECT_EQ(resume_refusal(now, now), "");
  for (const FixedFact& fixed : fixed_facts()) {
    const std::string why = resume_refusal(with(now, fixed.key, std::string("before")), now);
    EXPECT_THAT(why, HasSubstr(std::string(fixed.key) + " was 'before' and is now 'then'"));
    EXPECT_THAT(why, HasSubstr("; give --out another directory, or "));
    EXPECT_EQ(why.find('\n'), why.npos);
  }
}

TEST(FixedFacts, AreRecordedHere) {
  const Facts here = current_facts();
  std::set<std::string> keys;
  for (const Fact& fact : here) keys.insert(fact.key);
  for (const FixedFact& fixed : fixed_facts()) EXPECT_TRUE(keys.contains(fixed.key)) << fixed.key;
  EXPECT_EQ(resume_refusal(here, current_facts()), "");
}

// An older gilscope recorded fewer facts, and another user may be allowed to read fewer.
TEST(FixedFacts, WhatOneSideDoesNotKnowIsNoDifference) {
  const Facts now = all_known();
  for (const FixedFact& fixed : fixed_facts()) {
    Facts unread = with(now, fixed.key, std::monostate());
    EXPECT_EQ(resume_refusal(unread, now), "") << fixed.key;
    EXPECT_EQ(resume_refusal(now, unread), "") << fixed.key;
    std::erase_if(unread, [&](const Fact& fact) { return fact.key == fixed.key; });
    EXPECT_EQ(resume_refusal(unread, now), "") << fixed.key;
    EXPECT_EQ(resume_refusal(now, unread), "") << fixed.key;
  }
}

TEST(FixedFacts, AnotherBootAndWhatMovesAreNone) {
  Facts then = all_known(), now = all_known();
  for (const char* key : {"host.boot_id", "load.1", "cpu.governor", "memory.total_bytes",
                          "cgroup.cpu_weight", "limits.open_files", "process.cpu_affinity"}) {
    then.push_back({key, std::string("a"), ""});
    now.push_back({key, std::string("b"), ""});
  }
  EXPECT_EQ(resume_refusal(then, now), "");
}

TEST(FixedFacts, EveryKindOfDifferenceIsNamedWithItsWayOut) {
  Facts then = all_known();
  for (const char* key :
       {"gilscope", "kernel.release", "kernel.version", "host.name", "process.nice"}) {
    then = with(then, key, std::string("before"));
  }
  const std::string why = resume_refusal(then, all_known());
  for (const char* part :
       {"gilscope was", "kernel.release was", "host.name was", "process.nice was", "(and 1 more)",
        "resume with that one", "boot that kernel", "resume there", "start it with"}) {
    EXPECT_THAT(why, HasSubstr(part));
  }
}

TEST(FixedFacts, OfLongOptionsTheWordsThatDifferAreShown) {
  const std::string same(300, 'x');
  const auto options = [&](const std::string& word) {
    return "root=/dev/vda1 " + same + " " + word + "console=ttyS0 quiet " + same;
  };
  const Facts then = with(all_known(), "kernel.cmdline", options(""));
  const Facts now = with(all_known(), "kernel.cmdline", options("mitigations=off "));
  const std::string why = resume_refusal(then, now);
  EXPECT_THAT(why, HasSubstr("mitigations=off"));
  EXPECT_THAT(why, Not(HasSubstr("xxxx")));
}

TEST(FixedFacts, TakesThoseOfAReportFromAllItsParts) {
  Report report = sample::report(1, 0);
  report.gilscope = "0.0.1";
  report.environment = {{"kernel.release", std::string("6.1"), ""}};
  report.environment_before = {{"process.nice", int64_t{19}, ""}};
  const Facts now = {{"gilscope", std::string("0.1.0"), ""},
                     {"kernel.release", std::string("6.12"), ""},
                     {"process.nice", int64_t{0}, ""}};
  const std::string why = resume_refusal(facts_of(report), now);
  EXPECT_THAT(why, HasSubstr("gilscope was '0.0.1' and is now '0.1.0'"));
  EXPECT_THAT(why, HasSubstr("kernel.release was '6.1' and is now '6.12'"));
  EXPECT_THAT(why, HasSubstr("process.nice was '19' and is now '0'"));
}

// The document's list consists of the rows `| ... | `a.b`, `.c` |` below "Resuming".
TEST(FixedFacts, TheDocumentListsThem) {
  const std::string text = kDocument;
  const size_t begin = text.find("## Resuming");
  ASSERT_NE(begin, text.npos);
  std::istringstream section(text.substr(begin, text.find("\n## ", begin + 1) - begin));
  std::set<std::string> documented, fixed;
  for (std::string line; std::getline(section, line);) {
    if (!line.starts_with("| ")) continue;
    for (size_t at = 0; (at = line.find('`', at)) != line.npos;) {
      const size_t end = line.find('`', at + 1);
      documented.insert(line.substr(at + 1, end - at - 1));
      at = end + 1;
    }
  }
  for (const FixedFact& fact : fixed_facts()) fixed.insert(fact.key);
  EXPECT_EQ(documented, fixed);
}

}  // namespace
}  // namespace gilscope
