// The text's statements about rates, latencies and an experiment's claim.
#include "tools/analysis/rates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/unit/sample_report.h"
#include "tools/analysis/findings.h"
#include "tools/json/summary_json.h"
#include "tools/text/report.h"

namespace gilscope {
namespace {

using testing::HasSubstr;
using testing::Not;

// One thread's echo beside `background` others, untraced, with nearly the same results in each
// block.
Cell echo(int background, double rate, double p50_ns, int blocks) {
  Cell cell;
  cell.policy = "switch-interval:5ms";
  cell.workload = fmt::format("echo:background={},seconds=1s", background);
  cell.arrangement = "threaded";
  cell.threads = 1;
  cell.cpus = "all";
  cell.cpu_list = {0, 1};
  cell.cpus_by = "affinity";
  cell.main_exit = "join";
  for (int block = 0; block < blocks; ++block) {
    gilscope::Run run;
    run.block = block;
    run.trace = "off";
    run.status = "done";
    run.wall_ns = 1'000'000'000;
    run.workload = {{"operations", rate},       {"operations_per_s", rate * (1 + 0.01 * block)},
                    {"latency_samples", rate},  {"latency_p50_ns", p50_ns},
                    {"latency_p99_ns", p50_ns}, {"fairness", 1}};
    cell.runs.push_back(run);
  }
  return cell;
}

Report report_of(std::vector<Cell> cells, int blocks) {
  Report report = sample::report(1, 0);
  report.blocks_planned = blocks;
  report.warmup_planned = 0;
  report.cells = std::move(cells);
  return report;
}

std::string text_of(const Report& report) {
  std::ostringstream out;
  TextOptions options;
  options.width = 400;
  options.all = true;
  print_text_report(out, report, options);
  return out.str();
}

TEST(Rates, AreHeldAgainstTheSameWithoutBackground) {
  const Report report = report_of({echo(0, 50'000, 20'000, 6), echo(1, 100, 10'000'000, 6)}, 6);
  const Summary summary(report);
  ASSERT_EQ(summary.rates.size(), 1u);
  EXPECT_EQ(summary.rates[0].background, 1u);
  EXPECT_DOUBLE_EQ(*summary.rates[0].ratio, 0.002);
  EXPECT_TRUE(summary.rates[0].interval);
  const std::string text = text_of(report);
  EXPECT_THAT(text, HasSubstr("answered 102 requests a second beside 1 computing thread, 1/500 of "
                              "its 51.2 k without: its median latency is 10.0 ms instead of"));
  EXPECT_THAT(text, HasSubstr("WORK"));
  EXPECT_THAT(text, Not(HasSubstr("SLOWDOWN"))) << "a fixed wall time is not compared";
}

TEST(Rates, NameTheWorkloadsOwnOperation) {
  const std::pair<const char*, const char*> cases[] = {
      {"convoy", "made 102 exchanges a second"},
      {"file", "made 102 writes durable a second"},
      {"of-another-version", "did 102 operations a second"}};
  for (const auto& [name, says] : cases) {
    std::vector<Cell> cells = {echo(0, 50'000, 20'000, 6), echo(1, 100, 10'000'000, 6)};
    for (Cell& cell : cells) cell.workload.replace(0, 4, name);
    EXPECT_THAT(text_of(report_of(cells, 6)), HasSubstr(says));
  }
}

// The report stores what ends a run, so neither latencies nor anything else need to be there.
TEST(Rates, StandForRunsOfASetTimeWhateverTheyMeasure) {
  Cell cell = echo(0, 50'000, 20'000, 6);
  cell.workload = "ping-pong:seconds=1s";
  cell.bounded_by = "time";
  for (gilscope::Run& run : cell.runs)
    std::erase_if(run.workload,
                  [](const auto& result) { return result.first.starts_with("latency"); });
  // Traced runs did less in the same time, which is the cost of tracing.
  for (int block = 0; block < 6; ++block) {
    gilscope::Run traced = cell.runs[size_t(block)];
    traced.trace = "counters";
    traced.window_ns = traced.wall_ns;
    traced.lost = Lost{};
    traced.workload["operations_per_s"] /= 1.25;
    cell.runs.push_back(traced);
  }
  const Report report = report_of({cell}, 6);
  const std::string text = text_of(report);
  EXPECT_THAT(text, HasSubstr("WORK"));
  EXPECT_THAT(text, HasSubstr("51.2 k"));
  EXPECT_THAT(text, Not(HasSubstr("SLOWDOWN")));
  EXPECT_THAT(text, Not(HasSubstr("1.00 s"))) << "the time that it was set to take";
  EXPECT_THAT(text, HasSubstr("+25.0 %"));
  EXPECT_NEAR(Summary(report).cells[0].tracer_cost.value(), 0.25, 1e-9);
}

TEST(Rates, StandInTheJson) {
  const Report report = report_of({echo(0, 50'000, 20'000, 6), echo(1, 100, 10'000'000, 6)}, 6);
  const auto json = nlohmann::json::parse(summary_json(report));
  ASSERT_EQ(json["rates"].size(), 1u);
  EXPECT_DOUBLE_EQ(json["rates"][0]["ratio"].get<double>(), 0.002);
  EXPECT_EQ(json["rates"][0]["alone"], "echo:background=0,seconds=1s");
  EXPECT_EQ(json["cells"][1]["workload_results"]["latency_p50_ns"], 10'000'000);
  EXPECT_EQ(json["claim"]["claim"], "");
}

TEST(Rates, OfFewBlocksAreSaidToBeFew) {
  const Report report = report_of({echo(0, 100, 1, 2), echo(2, 50, 1, 2)}, 2);
  EXPECT_THAT(text_of(report), HasSubstr("50 % of its 100 without (2 blocks: too few to be sure)"));
}

TEST(Rates, NeedTheSameCellWithout) {
  Cell other = echo(0, 100, 1, 6);
  other.policy = "none";
  const Report report = report_of({other, echo(1, 50, 1, 6)}, 6);
  EXPECT_TRUE(Summary(report).rates.empty());
}

TEST(Rates, LeaveOutDisturbedAndWarmUpRuns) {
  Report report = report_of({echo(0, 100, 1, 3), echo(1, 50, 1, 3)}, 3);
  report.cells[1].runs[0].workload["operations_per_s"] = 1e9;
  report.cells[1].runs[0].disturbances = {{"steal", 0.5, 0.05}};
  report.cells[1].runs[1].workload["operations_per_s"] = 1e9;
  report.cells[1].runs[1].warmup = true;
  const Summary summary(report);
  ASSERT_EQ(summary.rates.size(), 1u);
  EXPECT_EQ(summary.rates[0].ratios.size(), 1u);
}

TEST(Claim, IsHeldAgainstWhatWasFound) {
  Report report = sample::report(8, 0);
  EXPECT_THAT(text_of(report), Not(HasSubstr("set out to find")));
  report.claim = "slower";
  std::erase_if(report.cells, [](const Cell& cell) {
    return cell.policy != "check-interval:100" || cell.cpu_list.size() != 2;
  });
  EXPECT_THAT(text_of(report),
              HasSubstr("threads together are slower than in sequence: REPRODUCED"));
  report.claim = "faster";
  EXPECT_THAT(text_of(report), HasSubstr("faster than in sequence: NOT REPRODUCED"));
  report.claim = "slower";
  for (Cell& cell : report.cells) cell.runs.resize(3);
  EXPECT_THAT(text_of(report), HasSubstr("UNDECIDED"));
  for (Cell& cell : report.cells) cell.runs.clear();
  EXPECT_THAT(claim_sentence(report, Summary(report)), HasSubstr("unknown"));
}

}  // namespace
}  // namespace gilscope
