// Policies that are real programs: their texts, and the workloads that they have.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "userspace/descriptor/program.h"
#include "userspace/experiment/plan/spec.h"

namespace gilscope {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string error_of(const std::string& text) {
  const auto read = read_program(text);
  return read ? "" : read.error().message;
}

TEST(ProgramPolicy, NamesAnInterpreterByItsPath) {
  const auto program = read_program("python:/usr/bin/python3.11,switch-interval=1000us");
  ASSERT_TRUE(program) << program.error().message;
  EXPECT_EQ(program->kind, "python");
  EXPECT_EQ(program->path, "/usr/bin/python3.11");
  EXPECT_EQ(program->switch_interval_ns, 1'000'000u);
  EXPECT_FALSE(program->check_interval);
  EXPECT_TRUE(program->is_interpreter());
  EXPECT_EQ(program->canonical, "python:/usr/bin/python3.11,switch-interval=1ms");
}

TEST(ProgramPolicy, HasACheckInterval) {
  const auto program = read_program("python:/usr/bin/python2.7,check-interval=1k");
  ASSERT_TRUE(program) << program.error().message;
  EXPECT_EQ(program->check_interval, 1000u);
  EXPECT_EQ(program->canonical, "python:/usr/bin/python2.7,check-interval=1000");
  EXPECT_EQ(pace_of(*program).held_opcodes, 1000u);
}

TEST(ProgramPolicy, IsItsOwnCanonicalText) {
  for (const char* text :
       {"python:/usr/bin/python3", "pypy:/usr/bin/pypy3,switch-interval=5ms",
        "jython:/usr/bin/jython", "ruby:/usr/bin/ruby3.1", "program:/bin/sleep 1",
        "program:gate=fd,/bin/sh -c 'read x <&$GILSCOPE_GATE_FD'"}) {
    const auto canonical = canonical_policy(text);
    ASSERT_TRUE(canonical) << text << ": " << canonical.error().message;
    EXPECT_EQ(*canonical, text);
  }
}

// PyPy's model has the same name.
TEST(ProgramPolicy, TellsPyPyFromItsModel) {
  EXPECT_FALSE(names_program("pypy"));
  EXPECT_FALSE(names_program("pypy:10000"));
  EXPECT_TRUE(names_program("pypy:/usr/bin/pypy3"));
  EXPECT_TRUE(names_program("pypy:pypy3"));
  EXPECT_FALSE(names_program("check-interval:100"));
  EXPECT_FALSE(names_program("pythons:/x"));
}

TEST(ProgramPolicy, TakesACommandApart) {
  const auto program = read_program("program:  app 'two words' \"it's\" '' ");
  ASSERT_TRUE(program) << program.error().message;
  EXPECT_THAT(program->command, ElementsAre("app", "two words", "it's", ""));
  EXPECT_FALSE(program->waits_at_gate);
  EXPECT_EQ(program->canonical, "program:app 'two words' \"it's\" ''");
  EXPECT_TRUE(read_program("program:gate=fd,app")->waits_at_gate);
}

TEST(ProgramPolicy, RefusesBadTextsInOneLine) {
  const std::pair<const char*, const char*> cases[] = {
      {"python:", "is no absolute path"},
      {"python", "is no absolute path"},
      {"python:python3", "is no absolute path"},
      {"ruby:./ruby", "is no absolute path"},
      {"pypy:pypy3", "is no absolute path"},
      {"python:/usr/bin/python3,interval=5ms", "there is no option 'interval=5ms'"},
      {"python:/usr/bin/python3,switch-interval=", "is not a time"},
      {"python:/usr/bin/python3,switch-interval=5", "is not a time"},
      {"python:/usr/bin/python3,switch-interval=1ns", "is not a time"},
      {"python:/usr/bin/python2.7,check-interval=0", "is not a count"},
      {"python:/p,switch-interval=5ms,check-interval=1", "give one of them"},
      {"ruby:/usr/bin/ruby,switch-interval=5ms", "neither a switch interval"},
      {"jython:/usr/bin/jython,check-interval=5", "neither a switch interval"},
      {"python:/usr/bin/py\nthon", "is no path"},
      {"program:", "a command is wanted"},
      {"program:   ", "a command is wanted"},
      {"program:a 'b", "is not closed"},
      {"program:a\nb", "one line"},
  };
  for (const auto& [text, part] : cases) {
    EXPECT_THAT(error_of(text), HasSubstr(part)) << text;
    EXPECT_EQ(error_of(text).find('\n'), std::string::npos) << text;
    EXPECT_FALSE(canonical_policy(text)) << text;
  }
}

Result<Spec> spec_with(const std::string& policy, const std::string& workload) {
  Spec spec;
  spec.policies = {"check-interval:100", policy};
  spec.workloads = {workload};
  return checked(spec);
}

TEST(ProgramPolicy, RunsTheWorkloadsThatHaveAScript) {
  EXPECT_TRUE(spec_with("python:/usr/bin/python3", "count:n=1k"));
  const auto refused = spec_with("python:/usr/bin/python3", "native");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("is for models alone"));
  EXPECT_THAT(refused.error().message, HasSubstr("count, mixed"));
  EXPECT_TRUE(spec_with("none", "native"));
}

// Which lock such a run has, nobody can tell from its text.
TEST(ProgramPolicy, IsWrittenIntoASpecAsItWasRead) {
  auto spec = spec_with("python:/usr/bin/python3,switch-interval=5ms", "count:n=1k");
  ASSERT_TRUE(spec) << spec.error().message;
  const auto again = parse_spec(to_toml(*spec), "again");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, *spec);
}

}  // namespace
}  // namespace gilscope
