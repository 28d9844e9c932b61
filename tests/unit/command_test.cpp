// Behaviour that every option of every command shares, because userspace/base/command.h reads their
// values.
#include "userspace/base/command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/command.h"

namespace gilscope {
namespace {

struct Taken {
  std::string out, file, word;
  std::vector<std::string> reports, many;
  std::optional<std::string> maybe;
  std::optional<int> number;
  std::optional<uint64_t> seed;
  std::vector<int> cells;
  bool quiet = false, ran = false;
};
Taken taken;

void add_try(CLI::App& app, Exit&) {
  Command command(app, "try", "a command");
  command.option("REPORT", taken.reports, "positionals");
  command.option("--out", taken.out, "a text").value_kind("DIR");
  command.option("-o", taken.file, "a short one").value_kind("FILE");
  command.option("--many", taken.many, "texts");
  command.option("--maybe", taken.maybe, "a text, or none");
  command.option("--word", taken.word, "a word").one_of({"full", "off"});
  command.option("--number", taken.number, 1, 100, "a number");
  command.option("--seed", taken.seed, "64 bits");
  command.option("--cell", taken.cells, 0, 9, "numbers");
  command.option(
      "--own", [](const std::string&) -> Status { return {}; }, "read by its own function");
  command.flag("--quiet", taken.quiet, "a flag");
  command.on_run([] { taken.ran = true; });
}

Outcome try_command(std::vector<std::string> arguments) {
  taken = {};
  arguments.insert(arguments.begin(), "try");
  return run_command(add_try, std::move(arguments));
}

void refuses(const std::vector<std::string>& arguments, const std::string& printed) {
  const Outcome outcome = try_command(arguments);
  EXPECT_EQ(outcome.exit, 2) << testing::PrintToString(arguments);
  EXPECT_FALSE(taken.ran) << testing::PrintToString(arguments);
  EXPECT_THAT(outcome.err, testing::HasSubstr(printed)) << testing::PrintToString(arguments);
}

TEST(Command, TakesWhatIsGood) {
  EXPECT_EQ(try_command({"a.json",
                         "--out",
                         "d",
                         "-o",
                         "f",
                         "--many",
                         "a",
                         "--many",
                         "b",
                         "--maybe",
                         "m",
                         "--word",
                         "off",
                         "--number",
                         "100",
                         "--seed",
                         "18446744073709551615",
                         "--cell",
                         "0",
                         "--cell",
                         "9",
                         "--quiet"})
                .exit,
            0);
  EXPECT_TRUE(taken.ran && taken.quiet);
  EXPECT_EQ(taken.reports.at(0) + taken.out + taken.file + taken.word, "a.jsondfoff");
  EXPECT_EQ(taken.maybe, "m");
  EXPECT_EQ(taken.many, std::vector<std::string>({"a", "b"}));
  EXPECT_EQ(taken.number, 100);
  EXPECT_EQ(taken.seed, UINT64_MAX);
  EXPECT_EQ(taken.cells, std::vector<int>({0, 9}));
}

TEST(Command, TakesAValueBehindAnEqualsSign) {
  EXPECT_EQ(try_command({"--out=d=e", "-o=f", "--number=7", "--word=full"}).exit, 0);
  EXPECT_EQ(taken.out, "d=e");
  EXPECT_EQ(taken.file, "f");
  EXPECT_EQ(taken.number, 7);
}

TEST(Command, TakesADashAndWhatStandsBehindTwo) {
  EXPECT_EQ(try_command({"-o", "-", "--", "--out"}).exit, 0);
  EXPECT_EQ(taken.file, "-");
  EXPECT_EQ(taken.reports, std::vector<std::string>({"./--out"}));
}

TEST(Command, TakesAllPositionals) {
  EXPECT_EQ(try_command({"a", "--quiet", "b", "[c,d]", "--", "-e"}).exit, 0);
  EXPECT_EQ(taken.reports, std::vector<std::string>({"a", "b", "./[c,d]", "./-e"}));
}

Taken wrapped;

void add_wrap(CLI::App& app, Exit&) {
  Command command(app, "wrap", "runs another program");
  command.rest("COMMAND", wrapped.many, "its command line").required();
  command.option("--out", wrapped.out, "a text").value_kind("DIR");
  command.flag("--quiet", wrapped.quiet, "a flag");
  command.on_run([] { wrapped.ran = true; });
}

int wrap(std::vector<std::string> arguments) {
  wrapped = {};
  arguments.insert(arguments.begin(), "wrap");
  return run_command(add_wrap, std::move(arguments)).exit;
}

TEST(Command, LeavesTheRestOfALineAsItStands) {
  using Words = std::vector<std::string>;
  const Words command = {"wrap", "--out", "[a,b]", "", "--", "-o=x", "=", "{}", "++", "-", " "};
  for (const Words& before : {Words{"--out", "d", "--quiet"},
                              Words{"--quiet", "--out=d", "--"},
                              {"--quiet", "--out", "d", "--"}}) {
    Words words = before;
    words.insert(words.end(), command.begin(), command.end());
    EXPECT_EQ(wrap(words), 0);
    EXPECT_TRUE(wrapped.ran && wrapped.quiet);
    EXPECT_EQ(wrapped.out, "d");
    EXPECT_EQ(wrapped.many, command);
  }
  EXPECT_EQ(wrap({"--", "--quiet"}), 0);
  EXPECT_FALSE(wrapped.quiet);
  EXPECT_EQ(wrap({"--", ""}), 0);
  EXPECT_EQ(wrapped.many, Words{""});
  for (const Words& none : {Words{}, Words{"--"}, Words{"--quiet"}, Words{"--quiet", "--"}}) {
    EXPECT_EQ(wrap(none), 2);
    EXPECT_FALSE(wrapped.ran);
  }
  EXPECT_EQ(wrap({"--nosuch", "--", "true"}), 2);
}

TEST(Command, TakesOneValueEachTime) {
  EXPECT_EQ(try_command({"--many", "a", "b"}).exit, 0);
  EXPECT_EQ(taken.many, std::vector<std::string>({"a"}));
  EXPECT_EQ(taken.reports, std::vector<std::string>({"b"}));
}

TEST(Command, TakesNoTextForAList) {
  EXPECT_EQ(try_command({"--many", "[a,b]", "--many", "{}"}).exit, 0);
  EXPECT_EQ(taken.many, std::vector<std::string>({"[a,b]", "{}"}));
}

TEST(Command, RefusesABlankValueOfEachOption) {
  for (const std::string blank : {"", " ", "\t\n", "\u00a0", " \u3000\ufeff"}) {
    for (const std::string name :
         {"--out", "-o", "--many", "--maybe", "--word", "--number", "--seed", "--cell", "--own"}) {
      refuses({name, blank}, name + ": the value '");
      refuses({name + "=" + blank}, name + ": the value '");
      // The next word is not its value.
      refuses({name + "=" + blank, "1"}, name + ": the value '");
    }
    refuses({"--quiet=" + blank}, "--quiet: the value '");
    refuses({blank}, "REPORT: the value '");
    refuses({"a.json", blank}, "REPORT: the value '");
    refuses({"--", blank}, "REPORT: the value '");
    refuses({"--out", "d", blank}, "REPORT: the value '");
  }
}

TEST(Command, RefusesAnOptionInPlaceOfAValue) {
  refuses({"--out", "--quiet"}, "--out: it needs a value, but '--quiet' follows");
  refuses({"--out", "-o", "f"}, "--out: it needs a value, but '-o' follows");
  refuses({"--out"}, "--out");
}

TEST(Command, ReadsNumbersAsSpecsDo) {
  for (const auto& [text, number] : std::vector<std::pair<std::string, int>>{
           {"010", 10}, {"007", 7}, {"08", 8}, {"1", 1}, {"0000000000000000000000100", 100}}) {
    EXPECT_EQ(try_command({"--number", text}).exit, 0) << text;
    EXPECT_EQ(taken.number, number) << text;
  }
  EXPECT_EQ(try_command({"--seed", "2k"}).exit, 0);
  EXPECT_EQ(taken.seed, 2000u);
  for (const char* text : {"+5", "1e2", "0x10", "0b1", "1_0", "1.0", "1 0", " 1", "1 ", "\uff13",
                           "\u0663", "1K", "k", "-", "ten"}) {
    refuses({"--number", text}, fmt::format("--number: '{}' is not a count", text));
    refuses({"--seed", text}, "--seed: ");
    refuses({"--cell", text}, "--cell: ");
  }
}

TEST(Command, NamesTheRangeOfANumber) {
  for (const std::string text : {"0", "-1", "101", "1k", "-99999999999999999999",
                                 "18446744073709551616", "99999999999999999999"}) {
    refuses({"--number", text}, "--number: " + text + " is out of range: give 1 to 100");
  }
  refuses({"--seed", "-1"}, "--seed: -1 is out of range: give 0 to 18446744073709551615");
  refuses({"--seed", "18446744073709551616"}, "18446744073709551616 is out of range");
  refuses({"--cell=-1"}, "--cell: -1 is out of range: give 0 to 9");
}

TEST(Command, NamesTheNearestWord) {
  refuses({"--word", "of"}, "--word: 'of' is unknown (did you mean 'off'?): choose from full, off");
}

}  // namespace
}  // namespace gilscope
