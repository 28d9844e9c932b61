// No comparison passes because runs are missing, and every output format names what is missing.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "tests/unit/comparable_report.h"
#include "tools/html/comparison_page.h"
#include "tools/json/comparison_json.h"
#include "tools/text/comparison.h"
#include "tools/text/comparison_rows.h"
#include "tools/text/table.h"

namespace gilscope {
namespace {

using Json = nlohmann::json;
using sample::comparable;
using sample::Comparable;
using sample::compare;
using sample::compared;
using sample::put;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kThreaded = "check-interval:100, threaded, 2 CPUs";
constexpr const char* kDied = "the worker was killed by signal 9 (Killed)";

bool threaded_on_two(const Cell& cell) {
  return cell.arrangement == "threaded" && cell.cpus == "2";
}

// Changes the measured runs of the threaded cell on two CPUs, in blocks up to `last`.
void change_runs(Report& report, int last, const std::function<void(gilscope::Run&)>& change,
                 const std::string& trace = "") {
  for (Cell& cell : report.cells) {
    if (!threaded_on_two(cell)) continue;
    for (gilscope::Run& run : cell.runs) {
      if (run.warmup || run.block > last || (!trace.empty() && run.trace != trace)) continue;
      change(run);
    }
  }
}

void fail_run(gilscope::Run& run) {
  run.status = "failed";
  run.failure = kDied;
}

void interrupt_run(gilscope::Run& run) {
  run.status = "interrupted";
}

void disturb_run(gilscope::Run& run) {
  run.disturbances = {{"foreign", 0.6, 0.25}};
}

class CompareMissing : public testing::Test {
 protected:
  std::string whole() { return put(directory_, "whole", comparable()); }

  std::string lacking(const std::function<void(Report&)>& take, Comparable of = {.seed = 2}) {
    Report report = comparable(of);
    take(report);
    return put(directory_, "lacking", report);
  }

  // All output formats name the cell and the defect, and the comparison does not pass.
  static void expect_named(const std::vector<std::string>& reports, const std::string& cell,
                           const std::string& what, const std::string& by = "",
                           const ComparisonOptions& options = {}) {
    const Comparison comparison = compared(reports, by, options);
    EXPECT_EQ(comparison.exit(), Exit::check_failed);
    std::ostringstream text;
    print_comparison(text, comparison, {.color = false, .width = 80, .per = {}});
    std::string markdown = comparison_markdown(comparison);
    std::erase(markdown, '\\');
    for (const std::string& form : {in_one_line(text.str()), markdown, comparison_csv(comparison),
                                    comparison_page(comparison)}) {
      EXPECT_THAT(form, AllOf(HasSubstr(cell), HasSubstr(what)));
    }
    // JSON has the side in a key of its own.
    const Json json = Json::parse(comparison_json(comparison));
    size_t named = 0;
    for (const Json& one : json["contrasts"][0]["missing"]) {
      const std::string printed =
          one["side"].get<std::string>() + ": " + one["what"].get<std::string>();
      named += one["cell"] == cell && printed.find(what) != std::string::npos && !one["passes"];
    }
    EXPECT_EQ(named, 1u) << what;
    EXPECT_THAT(comparison_page(comparison), HasSubstr("<h2 id=\"missing\">"));
  }

  static std::string in_one_line(const std::string& text) {
    return std::regex_replace(text, std::regex("\\s+"), " ");
  }

  TemporaryDirectory directory_;
};

TEST_F(CompareMissing, NothingIsMissingOfWholeReports) {
  const auto outcome = compare({whole(), lacking([](Report&) {})});
  EXPECT_EQ(outcome.exit, 0) << outcome.out;
  EXPECT_THAT(outcome.out, AllOf(Not(HasSubstr("INCOMPLETE")), Not(HasSubstr("--allow-missing"))));
  const Json json = Json::parse(compare({whole(), whole(), "--format", "json"}).out);
  EXPECT_EQ(json["missing"], 0);
  EXPECT_EQ(json["contrasts"][0]["cells"][0]["runs_a"]["planned"], 16);
  EXPECT_EQ(json["contrasts"][0]["cells"][0]["runs_a"]["compared"], 16);
}

TEST_F(CompareMissing, ACellAllOfWhoseRunsFailed) {
  const std::string one = whole(),
                    two = lacking([](Report&report) { change_runs(report, 99, fail_run); });
  expect_named({one, two}, kThreaded, fmt::format("lacking: 16 of 16 runs failed ({})", kDied));
  expect_named({two, one}, kThreaded, "lacking: 16 of 16 runs failed");
  const auto allowed = compare({one, two, "--allow-missing", "yes"});
  EXPECT_EQ(allowed.exit, 0) << allowed.out;
  EXPECT_THAT(allowed.out, AllOf(HasSubstr("INCOMPLETE"), HasSubstr("16 of 16 runs failed")));
  EXPECT_THAT(in_one_line(allowed.out),
              HasSubstr("what is missing passes (--allow-missing yes): exit code 0"));
  // The message comes before the numbers.
  const auto printed = compare({one, two});
  EXPECT_LT(printed.out.find("16 of 16 runs failed"), printed.out.find("primary metrics:"));
}

TEST_F(CompareMissing, AMetricThatWasAskedForDoesNotHideTheOtherCells) {
  const std::string one = whole(),
                    two = lacking([](Report&report) { change_runs(report, 99, fail_run); },
                                  {.seed = 2, .times = 1.5});
  const auto outcome = compare({one, two, "--metric", "wall_ns", "--all"});
  EXPECT_EQ(outcome.exit, 1) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("slower with"), HasSubstr("16 of 16 runs failed")));
}

TEST_F(CompareMissing, SomeFailedRuns) {
  const std::string two = lacking([](Report& report) { change_runs(report, 1, fail_run, "off"); });
  expect_named({whole(), two}, kThreaded, fmt::format("1 of 8 untraced runs failed ({})", kDied));
  const std::string mixed = lacking([](Report& report) {
    change_runs(report, 3, disturb_run, "off");
    change_runs(report, 2, fail_run, "off");
    change_runs(report, 1, interrupt_run, "off");
  });
  expect_named({whole(), mixed}, kThreaded,
               fmt::format("of 8 untraced runs 1 failed ({}), 1 was interrupted and 1 was left out "
                           "by limits (foreign)",
                           kDied));
}

TEST_F(CompareMissing, InterruptedRunsAndRunsThatNeverTookPlace) {
  expect_named({whole(), lacking([](Report& report) { change_runs(report, 1, interrupt_run); })},
               kThreaded, "1 of 8 untraced runs was interrupted");
  const auto drop = [](Report& report) {
    for (Cell& cell : report.cells) {
      if (threaded_on_two(cell)) {
        std::erase_if(cell.runs, [](const gilscope::Run& run) { return run.block > 6; });
      }
    }
  };
  expect_named({whole(), lacking(drop)}, kThreaded, "2 of 8 untraced runs were never run");
  const auto none = [](Report& report) {
    for (Cell& cell : report.cells) {
      if (threaded_on_two(cell)) cell.runs.clear();
    }
  };
  expect_named({whole(), lacking(none)}, kThreaded, "16 of 16 runs were never run");
}

TEST_F(CompareMissing, AReportThatIsNotFinished) {
  for (const char* status : {"interrupted", "running"}) {
    const std::string two = lacking([&](Report& report) {
      report.status = status;
      for (Cell& cell : report.cells) {
        std::erase_if(cell.runs, [](const gilscope::Run& run) { return run.block > 7; });
      }
    });
    const auto outcome = compare({whole(), two});
    EXPECT_EQ(outcome.exit, 1) << outcome.out;
    EXPECT_THAT(outcome.out, HasSubstr(fmt::format("is not finished ({}): 7 of 8 blocks", status)));
    const Json json = Json::parse(compare({whole(), two, "--format", "json"}).out);
    EXPECT_EQ(json["unfinished_reports"][0]["status"], status);
    EXPECT_EQ(json["exit"], 1);
    // The same if no run is missing yet.
    EXPECT_EQ(compare({whole(), lacking([&](Report& report) { report.status = status; })}).exit, 1);
  }
}

TEST_F(CompareMissing, ACellThatIsOnOneSideOnly) {
  const std::string two =
      lacking([](Report& report) { std::erase_if(report.cells, threaded_on_two); });
  expect_named({whole(), two}, kThreaded, "lacking: no such cell; whole has it");
  expect_named({two, whole()}, kThreaded, "lacking: no such cell; whole has it");
  EXPECT_EQ(compare({whole(), two, "--allow-missing", "yes"}).exit, 0);
}

TEST_F(CompareMissing, AFewDisturbedRunsAreLeftOutAndNamed) {
  const std::string two = lacking([](Report& report) { change_runs(report, 2, disturb_run); });
  const auto outcome = compare({whole(), two});
  EXPECT_EQ(outcome.exit, 0) << outcome.out;
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("2 of 8 untraced runs were left out by limits (foreign)"),
                    HasSubstr(kThreaded), Not(HasSubstr("INCOMPLETE"))));
  for (const char* format : {"md", "csv", "json"}) {
    EXPECT_THAT(compare({whole(), two, "--format", format}).out,
                HasSubstr("2 of 8 untraced runs were left out by limits"))
        << format;
  }
}

TEST_F(CompareMissing, DisturbanceLimitsThatLeaveTooLittleToDecideLetNothingPass) {
  expect_named(
      {whole(), lacking([](Report& report) { change_runs(report, 3, disturb_run, "off"); })},
      kThreaded, "5 of 8 blocks are left with untraced runs, too few to decide anything");
  // Eleven of twenty blocks are lost.
  put(directory_, "a", comparable({.blocks = 20}));
  Report most = comparable({.seed = 2, .blocks = 20});
  change_runs(most, 11, disturb_run, "full");
  put(directory_, "b", most);
  expect_named({directory_ / "a", directory_ / "b"}, kThreaded,
               "9 of 20 blocks are left with traced runs");
}

TEST_F(CompareMissing, TooFewBlocksOnOneSideOnlyLetNothingPass) {
  const auto outcome = compare({whole(), lacking([](Report&) {}, {.seed = 2, .blocks = 5})});
  EXPECT_EQ(outcome.exit, 1);
  EXPECT_THAT(outcome.out, HasSubstr("5 blocks with untraced runs, too few to decide anything; the "
                                     "other side has 8"));
  EXPECT_THAT(outcome.out, HasSubstr("blocks planned: 8 on"));
}

TEST_F(CompareMissing, PairsThatLoseTheOneOrTheOther) {
  // Each side keeps six of eight blocks, but only four blocks have both.
  Report report = comparable();
  for (Cell& cell : report.cells) {
    for (gilscope::Run& run : cell.runs) {
      const int from = cell.cpus == "1" ? 1 : 3;
      if (!run.warmup && (run.block == from || run.block == from + 1)) disturb_run(run);
    }
  }
  const auto outcome = compare({put(directory_, "a", report), "--by", "cpus"});
  EXPECT_EQ(outcome.exit, 1) << outcome.out;
  EXPECT_THAT(outcome.out, HasSubstr("4 of 8 blocks are left with untraced runs of both sides"));
}

TEST_F(CompareMissing, OneKernelOfSeveralThatLostACell) {
  put(directory_, "all/1", comparable({.seed = 1, .kernel = "6.1"}));
  put(directory_, "all/2", comparable({.seed = 2, .kernel = "6.12"}));
  Report broken = comparable({.seed = 3, .kernel = "7.3"});
  change_runs(broken, 99, fail_run);
  put(directory_, "all/3", broken);
  const auto outcome = compare({directory_ / "all", "--by", "kernel"});
  EXPECT_EQ(outcome.exit, 1) << outcome.out;
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("7.3: 16 of 16 runs failed"), Not(HasSubstr("6.12: 16 of 16"))));
}

TEST_F(CompareMissing, AMachineThatWasNotRunOnOneSide) {
  put(directory_, "all/1", comparable({.seed = 1, .kernel = "6.1", .host = "alpha"}));
  put(directory_, "all/2", comparable({.seed = 2, .kernel = "6.12", .host = "alpha"}));
  put(directory_, "all/3", comparable({.seed = 3, .kernel = "6.1", .host = "beta"}));
  expect_named({directory_ / "all"}, kThreaded,
               "6.12: no report of machine beta, where 6.1 was run", "kernel");
}

TEST_F(CompareMissing, BootsThatAreMissing) {
  for (int boot = 0; boot < 6; ++boot) {
    const auto put_boot = [&](const std::string& kernel, uint64_t seed) {
      put(directory_, fmt::format("all/{}", seed),
          comparable({.seed = seed,
                      .blocks = 1,
                      .kernel = kernel,
                      .boot = fmt::format("{} {}", kernel, boot)}));
    };
    put_boot("6.1", uint64_t(boot) + 1);
    if (boot < 4) put_boot("6.12", uint64_t(boot) + 101);
  }
  const auto outcome = compare({directory_ / "all", "--by", "kernel"});
  EXPECT_EQ(outcome.exit, 1) << outcome.out;
  EXPECT_THAT(outcome.out,
              HasSubstr("6.12: 4 boots with untraced runs, too few to decide anything; "
                        "the other side has 6"));
}

TEST_F(CompareMissing, AMetricThatOneSideCannotHave) {
  const auto untraced = [](Report& report) {
    report.spec += "trace = \"off\"\n";
    for (Cell& cell : report.cells) {
      std::erase_if(cell.runs, [](const gilscope::Run& run) { return run.traced(); });
    }
  };
  const std::string one = whole(), two = lacking(untraced);
  EXPECT_EQ(compare({one, two}).exit, 2);
  ComparisonOptions force;
  force.force = true;
  expect_named({one, two}, kThreaded, "lacking: no traced runs, and so no ", "", force);
  // It passes if the metric is not asked for.
  const auto wall = compare({one, two, "--force", "--metric", "wall_ns"});
  EXPECT_EQ(wall.exit, 0) << wall.out;
}

TEST_F(CompareMissing, TracedRunsDoNotStandInForUntracedOnes) {
  const std::string two = lacking([](Report& report) { change_runs(report, 99, fail_run, "off"); });
  const Comparison comparison = compared({whole(), two});
  const MetricResult& wall = sample::metric(comparison, kThreaded, "wall_ns");
  EXPECT_THAT(wall.absent_reason, HasSubstr("8 of 8 untraced runs failed"));
  EXPECT_FALSE(wall.change);
  EXPECT_EQ(comparison.exit(), Exit::check_failed);
}

TEST_F(CompareMissing, ACellThatNoPlanHasIsNoReasonToFail) {
  // A workload that runs for a fixed time has no sequential cell.
  Report report = comparable();
  std::erase_if(report.cells, [](const Cell& cell) {
    return cell.cpus == "2" && cell.arrangement == "sequential";
  });
  const auto outcome =
      compare({put(directory_, "a", report), "--by", "arrangement", "--metric", "cpu_ns"});
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("sequential: not in the plan; threaded has it"),
                                 Not(HasSubstr("INCOMPLETE"))));
  for (Cell& cell : report.cells) {
    for (gilscope::Run& run : cell.runs) {
      if (cell.cpus == "2" && run.block == 2) fail_run(run);
    }
  }
  EXPECT_THAT(
      compare({put(directory_, "a", report), "--by", "arrangement", "--metric", "cpu_ns"}).out,
      AllOf(HasSubstr("INCOMPLETE"), HasSubstr("1 of 8 untraced runs failed")));
}

TEST_F(CompareMissing, WhereNothingIsLeftTheErrorSaysWhy) {
  const std::string two = lacking([](Report& report) {
    for (Cell& cell : report.cells) {
      for (gilscope::Run& run : cell.runs) fail_run(run);
    }
  });
  const auto outcome = compare({whole(), two});
  EXPECT_EQ(outcome.exit, 3);
  EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("check-interval:100"), HasSubstr("16 of 16 runs failed"),
                                 HasSubstr(kDied)));
}

TEST_F(CompareMissing, TextFitsItsTerminalAndDropsNoCell) {
  const std::string two = lacking([](Report& report) {
    for (Cell& cell : report.cells) {
      for (gilscope::Run& run : cell.runs) {
        if (run.block < 4 && !run.warmup) fail_run(run);
      }
    }
  });
  const Comparison comparison = compared({whole(), two});
  for (const int width : {80, 120}) {
    std::ostringstream out;
    print_comparison(out, comparison, {.color = false, .width = width, .per = {}});
    std::istringstream lines(out.str());
    for (std::string line; std::getline(lines, line);) {
      EXPECT_LE(columns(line), size_t(width)) << line;
    }
    EXPECT_THAT(out.str(), HasSubstr("3 of 8 untraced runs failed"));
  }
}

}  // namespace
}  // namespace gilscope
