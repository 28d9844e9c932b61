#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/unit/command.h"
#include "tests/unit/sample_report.h"
#include "tests/unit/temporary_directory.h"
#include "tools/analysis/environment_changes.h"
#include "tools/analysis/findings.h"
#include "tools/analysis/numbers.h"
#include "tools/analysis/statistics.h"
#include "tools/analysis/summary.h"
#include "tools/cli/tools.h"
#include "tools/json/summary_json.h"
#include "tools/text/report.h"
#include "tools/text/table.h"
#include "userspace/report/json.h"

namespace gilscope {
namespace {

using Json = nlohmann::json;

// `show --all`; tests/unit/screen_test.cpp has the first screen.
const TextOptions kAll{.color = false, .width = 100, .per = {}, .all = true, .report = {}};

std::string shown(const Report& report, const TextOptions& options = kAll,
                  const ReportFindings& trace = {}) {
  std::ostringstream out;
  print_text_report(out, report, options, trace);
  return out.str();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Joins wrapped lines, so that a message is found wherever it wraps.
std::string unwrapped(std::string text) {
  for (size_t at; (at = text.find("\n  ")) != std::string::npos;)
    text.erase(at, 2).replace(at, 1, " ");
  return text;
}

std::vector<Finding> findings_of(const Report& report) {
  return findings(Summary(report), Wording(report));
}

TEST(Statistics, MedianOfOddEvenAndNone) {
  EXPECT_EQ(median({3, 1, 2}), 2);
  EXPECT_EQ(median({4, 1, 2, 3}), 2.5);
  EXPECT_EQ(median({}), std::nullopt);
}

// The ranks are those of published tables of the sign test.
TEST(Statistics, IntervalOfTheMedianIsExact) {
  const auto ranks = [](int n) -> std::pair<double, double> {
    std::vector<double> values;
    for (int i = n; i >= 1; --i) values.push_back(i);
    const auto interval = median_interval(values);
    if (!interval) return {0, 0};
    return {interval->low, interval->high};
  };
  using Ranks = std::pair<double, double>;
  EXPECT_EQ(ranks(0), (Ranks{0, 0}));
  EXPECT_EQ(ranks(5), (Ranks{0, 0}));
  EXPECT_EQ(ranks(6), (Ranks{1, 6}));
  EXPECT_EQ(ranks(8), (Ranks{1, 8}));
  EXPECT_EQ(ranks(9), (Ranks{2, 8}));
  EXPECT_EQ(ranks(10), (Ranks{2, 9}));
  EXPECT_EQ(ranks(20), (Ranks{6, 15}));
  EXPECT_EQ(ranks(25), (Ranks{8, 18}));
  EXPECT_EQ(ranks(100), (Ranks{40, 61}));
  EXPECT_EQ(ranks(5000).first + ranks(5000).second, 5001);
}

TEST(Numbers, HaveThreeDigitsAndTheUnitAfterRounding) {
  EXPECT_EQ(duration(0).text(), "0 ns");
  EXPECT_EQ(duration(999.4).text(), "999 ns");
  EXPECT_EQ(duration(999.6).text(), "1.00 us");
  EXPECT_EQ(duration(12'345).text(), "12.3 us");
  EXPECT_EQ(duration(345'000'000).text(), "345 ms");
  EXPECT_EQ(duration(99'960).text(), "100 us");
  EXPECT_EQ(duration(999'600'000).text(), "1.00 s");
  EXPECT_EQ(duration(9.996e9).text(), "10.0 s");
  EXPECT_EQ(duration(5e12).text(), "5000 s");
  EXPECT_EQ(count(0).text(), "0");
  EXPECT_EQ(count(2.5).text(), "2.5");
  EXPECT_EQ(count(9876).text(), "9876");
  EXPECT_EQ(count(12'345).text(), "12.3 k");
  EXPECT_EQ(count(1'234'567).text(), "1.23 M");
  EXPECT_EQ(percent(0.12345).text(), "12.3 %");
  EXPECT_EQ(signed_percent(0.0123).text(), "+1.2 %");
  EXPECT_EQ(signed_percent(-0.0123).text(), "-1.2 %");
  EXPECT_EQ(signed_percent(-0.0001).text(), "0.0 %");
  EXPECT_EQ(factor(1.376).text(), "1.38");
}

TEST(Numbers, AMissingOneIsADash) {
  for (const auto& missing : {std::optional<double>(), std::optional(std::nan(""))}) {
    EXPECT_EQ(duration(missing).text(), "-");
    EXPECT_EQ(count(missing).text(), "-");
    EXPECT_EQ(percent(missing).text(), "-");
    EXPECT_EQ(signed_percent(missing).text(), "-");
    EXPECT_EQ(factor(missing).text(), "-");
  }
}

TEST(Tables, AlignDigitsAndUnits) {
  Table table({{"", "name"}, {"wide group name", "a"}, {"", "b"}});
  table.row("x", {{"1.25", "s"}, {"-", ""}});
  table.heading("a heading");
  table.row("long name", {{"345", "ms"}, {"7", ""}});
  std::ostringstream out;
  table.print(out, 100);
  EXPECT_EQ(out.str(),
            "           wide group name\n"
            "name                     a  b\n"
            "x                  1.25 s   -\n"
            "a heading\n"
            "long name           345 ms  7\n");
}

TEST(Tables, LeaveOutTheLeastImportantColumnFirst) {
  Table table({{"", "name"}, {"", "first", 1}, {"", "second", 2}, {"", "third"}});
  table.row("x", {{"1", ""}, {"2", ""}, {"3", ""}});
  const auto head = [&](int width) {
    std::ostringstream out;
    table.print(out, width);
    return lines_of(out.str()).front();
  };
  EXPECT_EQ(head(26), "name  first  second  third");
  EXPECT_EQ(head(25), "name  first  third");
  EXPECT_EQ(head(0), "name  first  third");  // never narrower than 20
}

TEST(Tables, TheColumnsOfAGroupMoveTogetherBeforeAnyGoes) {
  Table table({{"", "name"}, {"group", "first"}, {"group", "second", 1}, {"", "third"}});
  table.row("x", {{"1", ""}, {"2", ""}, {"3", ""}});
  const auto head = [&](int width) {
    std::ostringstream out;
    table.print(out, width);
    return lines_of(out.str()).at(1);
  };
  EXPECT_EQ(head(26), "name  first  second  third");
  EXPECT_EQ(head(25), "name  first second  third");
  EXPECT_EQ(head(24), "name  first  third");
}

TEST(Tables, ALabelThatIsTooLongStandsAbove) {
  Table table({{"", "name"}, {"", "number"}});
  table.row("a label that is much too long", {{"1", ""}});
  std::ostringstream out;
  table.print(out, 20);
  const auto lines = lines_of(out.str());
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[1], "a label that is much too long");
  EXPECT_EQ(lines[2].size(), 20u);
}

TEST(Summaries, SlowdownIsWithinBlocksOfUntracedMeasuredFinishedRuns) {
  Report report = sample::report(7, 1);
  report.cells.resize(2);
  for (Cell& cell : report.cells) {
    for (auto& run : cell.runs) {
      // The blocks differ much in absolute times, but not in their ratios.
      run.wall_ns = uint64_t(run.block + 1) * 1'000'000;
      if (cell.arrangement == "threaded") run.wall_ns *= 2;
      if (run.traced()) run.wall_ns *= 50;
      if (run.warmup) run.wall_ns *= 3;
    }
  }
  report.cells[1].runs[4].status = "failed";
  report.cells[1].runs[4].wall_ns = 1;
  const Summary summary(report);
  ASSERT_EQ(summary.pairs.size(), 1u);
  const PairSummary& pair = summary.pairs[0];
  EXPECT_FALSE(pair.traced);
  EXPECT_EQ(pair.blocks.size(), 6u);
  EXPECT_DOUBLE_EQ(*pair.slowdown, 2.0);
  EXPECT_EQ(pair.range->low, 2.0);
  EXPECT_EQ(pair.range->high, 2.0);
  EXPECT_EQ(pair.sequential_ns, 5.5e6);
  ASSERT_TRUE(pair.interval);
  EXPECT_NEAR(*summary.cells[1].tracer_cost, 49.0, 1e-9);
  EXPECT_EQ(summary.failed_runs, 1u);
}

TEST(Summaries, WithoutUntracedRunsTheTracedOnesServe) {
  Report report = sample::report(6, 0);
  for (Cell& cell : report.cells) {
    std::erase_if(cell.runs, [](const auto& run) { return !run.traced(); });
  }
  const Summary summary(report);
  EXPECT_TRUE(summary.pairs[1].traced);
  EXPECT_EQ(summary.pairs[1].blocks.size(), 6u);
  EXPECT_FALSE(summary.cells[0].tracer_cost);
  EXPECT_TRUE(has(shown(report), "times include what tracing costs"));
  EXPECT_FALSE(has(shown(sample::report()), "times include what tracing costs"));
}

TEST(Summaries, CpusAreMediansOverTracedMeasuredRuns) {
  Report report = sample::report(3, 1);
  Cell& cell = report.cells[3];
  cell.runs[1].cpus[0].segments = 1;  // warm-up
  cell.runs[3].cpus[0].segments = 100;
  cell.runs[5].cpus[0].segments = 300;
  cell.runs[7].cpus[0].segments = 200;
  cell.runs[5].cpus[0].idle_ns.reset();
  cell.runs[5].cpus[1].wakeups.ran = 0;
  const Summary summary(report);
  const CellSummary& of = summary.cells[3];
  ASSERT_EQ(of.cpus.size(), 2u);
  EXPECT_EQ(of.cpus[0].segments, 200);
  EXPECT_TRUE(of.cpus[0].idle_share);
  EXPECT_NEAR(*of.cpus[1].wasted_share, 0.96, 1e-9);
  EXPECT_NEAR(*of.cpus[0].woken_lost_per_s, 24'000 / 1.75, 200);
}

// Disturbed runs have extreme values, so that any number that includes them shows it.
Report disturbed(const std::string& kind = "foreign") {
  Report report = sample::report(7, 1);
  for (const size_t run : {3, 4, 5}) {  // block 1 traced, block 2 both
    auto& r = report.cells[3].runs[run];
    r.disturbances = {{kind, 0.41 + double(run) / 1000, 0.25}};
    r.wall_ns *= 10;
    r.steal_ns = r.wall_ns;
    for (CpuTrace& cpu : r.cpus) cpu.segments = 7'000'000, cpu.wasted_wakeups = 0;
  }
  return report;
}

TEST(Summaries, DisturbedRunsAreInNoNumber) {
  const Report clean = sample::report(7, 1), report = disturbed();
  const Summary summary(report), undisturbed(clean);
  EXPECT_EQ(summary.cells[3].runs, 11u);
  EXPECT_EQ(summary.cells[3].disturbed, 3u);
  EXPECT_EQ(summary.pairs[1].blocks.size(), 6u);
  EXPECT_NEAR(*summary.pairs[1].slowdown, *undisturbed.pairs[1].slowdown, 0.02);
  EXPECT_LT(summary.pairs[1].range->high, 2);
  EXPECT_EQ(summary.cells[3].cpus[0].segments, undisturbed.cells[3].cpus[0].segments);
  EXPECT_EQ(summary.cells[3].wasted_share, undisturbed.cells[3].wasted_share);
  EXPECT_NEAR(*summary.cells[3].tracer_cost, 0.01, 0.001);
  EXPECT_EQ(summary.steal.runs + summary.steal.not_judged, 0u);
  EXPECT_EQ(summary.finished_runs, undisturbed.finished_runs);
  EXPECT_EQ(summary.disturbances.runs, 3u);
  EXPECT_EQ(summary.disturbances.by_kind.at("foreign").hits, 3u);
  EXPECT_DOUBLE_EQ(summary.disturbances.by_kind.at("foreign").worst, 0.415);
}

TEST(Summaries, WarmUpRunsAreLeftOutAnywayAndNotByDisturbanceLimits) {
  Report report = sample::report(6, 1);
  for (Cell& cell : report.cells) cell.runs[0].disturbances = {{"steal", 0.5, 0.05}};
  const Summary summary(report);
  EXPECT_EQ(summary.disturbances.runs, 0u);
  EXPECT_TRUE(summary.disturbances.by_kind.empty());
  EXPECT_EQ(summary.warmup_blocks, 1);
  EXPECT_FALSE(has(shown(report), "Left out"));
}

TEST(TextReport, SaysHowManyRunsDisturbanceLimitsLeftOutAndWhy) {
  EXPECT_FALSE(has(shown(sample::report()), "by limits"));
  Report report = disturbed();
  report.cells[0].runs[4].disturbances = {{"offline", 1, 0}, {"foreign", 0.3, 0.25}};
  const std::string text = unwrapped(shown(report));
  EXPECT_TRUE(has(text,
                  "Left out of every number here by limits: 4 of 112 measured runs. foreign: 4 "
                  "runs; share of their CPUs' time that other processes took: above 25.0 %, up to "
                  "41.5 %. offline: 1 run; CPUs of theirs that were offline: above 0, up to 1.\n"))
      << text;
  EXPECT_FALSE(has(text, "No run is left"));
}

TEST(TextReport, ADisturbanceLimitThatItDoesNotKnowIsStillSaid) {
  const std::string text = unwrapped(shown(disturbed("cosmic_rays")));
  EXPECT_TRUE(has(text, "cosmic_rays: 3 runs; its value: above ")) << text;
}

TEST(TextReport, SaysWhichDisturbanceLimitsCouldNotBeJudged) {
  Report report = sample::report(6, 0);
  report.cells[1].runs[0].disturbances = {{"throttled", std::nullopt, 0}};
  report.cells[1].runs[1].disturbances = {{"throttled", std::nullopt, 0},
                                          {"steal", std::nullopt, 0.05}};
  const std::string text = unwrapped(shown(report));
  EXPECT_FALSE(has(text, "Left out"));
  EXPECT_TRUE(
      has(text,
          "Limits not judged, because their values could not be read, or come in steps that are "
          "too coarse for so short a run: steal in 1 run and throttled in 2 runs."))
      << text;
}

TEST(TextReport, ACellWithoutARunThatDisturbanceLimitsLetPassHasNoNumbers) {
  Report report = sample::report(6, 1);
  for (auto& run : report.cells[3].runs) run.disturbances = {{"steal", 0.5, 0.05}};
  std::string text = unwrapped(shown(report));
  EXPECT_TRUE(has(text,
                  "No run is left of check-interval:100, threaded on 2 CPUs: it has no "
                  "numbers."))
      << text;
  EXPECT_FALSE(has(text, "check-interval:100, threaded on 2 CPUs: 1."));
  EXPECT_FALSE(has(text, "On 2 CPUs check-interval:100"));
  // The same if there is no such run at all.
  for (Cell& cell : report.cells) {
    for (auto& run : cell.runs) run.disturbances = {{"steal", 0.5, 0.05}};
  }
  text = unwrapped(shown(report));
  EXPECT_TRUE(has(text, "0 of 6 blocks measured, 1 to warm up, 112 runs finished")) << text;
  EXPECT_TRUE(has(text, "96 of 96 measured runs"));
  EXPECT_FALSE(has(text, "nan"));
  EXPECT_FALSE(has(text, "SLOWDOWN"));
}

TEST(TextReport, PerBlockMarksTheRunsThatDisturbanceLimitsLeftOut) {
  for (const int width : {80, 100}) {
    const std::string text =
        shown(disturbed(), {.color = false, .width = width, .per = Per::block});
    const auto lines = lines_of(text);
    EXPECT_EQ(std::count_if(lines.begin(), lines.end(),
                            [](const std::string& line) { return has(line, " s*"); }),
              2)
        << text;
    for (const std::string& line : lines) EXPECT_LE(columns(line), size_t(width)) << line;
    EXPECT_TRUE(has(unwrapped(text),
                    "* left out: block 2, check-interval:100, threaded on 2 CPUs, "
                    "trace off: foreign 41.4 % (limit 25.0 %)\n"))
        << text;
  }
  // The block's slowdown is among the numbers that the run is left out of.
  const auto lines =
      lines_of(shown(disturbed(), {.color = false, .width = 100, .per = Per::block}));
  const auto row = std::find(lines.begin(), lines.end(), "check-interval:100 on 2 CPUs") + 3;
  ASSERT_LT(row, lines.end());
  EXPECT_TRUE(row->starts_with("  2 ") && row->ends_with(" -")) << *row;
}

TEST(SummaryJson, CountsDisturbedRunsAndWhatWasNotJudged) {
  Report report = disturbed();
  report.cells[0].runs[2].disturbances = {{"steal", std::nullopt, 0.05}};
  const Json json = Json::parse(summary_json(report));
  EXPECT_EQ(json["gates"]["runs_left_out"], 3);
  EXPECT_EQ(json["gates"]["by_gate"]["foreign"],
            (Json{{"limit", 0.25}, {"runs", 3}, {"worst", 0.415}, {"runs_not_judged", 0}}));
  EXPECT_EQ(json["gates"]["by_gate"]["steal"],
            (Json{{"limit", 0.05}, {"runs", 0}, {"worst", nullptr}, {"runs_not_judged", 1}}));
  EXPECT_EQ(json["cells"][3]["runs_gated"], 3);
  EXPECT_EQ(json["cells"][2]["runs_gated"], 0);
}

TEST(EnvironmentChanges, AreFactsThatDiffer) {
  Report report;
  const auto texts = [](std::vector<std::string> list) { return list; };
  const auto numbers = [](std::vector<int64_t> list) { return list; };
  report.environment_before = {
      {"load.1", 0.25, ""},
      {"cpu.online_now", numbers({0, 1, 2, 3, 5}), ""},
      {"cpu.governor", texts({"performance", "performance", "powersave"}), ""},
      {"cpu.thermal_throttles", numbers({0, 0, 0}), ""},
      {"cpu.boost", true, ""},
      {"clock.source", std::string("tsc"), ""},
      {"cgroup.cpu_max", std::monostate(), "no cgroup"},
      {"cpu.smt", std::monostate(), "not there"},
      {"kernel.sched.base_slice_ns", int64_t{2800000}, ""},
      {"kernel.only_before", int64_t{1}, ""},
  };
  EXPECT_TRUE(environment_changes(report).empty());  // the experiment has not ended yet
  report.environment_after = {
      {"load.1", 1.5, ""},
      {"cpu.online_now", numbers({0, 3}), ""},
      {"cpu.governor", texts({"powersave", "powersave", "powersave"}), ""},
      {"cpu.thermal_throttles", numbers({0, 0, 4}), ""},
      {"cpu.boost", true, ""},
      {"clock.source", std::string("hpet\x1b"), ""},
      {"cgroup.cpu_max", std::string("max"), ""},
      {"cpu.smt", std::monostate(), "not there, in other words"},
      {"kernel.sched.base_slice_ns", int64_t{700000}, ""},
  };
  std::string printed;
  for (const EnvironmentChange& change : environment_changes(report)) {
    printed += change.key + ": " + change.before + " -> " + change.after +
               (change.matters ? "\n" : " (never mind)\n");
  }
  EXPECT_EQ(printed,
            "load.1: 0.25 -> 1.5 (never mind)\n"
            "cpu.online_now: 0-3,5 -> 0,3\n"
            "cpu.governor: performance x 2, powersave -> powersave x 3\n"
            "cpu.thermal_throttles: 0 x 3 -> 0 x 2, 4\n"
            "clock.source: tsc -> hpet\\x1b\n"
            "cgroup.cpu_max: unknown -> max\n"
            "kernel.sched.base_slice_ns: 2800000 -> 700000\n");
}

TEST(EnvironmentChanges, AreSaidWhereTheyMatter) {
  const Report report = sample::report();
  EXPECT_TRUE(has(unwrapped(shown(report)),
                  "The machine changed during the experiment: cpu.governor from performance x 2 to "
                  "performance, powersave.\n"));
  const Json json = Json::parse(summary_json(report));
  ASSERT_EQ(json["environment_changes"].size(), 3u);
  EXPECT_EQ(json["environment_changes"][2], (Json{{"key", "cpu.governor"},
                                                  {"before", "performance x 2"},
                                                  {"after", "performance, powersave"},
                                                  {"matters", true}}));
  Report quiet = report;
  quiet.environment_after.pop_back();  // load and uptime always change
  EXPECT_FALSE(has(shown(quiet), "changed during"));
}

TEST(Findings, SayWhatTheIntervalSays) {
  Report report = sample::report(7, 1);
  report.cells.erase(report.cells.begin(), report.cells.begin() + 2);
  report.cells.resize(2);
  const auto scaled = [&](double by, double spread) {
    Report copy = report;
    for (auto& run : copy.cells[1].runs) {
      run.wall_ns =
          uint64_t(double(copy.cells[0].runs[size_t(&run - copy.cells[1].runs.data())].wall_ns) *
                   (by + spread * (run.block % 3 - 1)));
    }
    const auto all = findings_of(copy);
    EXPECT_EQ(all.size(), 1u);
    return all.at(0).sentence;
  };
  const std::string why = ": 96 % of its wakeups found the GIL taken again.";
  EXPECT_EQ(scaled(1.42, 0.01),
            "On 2 CPUs check-interval:100 ran 1.4x slower together than in sequence" + why);
  EXPECT_EQ(scaled(0.51, 0.01),
            "On 2 CPUs check-interval:100 ran 2.0x faster together than in sequence" + why);
  EXPECT_EQ(scaled(1.04, 0.01),
            "On 2 CPUs check-interval:100 ran 4 % slower together than in sequence" + why);
  EXPECT_EQ(
      scaled(1.00, 0.01),
      "On 2 CPUs check-interval:100 ran as fast together as in sequence (0.99x to 1.01x)" + why);
  EXPECT_EQ(
      scaled(1.10, 0.20),
      "On 2 CPUs check-interval:100 took 1.10x as long together as in sequence (undecided: the "
      "interval is 0.90x to 1.30x)" +
          why);
}

TEST(Findings, FewerThanSixBlocksDecideNothing) {
  Report report = sample::report(5, 1);
  const auto all = findings_of(report);
  ASSERT_EQ(all.size(), 4u);
  for (const Finding& finding : all) EXPECT_EQ(finding.kind, Verdict::undecided);
  EXPECT_TRUE(has(all[1].sentence, "(5 blocks: too few to be sure)")) << all[1].sentence;
  EXPECT_TRUE(has(shown(report), "No 95 % interval from fewer than 6 blocks."));
  EXPECT_FALSE(has(shown(sample::report(6, 1)), "No 95 % interval"));
}

TEST(Findings, GiveNoReasonWhereNoneWasSeen) {
  Report report = sample::report();
  for (Cell& cell : report.cells) {
    std::erase_if(cell.runs, [](const auto& run) { return run.traced(); });
  }
  for (const Finding& finding : findings_of(report)) {
    EXPECT_FALSE(has(finding.sentence, "wakeup")) << finding.sentence;
    EXPECT_TRUE(finding.sentence.ends_with(".")) << finding.sentence;
  }
  const std::string text = shown(report);
  EXPECT_FALSE(has(text, "CPUS"));
  EXPECT_TRUE(has(text, "Nothing was traced."));
  EXPECT_TRUE(has(text, "THREADS"));
}

TEST(Findings, AShareOfFewWakeupsIsNoShare) {
  Report report = sample::report();
  for (auto& run : report.cells[3].runs) {
    for (CpuTrace& cpu : run.cpus) cpu.wakeups.ran = cpu.wasted_wakeups = 2;
  }
  EXPECT_TRUE(findings_of(report)[1].sentence.ends_with(": there were only 4 wakeups in a run."))
      << findings_of(report)[1].sentence;
}

TEST(Findings, WithoutALockThereIsNothingToFindTaken) {
  Report report = sample::report();
  for (auto& run : report.cells[3].runs) {
    for (Thread& thread : run.threads) thread.gil = {};
  }
  EXPECT_TRUE(findings_of(report)[1].sentence.ends_with("together than in sequence."));
}

TEST(Findings, NameWhatTellsCellsApart) {
  Report report = sample::report();
  report.cells[0].workload = report.cells[1].workload = "echo:background=1";
  report.cells[2].threads = report.cells[3].threads = 4;
  report.cells[2].cpus = report.cells[3].cpus = "all";
  report.cells[6].cpus = report.cells[7].cpus = "cpu:0,1";
  const auto all = findings_of(report);
  ASSERT_EQ(all.size(), 4u);
  EXPECT_TRUE(all[0].sentence.starts_with(
      "On 1 CPU check-interval:100 with echo:background=1 on 2 threads "));
  EXPECT_TRUE(all[1].sentence.starts_with(
      "On all 2 CPUs check-interval:100 with count:n=20M on 4 threads "));
  EXPECT_TRUE(all[3].sentence.starts_with("On CPUs 0,1 switch-interval:5ms "));
}

// To change the text on purpose: run GILSCOPE_UPDATE_GOLDEN=1 build/unit_tests, and read the diff.
TEST(TextReport, IsTheGoldenText) {
  const auto path = std::filesystem::path(__FILE__).parent_path() / "show_golden.txt";
  const std::string text = shown(sample::report());
  if (std::getenv("GILSCOPE_UPDATE_GOLDEN")) std::ofstream(path) << text;
  std::ifstream in(path);
  ASSERT_TRUE(in) << path << ": run the tests from the top of the tree";
  EXPECT_EQ(text, (std::stringstream() << in.rdbuf()).str());
}

TEST(TextReport, KeepsToItsWidth) {
  for (const int width : {80, 100, 130}) {
    for (const std::optional<Per> per :
         {std::optional<Per>(), {Per::cpu}, {Per::thread}, {Per::block}}) {
      const std::string text = shown(
          sample::report(),
          {.color = false, .width = width, .per = per, .all = !per.has_value(), .report = {}});
      EXPECT_FALSE(text.empty());
      for (const std::string& line : lines_of(text)) {
        EXPECT_LE(columns(line), size_t(width)) << line;
        EXPECT_FALSE(line.ends_with(' ')) << line;
      }
    }
  }
}

TEST(TextReport, At100ColumnsNothingIsLeftOut) {
  const std::string text = shown(sample::report());
  for (const char* name :
       {"95 % interval", "min..max",   "tracer",      "segments",   "on-CPU",    "idle",
        "foreign",       "waker",      "previous",    "placed",     "ran",       "wakeup",
        "preempt",       "acquires/s", "contended",   "woken_lost", "timed_out", "wasted",
        "holder",        "voluntary",  "involuntary", "migrated",   "p50",       "p99"}) {
    EXPECT_TRUE(has(text, name)) << name;
  }
}

TEST(TextReport, IsColouredOnlyIfAskedTo) {
  EXPECT_FALSE(has(shown(sample::report()), "\033"));
  TextOptions options = kAll;
  options.color = true;
  const std::string coloured = shown(sample::report(), options);
  EXPECT_TRUE(has(coloured, "\033[1mSLOWDOWN\033[0m"));
  EXPECT_TRUE(has(coloured, "\033[31mOn 2 CPUs check-interval:100 ran 1.4x slower"));
}

TEST(TextReport, PerShowsThoseTablesAloneAndSequentialRunsToo) {
  const auto per = [](Per which) {
    return shown(sample::report(2, 1), {.color = false, .width = 100, .per = which});
  };
  EXPECT_TRUE(per(Per::cpu).starts_with("\nCPUS"));
  EXPECT_TRUE(has(per(Per::cpu), "check-interval:100, sequential on 2 CPUs"));
  EXPECT_FALSE(has(per(Per::cpu), "THREADS"));
  EXPECT_TRUE(per(Per::thread).starts_with("\nTHREADS"));
  EXPECT_FALSE(has(shown(sample::report()), "sequential on 2 CPUs"));
  const std::string blocks = per(Per::block);
  EXPECT_TRUE(blocks.starts_with("\nBLOCKS"));
  EXPECT_TRUE(has(blocks, "  0 warm-up  "));
  EXPECT_EQ(lines_of(blocks).size(), 2u + 2u + 4 * (1 + 3));
}

TEST(TextReport, PerfStandsWhereItWasAskedFor) {
  const TextOptions threads{.color = false, .width = 80, .per = Per::thread};
  Report report = sample::report(1, 0);
  EXPECT_TRUE(has(shown(report, threads), "THREADS BY PERF"));
  EXPECT_EQ(Json::parse(summary_json(report))["cells"][3]["each_thread"][0]["perf"],
            (Json{{"context_switches", 25'060},
                  {"migrations", 250},
                  {"instructions_per_cycle", 0.8},
                  {"cache_misses", nullptr}}));
  for (Cell& cell : report.cells) {
    for (gilscope::Run& run : cell.runs) {
      for (Thread& thread : run.threads) thread.perf.reset();
    }
  }
  EXPECT_TRUE(has(shown(report, threads), "THREADS"));
  EXPECT_FALSE(has(shown(report, threads), "PERF"));
  EXPECT_EQ(Json::parse(summary_json(report))["cells"][3]["each_thread"][0]["perf"], nullptr);
}

TEST(TextReport, PerBlockSaysWhichRunFailed) {
  Report report = sample::report(1, 0);
  report.cells[3].runs[0].status = "failed";
  const std::string text = shown(report, {.color = false, .width = 100, .per = Per::block});
  const auto lines = lines_of(text);
  const auto row = std::find(lines.begin(), lines.end(), "check-interval:100 on 2 CPUs") + 1;
  ASSERT_LT(row, lines.end());
  std::istringstream words(*row);
  std::string block, sequential, unit, threaded, slowdown;
  words >> block >> sequential >> unit >> threaded >> slowdown;
  EXPECT_EQ(block + " " + threaded + " " + slowdown, "0 failed -") << text;
}

TEST(TextReport, WhatIsMissingIsADash) {
  Report report = sample::report(1, 0);
  report.cells = {report.cells[3]};
  for (CpuTrace& cpu : report.cells[0].runs[1].cpus) {
    cpu.foreign_ns.reset();
    cpu.wakeups.ran = 0;
  }
  report.cells[0].runs[1].threads[0].trace->histograms.wake_to_run = {};
  const auto lines = lines_of(shown(report));
  int cpus = 0, threads = 0, rows = 0;
  for (const std::string& line : lines) {
    if (line.starts_with("  CPU 1") && has(line, "50.")) cpus += has(line, "%        -  ");
    if (line.starts_with("  Thread-1")) threads += line.ends_with(" -");
    if (line.starts_with("check-interval:100  ")) rows += has(line, "  -  ");
  }
  EXPECT_EQ(cpus, 1) << shown(report);
  EXPECT_EQ(threads, 2) << "one for its waits, one for its cache misses\n" << shown(report);
  EXPECT_EQ(rows, 1) << shown(report);
}

TEST(TextReport, LossesAreSaid) {
  Report report = sample::report();
  EXPECT_TRUE(has(shown(report), "Nothing lost in 64 traced runs"));
  report.cells[1].runs[3].lost = Lost{6, 5, 4, 3, 2, 1, 1500};
  const std::string text = unwrapped(shown(report));
  EXPECT_FALSE(has(text, "Nothing lost"));
  EXPECT_TRUE(has(text, "6 segment records found no room, in 1 run:"));
  EXPECT_TRUE(has(text, "5 times discarded"));
  EXPECT_TRUE(has(text, "4 waits cut off"));
  EXPECT_TRUE(has(text, "3 threads started in the window and not tracked"));
  EXPECT_TRUE(has(text, "2 switches not reported by sched_switch"));
  EXPECT_TRUE(has(text, "1 event skipped by the kernel"));
  EXPECT_TRUE(has(text, "1.50 us of doubt on each CPU's times, at most, in 1 run"));
}

TEST(TextReport, OfEmulatedCpusNoTimeIsShown) {
  Report report = sample::report();
  const std::string real = shown(report);
  EXPECT_FALSE(has(real, "emulated"));
  std::erase_if(report.environment,
                [](const Fact& fact) { return fact.key == "virtualization.emulated"; });
  report.environment.push_back({"virtualization.emulated", true, ""});
  const std::string text = shown(report);
  EXPECT_TRUE(has(text, "EMULATED CPUs"));
  EXPECT_TRUE(has(unwrapped(text), "% of its wakeups found the GIL taken again"));
  for (const char* time : {" us", " ms", "slower", "faster", "as long together"}) {
    EXPECT_FALSE(has(text, time)) << time << "\n" << text;
  }
  for (const Per per : {Per::cpu, Per::thread, Per::block}) {
    const std::string each = shown(report, {.per = per});
    EXPECT_TRUE(has(each, "emulated")) << each;
    for (const char* time : {" us", " ms"}) EXPECT_FALSE(has(each, time)) << time << "\n" << each;
  }
}

TEST(TextReport, StealIsSaidAboveOnePercent) {
  Report report = sample::report();
  auto& run = report.cells[3].runs[4];
  // Two CPUs, for ten seconds: the clock's steps are a thousandth of that.
  run.wall_ns = 9'000'000'000, run.steal_over_ns = 10'000'000'000;
  run.steal_ns = 170'000'000;
  EXPECT_FALSE(has(shown(report), "hypervisor took")) << "0.95 %, at most";
  run.steal_ns = 1'020'000'000;
  EXPECT_TRUE(has(unwrapped(shown(report)),
                  "The hypervisor took more than 1.0 % of the CPU time of 1 run, at least 5.0 % of "
                  "one of them"))
      << shown(report);
}

// Two steps of 10 ms in a run of 5 ms must not be shown as 198 % of its time.
TEST(TextReport, StealOfARunThatIsShorterThanItsStepsIsNotJudged) {
  Report report = sample::report();
  auto& run = report.cells[3].runs[4];
  run.wall_ns = 5'000'000, run.steal_ns = 20'000'000;
  for (const auto& over_ns : {std::optional<uint64_t>(), std::optional<uint64_t>(6'000'000)}) {
    run.steal_over_ns = over_ns;
    const std::string text = unwrapped(shown(report));
    EXPECT_FALSE(has(text, "The hypervisor took")) << text;
    EXPECT_TRUE(has(text,
                    "Whether the hypervisor took more than 1.0 % of the CPU time of 1 run "
                    "is unknown: the kernel counts it in steps of 10 ms"))
        << text;
  }
  const Summary summary(report);
  EXPECT_EQ(summary.steal.runs, 0u);
  EXPECT_EQ(summary.steal.not_judged, 1u);
}

TEST(Steal, IsNeverMoreThanThereIs) {
  gilscope::Run run;
  run.wall_ns = 1'000'000'000, run.steal_ns = 5'000'000'000;
  const auto share = steal_share(run, 2);
  ASSERT_TRUE(share);
  EXPECT_EQ(share->at_least, 1);
  EXPECT_EQ(share->at_most, 1);
  StealSummary summary;
  summary.add(run, 2);
  EXPECT_EQ(summary.worst_share, 1);
  StealTotal many;
  many.add(run, 2);
  EXPECT_EQ(many.share(0.03), 1);
}

TEST(Steal, OfManyShortRunsIsToldTogetherOrNotAtAll) {
  gilscope::Run run;
  run.wall_ns = run.steal_over_ns.emplace(20'000'000);
  StealTotal many;
  for (int i = 0; i < 1000; ++i) {
    run.steal_ns = i % 4 == 0 ? 20'000'000 : 0;
    many.add(run, 1);
    if (i == 0) {
      EXPECT_FALSE(many.share(0.03)) << "one run of two steps";
    }
  }
  ASSERT_TRUE(many.share(0.03));
  EXPECT_DOUBLE_EQ(*many.share(0.03), 0.25);
  gilscope::Run unread;
  EXPECT_FALSE(steal_share(unread, 1));
  EXPECT_FALSE(StealTotal().share(0.03));
}

TEST(TextReport, FailedRunsAreListedWithTheirReason) {
  Report report = sample::report();
  EXPECT_FALSE(has(shown(report), "failed:"));
  report.cells[3].runs[5].status = "failed";
  report.cells[3].runs[5].failure = "the worker died of signal 11";
  const std::string text = shown(report);
  EXPECT_TRUE(has(text,
                  "1 run failed:\n  block 2, check-interval:100, threaded on 2 CPUs, trace full: "
                  "the worker died of signal 11\n"))
      << text;
}

TEST(TextReport, AnUnfinishedExperimentIsSaidToBeOne) {
  Report report = sample::report(3, 1);
  report.blocks_planned = 10;
  report.status = "interrupted";
  EXPECT_TRUE(has(shown(report), "3 of 10 blocks measured"));
  EXPECT_TRUE(has(shown(report), "INTERRUPTED"));
  report.status = "running";
  EXPECT_TRUE(has(shown(report), "PARTIAL"));
  EXPECT_FALSE(has(shown(sample::report()), "PARTIAL"));
}

TEST(TextReport, NothingInAReportSteersTheTerminal) {
  Report report = sample::report();
  const std::string evil = "\x1b[2J\x9b\r\n\t\xc2\x9b";
  report.id = report.gilscope = report.created_at = evil;
  for (Fact& fact : report.environment) fact.value = evil;
  for (Cell& cell : report.cells) {
    cell.policy += evil;
    cell.workload = cell.cpus_by = cell.main_exit = evil;
    for (auto& run : cell.runs) {
      for (Thread& thread : run.threads) thread.name = evil;
    }
  }
  report.cells[3].cpus = "cpu:" + evil;
  report.cells[1].runs[2].status = "failed";
  report.cells[1].runs[2].failure = evil;
  report.cells[2].runs[4].disturbances = {{evil, 2, 1}, {evil, std::nullopt, 1}};
  for (Fact& fact : report.environment_after) fact.value = evil;
  for (const std::optional<Per> per :
       {std::optional<Per>(), {Per::cpu}, {Per::thread}, {Per::block}}) {
    for (const bool all : {false, true}) {
      const std::string text =
          shown(report, {.color = false, .width = 100, .per = per, .all = all, .report = evil});
      EXPECT_EQ(text.find_first_of("\x1b\x9b\r\t"), std::string::npos);
    }
  }
}

TEST(TextReport, ManyThreadsAndCpusAreShortenedUnlessAskedFor) {
  Report report = sample::report(1, 0);
  report.cells = {report.cells[3]};
  auto& run = report.cells[0].runs[1];
  for (int i = 2; i < 100; ++i) {
    run.threads.push_back(run.threads[0]);
    run.cpus.push_back(run.cpus[0]);
    run.cpus.back().cpu = i;
  }
  run.cpus.push_back({});
  run.cpus.back().cpu = 100;
  const std::string text = shown(report);
  EXPECT_TRUE(has(text, "and 84 more threads, with --per thread"));
  EXPECT_TRUE(has(text, "and 84 more CPUs, with --per core"));
  EXPECT_TRUE(has(text, "none of its threads ran on the other 1 CPU\n"));
  const std::string all = shown(report, {.color = false, .width = 100, .per = Per::cpu});
  EXPECT_TRUE(has(all, "\n  CPU 99 "));
  EXPECT_FALSE(has(all, "more CPUs"));
}

TEST(SummaryJson, HoldsTheDerivedNumbers) {
  Report report = sample::report();
  report.cells[3].runs[3].cpus[0].foreign_ns.reset();
  const Json json = Json::parse(summary_json(report));
  EXPECT_EQ(json["schema"]["name"], "gilscope.summary");
  const Json& row = json["slowdown"][1];
  EXPECT_EQ(row["policy"], "check-interval:100");
  EXPECT_EQ(row["verdict"], "slower");
  EXPECT_EQ(row["blocks"], 7);
  EXPECT_EQ(row["each_block"].size(), 7u);
  EXPECT_NEAR(row["slowdown"].get<double>(), 1.4, 0.02);
  EXPECT_LE(row["interval_95"]["low"], row["slowdown"]);
  EXPECT_EQ(json["cells"].size(), 8u);
  EXPECT_EQ(json["cells"][3]["each_core"].size(), 2u);
  EXPECT_EQ(json["cells"][3]["each_thread"][1]["name"], "Thread-2");
  EXPECT_EQ(json["findings"].size(), 4u);
  const Json few = Json::parse(summary_json(sample::report(2, 1)));
  EXPECT_EQ(few["slowdown"][1]["interval_95"], nullptr);
  EXPECT_EQ(few["slowdown"][1]["verdict"], "undecided");
}

// Runs the two subcommands as the command line does.
Outcome command(std::vector<std::string> arguments) {
  const auto both = [](CLI::App& app, Exit& exit) {
    add_show(app, exit);
    add_validate(app, exit);
  };
  return run_command(both, std::move(arguments));
}

class Commands : public testing::Test {
 protected:
  std::string written(const Report& report) {
    dir_.write("report.json", to_json(report));
    return dir_ / "report.json";
  }
  std::string written(const std::string& text) {
    dir_.write("report.json", text);
    return dir_ / "report.json";
  }
  TemporaryDirectory dir_;
};

TEST_F(Commands, ShowPrintsTheReportOrItsNumbers) {
  const std::string path = written(sample::report());
  // The report names segments, but there are none beside it.
  ReportFindings none;
  none.runs_without_files = 64;
  EXPECT_EQ(command({"show", path, "--all"}).out, shown(sample::report(), kAll, none));
  EXPECT_EQ(command({"show", dir_.path(), "--all"}).out, shown(sample::report(), kAll, none));
  TextOptions screen;
  screen.report = path;
  EXPECT_EQ(command({"show", path}).out, shown(sample::report(), screen, none));
  EXPECT_EQ(command({"show", path, "--json"}).out, summary_json(sample::report(), none));
  EXPECT_EQ(command({"show", path, "--per", "block"}).out,
            shown(sample::report(), {.color = false, .width = 100, .per = Per::block}));
  EXPECT_EQ(command({"show", path}).exit, 0);
  EXPECT_EQ(command({"show", path, "--per", "core", "--json"}).exit, 2);
  EXPECT_EQ(command({"show", path, "--per", "core", "--all"}).exit, 2);
  EXPECT_EQ(command({"show", path, "--all", "--json"}).exit, 2);
  EXPECT_EQ(command({"show", path, "--per", "galaxy"}).exit, 2);
  EXPECT_EQ(command({"show"}).exit, 2);
}

TEST_F(Commands, ShowWithoutAFinishedRunHasNoData) {
  Report report = sample::report(1, 0);
  for (Cell& cell : report.cells) {
    for (auto& run : cell.runs) run.status = "failed";
  }
  const Outcome outcome = command({"show", written(report)});
  EXPECT_EQ(outcome.exit, 3);
  EXPECT_EQ(outcome.out, "");
  EXPECT_TRUE(outcome.err.starts_with("gilscope: "));
  EXPECT_EQ(lines_of(outcome.err).size(), 1u);
  EXPECT_EQ(command({"show", written(std::string("{"))}).exit, 3);
  EXPECT_EQ(command({"show", dir_ / "none"}).exit, 2);
}

TEST_F(Commands, ValidateTellsValidFromBrokenFromNoReport) {
  const std::string path = written(sample::report(2, 1));
  Outcome outcome = command({"validate", path});
  EXPECT_EQ(outcome.exit, 0);
  EXPECT_EQ(outcome.out,
            path + fmt::format(": valid gilscope report (schema 1.{}, 8 cells, 48 runs)\n",
                               kReportMinor));
  EXPECT_EQ(outcome.err, "");

  Json json = Json::parse(to_json(sample::report(2, 1)));
  json["cells"][0]["runs"][0].erase("gil");
  json.erase("seed");
  outcome = command({"validate", written(json.dump())});
  EXPECT_EQ(outcome.exit, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err,
            path + ": /: without \"seed\"\n" + path + ": /cells/0/runs/0: without \"gil\"\n");

  Report wrong = sample::report(2, 1);
  *wrong.cells[1].runs[1].cpus[0].acquires += 1;
  outcome = command({"validate", written(wrong)});
  EXPECT_EQ(outcome.exit, 1);
  EXPECT_EQ(lines_of(outcome.err).size(), 1u);

  const std::string whole = to_json(sample::report(2, 1));
  EXPECT_EQ(command({"validate", written(whole.substr(0, whole.size() / 2))}).exit, 3);
  wrong = sample::report(2, 1);
  wrong.major = 2;
  EXPECT_EQ(command({"validate", written(wrong)}).exit, 3);
  EXPECT_EQ(command({"validate", dir_ / "none"}).exit, 2);
}

}  // namespace
}  // namespace gilscope
