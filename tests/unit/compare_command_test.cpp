// gilscope compare as users see it: from report files to tables and exit codes.
#include <gmock/gmock.h>

#include <algorithm>
#include <sstream>

#include "tests/unit/comparable_report.h"
#include "tests/unit/compare_samples.h"
#include "tools/compare/level_names.h"
#include "tools/compare/reports.h"
#include "tools/json/comparison_json.h"
#include "tools/text/comparison.h"
#include "tools/text/table.h"

namespace gilscope {
namespace {

using sample::comparable;
using sample::Comparable;
using sample::compare;
using sample::compared;
using sample::metric;
using sample::put;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class CompareCommand : public testing::Test {
 protected:
  std::string a(const Comparable& of = {}) { return put(directory_, "a", comparable(of)); }
  std::string b(const Comparable& of = {.seed = 2}) { return put(directory_, "b", comparable(of)); }
  std::string changed(const std::string& name, Comparable of,
                      const std::function<void(Report&)>& change) {
    Report report = comparable(of);
    change(report);
    return put(directory_, name, report);
  }

  // "level cell: metric" -> verdict, for primary metrics.
  static std::map<std::string, Verdict> verdicts(const Comparison& comparison) {
    std::map<std::string, Verdict> all;
    for (const ContrastResult& contrast : comparison.results) {
      for (const CellResult& cell : contrast.cells) {
        for (const MetricResult& result : cell.metrics) {
          if (!result.primary || !result.absent_reason.empty()) continue;
          all[contrast.contrast->b + " " + cell.name + ": " + metrics()[result.metric].name] =
              result.verdict;
        }
      }
    }
    return all;
  }

  TemporaryDirectory directory_;
};

constexpr const char* kThreaded = "check-interval:100, threaded, 2 CPUs";

TEST_F(CompareCommand, TellsASlowerReportFromTheBaseline) {
  const auto outcome = compare({a(), b({.seed = 2, .times = 1.1}), "--all"});
  EXPECT_EQ(outcome.exit, 1) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("slower with b than with a"));
  EXPECT_THAT(outcome.out, HasSubstr("wall time 1.10x"));
}

TEST_F(CompareCommand, AFasterReportIsNoRegression) {
  const auto outcome = compare({a(), b({.seed = 2, .times = 0.9}), "--metric", "wall_ns", "--all"});
  EXPECT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("faster with b than with a"), Not(HasSubstr("slower with"))));
}

TEST_F(CompareCommand, AReportAgainstItselfIsTheSameEverywhere) {
  const std::string one = a();
  EXPECT_EQ(compare({one, one}).exit, 0);
  const auto all = verdicts(compared({one, one}));
  EXPECT_FALSE(all.empty());
  for (const auto& [name, verdict] : all) EXPECT_EQ(verdict, Verdict::same) << name;
}

TEST_F(CompareCommand, FewerThanSixBlocksAreUndecidedWhateverTheySay) {
  const Comparison comparison =
      compared({a({.blocks = 5}), b({.seed = 2, .times = 3, .blocks = 5})});
  EXPECT_EQ(comparison.exit(), Exit::done);
  for (const auto& [name, verdict] : verdicts(comparison)) {
    EXPECT_EQ(verdict, Verdict::undecided) << name;
  }
  EXPECT_EQ(metric(comparison, kThreaded, "wall_ns").verdict, Verdict::undecided);
  EXPECT_GE(metric(comparison, kThreaded, "wall_ns").more, 1);
  EXPECT_TRUE(metric(comparison, kThreaded, "wall_ns").at_least);
}

TEST_F(CompareCommand, UndecidedPassesUnlessToldOtherwise) {
  const std::string one = a({.blocks = 5}), two = b({.seed = 2, .blocks = 5});
  const auto passed = compare({one, two});
  EXPECT_EQ(passed.exit, 0);
  EXPECT_THAT(passed.out, HasSubstr("undecided ones pass (--allow-undecided yes): exit code 0"));
  const auto failed = compare({one, two, "--allow-undecided", "no"});
  EXPECT_EQ(failed.exit, 1);
  EXPECT_THAT(failed.out, HasSubstr("undecided ones fail (--allow-undecided no): exit code 1"));
}

TEST_F(CompareCommand, TheMinimumEffectDecidesWhatIsTheSame) {
  const std::string one = a({.noise = 0.001}), two = b({.seed = 2, .times = 1.04, .noise = 0.001});
  EXPECT_EQ(metric(compared({one, two}), kThreaded, "wall_ns").verdict, Verdict::slower);
  EXPECT_EQ(metric(compared({one, two}, "", {.min_effect = 0.1}), kThreaded, "wall_ns").verdict,
            Verdict::same);
  EXPECT_EQ(compare({one, two, "--min-effect", "10%", "--metric", "wall_ns"}).exit, 0);
  const auto refused = compare({one, two, "--min-effect", "much"});
  EXPECT_EQ(refused.exit, 2);
  EXPECT_THAT(refused.err, HasSubstr("'much' is no share"));
}

TEST_F(CompareCommand, ByAKeyOfTheCellsPairsTheBlocksOfOneReport) {
  const Comparison comparison = compared({a({.blocks = 14})}, "cpus");
  EXPECT_EQ(comparison.axis.key, "cpus");
  EXPECT_EQ(comparison.axis.levels.front(), "1");
  EXPECT_EQ(comparison.results[0].cells[0].design, Design::paired);
  const MetricResult& wall = metric(comparison, "check-interval:100, threaded", "wall_ns");
  EXPECT_EQ(wall.blocks_a, 14u);
  EXPECT_EQ(wall.verdict, Verdict::slower);
}

TEST_F(CompareCommand, TheBaselineMayBeNamed) {
  const Comparison comparison =
      compared({a({.blocks = 14})}, "cpus", {.sides = {.by = "", .within = {}, .baseline = "2"}});
  EXPECT_EQ(comparison.axis.levels.front(), "2");
  EXPECT_EQ(metric(comparison, "check-interval:100, threaded", "wall_ns").verdict, Verdict::faster);
  const auto refused = compare({a(), "--by", "cpus", "--baseline", "3"});
  EXPECT_EQ(refused.exit, 2);
  EXPECT_THAT(refused.err, HasSubstr("no cpus is '3': there are 1, 2"));
}

TEST_F(CompareCommand, NeitherTheOrderOfFilesNorOfRunsChangesAVerdict) {
  const auto reversed = [](Report report) {
    std::ranges::reverse(report.cells);
    for (Cell& cell : report.cells) std::ranges::reverse(cell.runs);
    return report;
  };
  const Comparable old{.seed = 1, .kernel = "6.1.9"},
      other{.seed = 2, .times = 1.05, .kernel = "6.1.10"};
  const std::string one = put(directory_, "a", comparable(old));
  const std::string two = put(directory_, "b", comparable(other));
  const std::string one_reversed = put(directory_, "c", reversed(comparable(old)));
  const std::string two_reversed = put(directory_, "d", reversed(comparable(other)));
  EXPECT_EQ(compared({one, two}, "kernel").axis.levels.front(), "6.1.9");
  const auto printed = [](const std::vector<std::string>& reports) {
    return comparison_json(compared(reports, "kernel"));
  };
  EXPECT_EQ(printed({one, two}), printed({two, one}));
  EXPECT_EQ(printed({one, two}), printed({two_reversed, one_reversed}));
}

TEST_F(CompareCommand, TurnedAroundSlowerIsFaster) {
  const std::string one = a(), two = b({.seed = 2, .times = 1.1});
  const Comparison there = compared({one, two}), back = compared({two, one});
  const MetricResult& slower = metric(there, kThreaded, "wall_ns");
  const MetricResult& faster = metric(back, kThreaded, "wall_ns");
  EXPECT_EQ(slower.verdict, Verdict::slower);
  EXPECT_EQ(faster.verdict, Verdict::faster);
  EXPECT_NEAR(*slower.change * *faster.change, 1, 1e-12);
}

TEST_F(CompareCommand, ADirectoryOfReportsIsOneSide) {
  for (const int n : {1, 2}) {
    put(directory_, fmt::format("left/{}", n), comparable({.seed = uint64_t(n)}));
    put(directory_, fmt::format("right/{}", n), comparable({.seed = uint64_t(n + 10)}));
  }
  const Comparison comparison = compared({directory_ / "left", directory_ / "right"});
  EXPECT_EQ(metric(comparison, kThreaded, "wall_ns").blocks_a, 16u);
}

TEST_F(CompareCommand, OneBaselineStandsAgainstMany) {
  const auto outcome = compare({a(), b({.seed = 2, .times = 1.2}),
                                put(directory_, "c", comparable({.seed = 3, .times = 0.8}))});
  EXPECT_EQ(outcome.exit, 1);
  // Prints a matrix of levels and CPU counts.
  EXPECT_THAT(outcome.out, HasSubstr("check-interval:100, threaded: wall time\n"));
  EXPECT_THAT(outcome.out, HasSubstr("1.20x slower"));
  EXPECT_THAT(outcome.out, HasSubstr("0.80x faster"));
}

TEST_F(CompareCommand, OtherSpecsAreRefusedUnlessForced) {
  const std::string one = a();
  const std::string two = changed("b", {.seed = 2, .times = 1.5},
                                  [](Report& report) { report.spec += "trace = \"counters\"\n"; });
  const auto refused = compare({one, two});
  EXPECT_EQ(refused.exit, 2);
  EXPECT_EQ(refused.out, "");
  EXPECT_THAT(refused.err, AllOf(HasSubstr("their specs differ in trace: full against counters"),
                                 HasSubstr("--force")));
  const auto forced = compare({one, two, "--force"});
  EXPECT_EQ(forced.exit, 1);
  EXPECT_THAT(forced.out, HasSubstr("FORCED"));
  EXPECT_THAT(compare({one, two, "--force", "--format", "json"}).out,
              HasSubstr("\"forced\": true"));
  EXPECT_THAT(compare({one, two, "--force", "--format", "csv"}).out,
              HasSubstr(",true,16,16,16,16,,"));
  EXPECT_THAT(compare({one, two, "--force", "--format", "md"}).out, HasSubstr("**FORCED"));
}

TEST_F(CompareCommand, HowManyBlocksAndWhatNameAreNoOtherSpec) {
  const std::string two = changed("b", {.seed = 2}, [](Report& report) {
    report.spec =
        "name = \"mine\"\nblocks = 99\nseed = 5\npolicies = [\"switch-interval:5ms\", "
        "\"check-interval:100\"]\ntrace = \"full\"\n";
  });
  EXPECT_EQ(compare({a(), two}).err, "");
}

TEST_F(CompareCommand, AnotherMatrixIsAnotherSpec) {
  const std::string two = changed("b", {.seed = 2}, [](Report& report) {
    report.spec = "policies = [\"check-interval:100\", \"none\"]\n";
    report.cells.push_back(report.cells[0]);
    report.cells.back().policy = "none";
  });
  const auto refused = compare({a(), two});
  EXPECT_EQ(refused.exit, 2);
  EXPECT_THAT(refused.err, HasSubstr("their specs differ in policies"));
}

TEST_F(CompareCommand, OtherWaysToSetCpusApartAreRefused) {
  const std::string two = changed("b", {.seed = 2}, [](Report& report) {
    for (Cell& cell : report.cells) cell.cpus_by = "hotplug";
  });
  const auto refused = compare({a(), two});
  EXPECT_EQ(refused.exit, 2);
  EXPECT_THAT(refused.err, HasSubstr("different methods (cpus_by: affinity against hotplug)"));
}

void emulate(Report& report) {
  report.environment.push_back({"virtualization.emulated", true, ""});
}

TEST_F(CompareCommand, EmulatedCpusAreNotHeldAgainstRealOnes) {
  const std::string two = changed("b", {.seed = 2, .times = 2}, emulate);
  const auto refused = compare({a(), two});
  EXPECT_EQ(refused.exit, 2);
  EXPECT_THAT(refused.err, HasSubstr("one side ran on emulated CPUs and the other on real ones"));
  const auto forced = compare({a(), two, "--force"});
  EXPECT_EQ(forced.exit, 0) << "times are not compared, even if doubled";
  EXPECT_THAT(forced.out, AllOf(HasSubstr("FORCED"), HasSubstr("EMULATED CPUs"),
                                HasSubstr("PER ACQUISITION"), Not(HasSubstr("slower"))));
}

TEST_F(CompareCommand, OfEmulatedCpusCountsAreComparedAndTimesAreNot) {
  const std::string one = changed("c", {.seed = 3}, emulate);
  const std::string two = changed("b", {.seed = 2, .times = 2}, emulate);
  const auto outcome = compare({one, two});
  EXPECT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("EMULATED CPUs"), Not(HasSubstr("slower"))));
  const Comparison comparison = compared({one, two});
  EXPECT_TRUE(comparison.emulated());
  size_t counts = 0;
  for (const CellResult& cell : comparison.results.at(0).cells) {
    for (const MetricResult& result : cell.metrics) {
      const Metric& of = metrics()[result.metric];
      const bool time = of.unit == Metric::Unit::time || of.unit == Metric::Unit::rate ||
                        std::string_view(of.name) == "slowdown";
      if (time) EXPECT_EQ(result.absent_reason, "emulated") << of.name;
      counts += !time && result.absent_reason.empty();
    }
  }
  EXPECT_GT(counts, 4u);
  EXPECT_THAT(comparison_json(comparison), HasSubstr("\"emulated\": true"));
}

TEST_F(CompareCommand, MoreOnEmulatedCpusIsNoRegression) {
  const auto fail_more = [](Report& report) {
    emulate(report);
    for (Cell& cell : report.cells) {
      for (gilscope::Run& run : cell.runs) run.gil.woken_lost *= 2;
    }
  };
  const std::string one = changed("c", {.seed = 3}, emulate),
                    two = changed("b", {.seed = 2}, fail_more);
  const auto outcome = compare({one, two, "--metric", "woken_lost_per_acquire", "--all"});
  EXPECT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("more with b than with c"));
  // Counts are all there is to look at on emulated CPUs, so they are on the screen.
  EXPECT_THAT(compare({one, two, "--metric", "woken_lost_per_acquire"}).out,
              HasSubstr("PER ACQUISITION"));
}

// The matrix has each cell's counts, and the table of all of them does not fit beside it.
TEST_F(CompareCommand, AMatrixOfEmulatedKernelsStandsWithoutTheTableOfCounts) {
  const std::string one = changed("c", {.seed = 3, .kernel = "6.1.1"}, emulate),
                    two = changed("b", {.seed = 2, .kernel = "7.0.1"}, emulate),
                    three = changed("d", {.seed = 4, .kernel = "7.1.1"}, emulate);
  const auto outcome = compare({one, two, three, "--by", "kernel"});
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("Nothing is decided to differ in"),
                                 Not(HasSubstr("PER ACQUISITION"))));
  EXPECT_THAT(compare({one, two, three, "--by", "kernel", "--all"}).out,
              HasSubstr("PER ACQUISITION"));
}

TEST_F(CompareCommand, ATimeOfEmulatedCpusThatIsAskedForIsNotThere) {
  const std::string one = changed("c", {.seed = 3}, emulate),
                    two = changed("b", {.seed = 2}, emulate);
  const auto outcome = compare({one, two, "--metric", "wall_ns"});
  EXPECT_EQ(outcome.exit, 3);
  EXPECT_THAT(outcome.err, HasSubstr("wall_ns: emulated"));
}

TEST_F(CompareCommand, KernelsHaveATableOfCountsAnAcquisition) {
  const std::string one = a(), two = b({.seed = 2, .kernel = "7.0.1"});
  const auto outcome = compare({one, two, "--by", "kernel", "--all"});
  const size_t table = outcome.out.find("PER ACQUISITION");
  ASSERT_NE(table, std::string::npos) << outcome.out << outcome.err;
  const std::string rows = outcome.out.substr(table, outcome.out.find("\n\n", table) - table);
  EXPECT_THAT(rows,
              AllOf(HasSubstr("failed  wasted wakeups  migrations"), HasSubstr("6.18.4, 1 CPU"),
                    HasSubstr("6.18.4, 2 CPUs"), HasSubstr("7.0.1, 1 CPU"),
                    HasSubstr("7.0.1, 2 CPUs"), Not(HasSubstr("emulated")), Not(HasSubstr(" - "))));
  EXPECT_LT(rows.find("6.18.4"), rows.find("7.0.1"));
  EXPECT_THAT(compare({one, two, "--by", "kernel", "--format", "md"}).out,
              HasSubstr("### Per acquisition"));
  EXPECT_THAT(compare({one, two, "--by", "kernel", "--format", "json"}).out,
              HasSubstr("\"failed_per_acquire\""));
}

TEST_F(CompareCommand, SidesOfTheSamePartsCompare) {
  const auto keep = [](const std::string& name, Comparable of, const std::string& cpus) {
    of.kernel = name;
    Report report = comparable(of);
    std::erase_if(report.cells, [&](const Cell& cell) { return cell.cpus != cpus; });
    report.spec += "cpus = [\"" + cpus + "\"]\n";
    return report;
  };
  std::vector<std::string> all;
  uint64_t seed = 1;
  for (const std::string kernel : {"6.1", "6.12"}) {
    for (const std::string cpus : {"1", "all"}) {
      const std::string name = kernel + "-" + cpus;
      all.push_back(put(directory_, name, keep(kernel, {.seed = ++seed}, cpus)));
    }
  }
  auto parts = all;
  parts.insert(parts.end(), {"--by", "kernel"});
  EXPECT_NE(compare(parts).exit, 2) << compare(parts).err;
  const std::string whole = a({.seed = 9, .kernel = "6.18.4"});
  const auto refused = compare({whole, all[2], "--by", "kernel"});
  EXPECT_EQ(refused.exit, 2) << "the other cells of a block are part of the experiment";
  EXPECT_THAT(refused.err, HasSubstr("their specs differ in cpus"));
}

TEST_F(CompareCommand, WhatDiffersUnaskedIsSaidFirst) {
  const std::string two = changed("b", {.seed = 2}, [](Report& report) {
    for (Fact& fact : report.environment_before) {
      if (fact.key == "cpu.governor") fact.value = std::vector<std::string>{"powersave"};
    }
  });
  const auto outcome = compare({a(), two});
  const size_t difference = outcome.out.find("environment.before.cpu.governor: performance x 2");
  EXPECT_NE(difference, std::string::npos) << outcome.out;
  EXPECT_LT(difference, outcome.out.find("primary metrics:"));
}

TEST_F(CompareCommand, WhatTheProcessInheritedIsSaid) {
  const auto under = [](int64_t nice, std::vector<std::string> variables) {
    return [=](Report& report) {
      report.environment_before.push_back({"process.nice", nice, ""});
      report.environment_before.push_back({"process.variables", variables, ""});
      report.environment.push_back({"limits.address_space_bytes", int64_t{1} << nice, ""});
      report.environment.push_back({"limits.open_files", nice, ""});
    };
  };
  const std::string one = changed("one", {.seed = 1}, under(0, {}));
  const std::string two = changed("two", {.seed = 2}, under(19, {"LD_PRELOAD=x.so"}));
  const auto outcome = compare({one, two, "--all"});
  EXPECT_THAT(outcome.out, HasSubstr("environment.before.process.nice: 0 on one, 19 on two"));
  EXPECT_THAT(outcome.out, HasSubstr("process.variables: none on one, LD_PRELOAD=x.so on two"));
  EXPECT_THAT(outcome.out, HasSubstr("environment.limits.address_space_bytes: 1 on one"));
  EXPECT_THAT(outcome.out, Not(HasSubstr("open_files")));

  // A report of an older gilscope does not have it; that is no difference between the machines.
  const auto older = compare({a(), two, "--all"});
  EXPECT_THAT(older.out, Not(HasSubstr("process.nice")));
}

TEST_F(CompareCommand, ASettingThatChangedMeanwhileHasBothValues) {
  const std::string one = changed("one", {.seed = 1}, [](Report& report) {
    report.environment_before.push_back({"process.nice", int64_t{0}, ""});
    report.environment_after.push_back({"process.nice", int64_t{0}, ""});
  });
  const std::string two = changed("two", {.seed = 2}, [](Report& report) {
    report.environment_before.push_back({"process.nice", int64_t{0}, ""});
    report.environment_after.push_back({"process.nice", int64_t{19}, ""});
  });
  EXPECT_THAT(compare({one, two}).out, HasSubstr("process.nice: 0 on one, 0 then 19 on two"));
}

TEST_F(CompareCommand, DisturbedRunsAreADifferenceOfTheMachineAndNoneOfTheKernel) {
  const std::string two = changed("b", {.seed = 2, .times = 2}, [](Report& report) {
    for (Cell& cell : report.cells) {
      for (auto& run : cell.runs) run.disturbances = {{"foreign", 0.6, 0.25}};
    }
  });
  const auto outcome = compare({a(), two});
  EXPECT_EQ(outcome.exit, 3);
  EXPECT_THAT(outcome.err, HasSubstr("limits have left out all 16 runs of the other side"));

  // If limits leave out a few runs, the rest are compared.
  const std::string three = changed("c", {.seed = 2}, [](Report& report) {
    for (Cell& cell : report.cells) {
      for (auto& run : cell.runs) {
        if (run.block == 3) run.disturbances = {{"foreign", 0.6, 0.25}}, run.wall_ns *= 5;
      }
    }
  });
  const auto some = compare({a(), three});
  EXPECT_EQ(some.exit, 0) << some.out;
  EXPECT_THAT(some.out, HasSubstr("runs left out by limits: 0 of 64 on"));
  EXPECT_THAT(some.out, HasSubstr("8 of 64 (foreign) on"));
}

// Such a run's wall time is fixed, whatever the machine did; the work done in it is the result.
TEST_F(CompareCommand, RunsOfASetTimeAreComparedByTheirRate) {
  for (const char* workload : {"ping-pong:seconds=1s", "yield:seconds=1s", "mixed:n=1k,seconds=1s",
                               "echo:background=1,seconds=1s"}) {
    for (const bool stored : {true, false}) {
      const auto report = [&](uint64_t seed, double rate) {
        Report report = comparable({.seed = seed});
        std::erase_if(report.cells,
                      [](const Cell& cell) { return cell.arrangement == "sequential"; });
        for (Cell& cell : report.cells) {
          cell.workload = workload;
          cell.bounded_by = stored ? "time" : "";
          for (gilscope::Run& run : cell.runs) {
            const double noise = double(run.wall_ns % 1000) / 1e6;
            run.workload = {{"operations", 1e6}, {"operations_per_s", rate * (1 + noise)}};
            run.wall_ns = 1'000'000'000;
            run.window_ns = run.traced() ? std::optional(run.wall_ns) : std::nullopt;
          }
        }
        report.minor = stored ? kReportMinor : 2;
        return report;
      };
      const std::string one = put(directory_, "a", report(1, 1e6));
      const std::string two = put(directory_, "b", report(2, 5e5));
      const Comparison comparison = compared({one, two});
      for (const CellResult& cell : comparison.results.at(0).cells) {
        ASSERT_TRUE(cell.lead()) << workload;
        EXPECT_STREQ(metrics()[cell.lead()->metric].name, "operations_per_s") << workload;
        EXPECT_EQ(cell.lead()->verdict, Verdict::slower) << workload;
        for (const MetricResult& result : cell.metrics) {
          const std::string name = metrics()[result.metric].name;
          if (name == "wall_ns" || name == "slowdown")
            EXPECT_FALSE(result.absent_reason.empty()) << name;
        }
      }
      if (!stored || std::string_view(workload) != "yield:seconds=1s") continue;
      EXPECT_THAT(compare({one, two}).out,
                  AllOf(HasSubstr("does 0.50 times as many operations a second with b as with a"),
                        Not(HasSubstr("wall time"))));
      const auto outcome = compare({one, two, "--all"});
      EXPECT_EQ(outcome.exit, 1) << outcome.err;
      EXPECT_THAT(outcome.out,
                  AllOf(HasSubstr("slower with b than with a: operations a second 0.50x"),
                        Not(HasSubstr("wall time"))));
    }
  }
}

TEST_F(CompareCommand, AnAbsentMetricIsNotZero) {
  const std::string two = changed("b", {.seed = 2}, [](Report& report) {
    for (Cell& cell : report.cells) {
      for (auto& run : cell.runs) {
        run.histograms.reset();
      }
    }
  });
  const Comparison comparison = compared({a(), two});
  const MetricResult& absent = metric(comparison, kThreaded, "wake_to_run_p99_ns");
  EXPECT_EQ(absent.absent_reason, "not captured on the other side");
  EXPECT_FALSE(absent.change || absent.median_b);
  const auto asked = compare({a(), two, "--metric", "wake_to_run_p99_ns"});
  EXPECT_EQ(asked.exit, 3);
  EXPECT_THAT(asked.err, HasSubstr("not captured on the other side"));
}

TEST_F(CompareCommand, ANumberThatIsNoneIsAnError) {
  const std::string two = changed("b", {.seed = 2}, [](Report& report) {
    for (Cell& cell : report.cells) {
      for (auto& run : cell.runs) run.workload["latency_p99_ns"] = 1000;
    }
  });
  std::string text = to_json(comparable({.seed = 3}));
  const auto nan = text.find("\"wall_ns\": ");
  text.replace(nan + 11, 1, "NaN, \"x\": ");
  directory_.write("nan/report.json", text);
  const auto outcome = compare({two, directory_ / "nan"});
  EXPECT_EQ(outcome.exit, 3);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("nan"), HasSubstr("JSON")));
}

TEST_F(CompareCommand, WhatIsNoReportIsAnErrorWithItsName) {
  std::filesystem::create_directories(directory_ / "empty");
  EXPECT_EQ(compare({a(), directory_ / "empty"}).exit, 3);
  EXPECT_THAT(compare({a(), directory_ / "empty"}).err, HasSubstr("no report in"));
  directory_.write("none/report.json", "");
  EXPECT_EQ(compare({a(), directory_ / "none"}).exit, 3);
  EXPECT_EQ(compare({a(), directory_ / "nowhere"}).exit, 2);
  const std::string future =
      changed("future", {.seed = 2}, [](Report& report) { report.major = 2; });
  const auto refused = compare({a(), future});
  EXPECT_EQ(refused.exit, 3);
  EXPECT_THAT(refused.err, HasSubstr("major"));
  const std::string no_runs = changed("no_runs", {.seed = 2}, [](Report& report) {
    for (Cell& cell : report.cells) cell.runs.clear();
  });
  EXPECT_EQ(compare({a(), no_runs}).exit, 3);
}

TEST_F(CompareCommand, OneReportAloneSaysWhatItCouldBeComparedBy) {
  const std::string two_policies = changed("a", {}, [](Report& report) {
    report.cells.push_back(report.cells[0]);
    report.cells.back().policy = "none";
  });
  const auto outcome = compare({two_policies});
  EXPECT_EQ(outcome.exit, 3);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("policy"), HasSubstr("cpus"), HasSubstr("--by")));
}

TEST_F(CompareCommand, AMisspeltKeyOrMetricIsNamedWithTheNearest) {
  EXPECT_THAT(compare({a(), "--by", "polcy"}).err, HasSubstr("did you mean 'policy'?"));
  EXPECT_THAT(compare({a(), b(), "--metric", "wall_n"}).err, HasSubstr("did you mean 'wall_ns'?"));
}

TEST_F(CompareCommand, ReportsWithoutACommonCellSayWhatEachHas) {
  const std::string two = changed("b", {.seed = 2}, [](Report& report) {
    for (Cell& cell : report.cells) cell.threads = 7;
  });
  const auto outcome = compare({a(), two});
  EXPECT_EQ(outcome.exit, 3);
  EXPECT_THAT(outcome.err, HasSubstr("have no cell in common"));
}

TEST_F(CompareCommand, TheSameIdWithOtherContentsIsAnErrorThatNamesBoth) {
  const std::string one = a(), two = changed("b", {}, [](Report&report) {
                                 report.cells[0].runs[2].wall_ns += 1;
                               });
  const auto outcome = compare({one, two, "--by", "cpus"});
  EXPECT_EQ(outcome.exit, 2);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("/a"), HasSubstr("/b"), HasSubstr("same id")));
}

TEST_F(CompareCommand, TheSpecsMetricsAreThePrimaryOnes) {
  const auto declare = [](Report& report) { report.spec += "metrics = [\"wall_ns\"]\n"; };
  const std::string one = changed("a", {}, declare), two = changed("b", {.seed = 2}, declare);
  for (const auto& [name, verdict] : verdicts(compared({one, two}))) {
    EXPECT_THAT(name, HasSubstr("wall_ns"));
  }
}

TEST_F(CompareCommand, TextFitsItsTerminal) {
  auto reports = read_reports({a(), b({.seed = 2, .times = 1.1})});
  ASSERT_TRUE(reports);
  const auto comparison = gilscope::compare(std::move(*reports), {});
  ASSERT_TRUE(comparison);
  for (const int width : {80, 100, 120}) {
    std::ostringstream out;
    print_comparison(out, *comparison, {.color = false, .width = width, .per = {}}, true);
    std::istringstream lines(out.str());
    for (std::string line; std::getline(lines, line);) {
      EXPECT_LE(columns(line), size_t(width)) << line;
    }
    // Both sides and the verdict are never dropped.
    EXPECT_THAT(out.str(), AllOf(HasSubstr("median"), HasSubstr("change"), HasSubstr("verdict")));
  }
}

// The answer comes first; then both sides of each cell, and its other decided metrics.
TEST_F(CompareCommand, FitsOneScreen) {
  const std::string one = a({.blocks = 8});
  const auto outcome = compare({one, "--by", "cpus"});
  EXPECT_LE(std::ranges::count(outcome.out, '\n'), 40) << outcome.out;
  std::istringstream lines(outcome.out);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(columns(line), 100u) << line;
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("threaded takes 1.40 times as long with 2 CPUs as with 1 CPU ("),
                    HasSubstr("times as often"), HasSubstr("wasted wakeups go from"),
                    HasSubstr("1 CPU  2 CPUs  change"), Not(HasSubstr("infinitely")),
                    HasSubstr("--all shows every number")));
  EXPECT_LT(outcome.out.find("times as long"), outcome.out.find("median"));
  const auto all = compare({one, "--by", "cpus", "--all"});
  EXPECT_GT(all.out.size(), 2 * outcome.out.size());
}

// Of forty comparisons between equal reports, two may show a difference: one in twenty.
TEST_F(CompareCommand, EqualReportsDifferAsSeldomAsPromised) {
  constexpr size_t kPairs = sample::kFewRounds ? 4 : 40;
  size_t differ = 0;
  for (uint64_t pair = 0; pair < kPairs; ++pair) {
    const Comparison comparison =
        compared({a({.seed = 100 + pair, .noise = 0.05}), b({.seed = 200 + pair, .noise = 0.05})});
    bool any = false;
    for (const auto& [name, verdict] : verdicts(comparison)) {
      any = any || (verdict != Verdict::same && verdict != Verdict::undecided);
    }
    differ += any;
  }
  fmt::print("{} of {} comparisons of the same show a difference\n", differ, kPairs);
  EXPECT_LE(differ, 6u);
}

// Effects that eight blocks show plainly are decided, primary or not, however many tests there are.
TEST_F(CompareCommand, EightBlocksDecideWhatIsPlain) {
  const Comparison comparison = compared({a({.noise = 0.02})}, "cpus");
  for (const char* name : {"wall_ns", "slowdown", "contended_per_acquire", "woken_lost_per_acquire",
                           "wasted_share", "failed_per_acquire"}) {
    EXPECT_EQ(metric(comparison, "check-interval:100, threaded", name).verdict, Verdict::slower)
        << name;
  }
  EXPECT_FALSE(metric(comparison, "check-interval:100, sequential", "wall_ns").decided());
}

TEST_F(CompareCommand, ThreadsACpuMatchOnEveryCpuCount) {
  const auto two_a_cpu = [](Report& report) {
    report.spec = "threads = \"2x\"\ncpus = [\"1\", \"2\"]\n";
    for (Cell& cell : report.cells) {
      cell.cpu_list.resize(cell.cpus == "1" ? 1 : 2);
      cell.threads = int(2 * cell.cpu_list.size());
    }
  };
  const Comparison comparison = compared({changed("a", {}, two_a_cpu)}, "cpus");
  ASSERT_FALSE(comparison.results[0].cells.empty());
  EXPECT_EQ(comparison.results[0].cells[0].pair->keys.at("threads"), "2x");
  // If the spec gives a number of threads, threads are compared by that number.
  const std::string plain = changed("b", {.seed = 2}, [](Report& report) {
    report.spec = "threads = 2\n";
    for (Cell& cell : report.cells) cell.threads = cell.cpus == "1" ? 2 : 4;
  });
  EXPECT_EQ(compare({plain, "--by", "cpus"}).exit, 3);
}

TEST_F(CompareCommand, AllCpusOfMachinesOfAnotherSizeAreNamed) {
  const auto all_of = [](Report& report, size_t cpus) {
    for (Cell& cell : report.cells) {
      if (cell.cpus != "1") cell.cpus = "all", cell.cpu_list.resize(cpus);
    }
  };
  Report small = comparable({.seed = 3}), large = comparable({.seed = 4});
  all_of(small, 2), all_of(large, 16);
  const auto outcome =
      compare({put(directory_, "c", small), put(directory_, "d", large), "--metric", "wall_ns"});
  EXPECT_THAT(outcome.out, HasSubstr("all CPUs: 2 on c, 16 on d"));
  all_of(large, 2);
  EXPECT_THAT(compare({put(directory_, "e", small), put(directory_, "f", large)}).out,
              Not(HasSubstr("all CPUs: ")));
}

TEST_F(CompareCommand, AMetricThatIsZeroOnOneSideIsComparedByDifference) {
  const auto waste = [](Report& report) {
    for (Cell& cell : report.cells) {
      for (gilscope::Run& run : cell.runs) {
        for (CpuTrace& cpu : run.cpus) cpu.wasted_wakeups = cpu.wakeups.ran / 2;
        run.gil.timed_out = *run.gil.acquires / 10;
      }
    }
  };
  const Comparison comparison = compared({a(), changed("b", {.seed = 2}, waste)});
  const MetricResult& timed_out = metric(comparison, kThreaded, "timed_out_per_acquire");
  EXPECT_EQ(timed_out.scale, Scale::difference);
  EXPECT_EQ(timed_out.verdict, Verdict::slower);
  EXPECT_NEAR(*timed_out.change, 0.1, 0.001);
  const MetricResult& wasted = metric(comparison, kThreaded, "wasted_share");
  EXPECT_EQ(wasted.scale, Scale::difference);
  EXPECT_FALSE(wasted.ratio());
  EXPECT_THAT(comparison_json(comparison), HasSubstr("\"difference\": 0.1"));
}

TEST(CompareLevels, AreToldApartWhereTheyAreLong) {
  using testing::ElementsAre;
  EXPECT_THAT(distinct_names({"6.1.0-48-cloud-amd64", "6.12.90+deb12-cloud-amd64"}, 14),
              ElementsAre("6.1.0-48", "6.12.90+deb12"));
  EXPECT_THAT(distinct_names({"reports/left/base", "reports/left/new"}, 10),
              ElementsAre("base", "new"));
  EXPECT_THAT(distinct_names({"a", "b"}, 14), ElementsAre("a", "b"));
  const auto names = distinct_names(
      {"x-" + std::string(40, 'a') + "1-z", "x-" + std::string(40, 'a') + "2-z"}, 12);
  EXPECT_THAT(names, ElementsAre("...aaaaaaaa1", "...aaaaaaaa2"));
  // One name is the beginning of the other.
  const auto same = distinct_names({"6.18.15-cloud-amd64-long", "6.18.15-cloud-amd64-long-rt"}, 12);
  EXPECT_NE(same[0], same[1]);
}

// Cells that run for a fixed time have no slowdown, but a curve all the same.
TEST_F(CompareCommand, CurvesAreOfTheSlowdownAndOfTheRate) {
  const std::string one = changed("a", {}, [](Report& report) {
    std::vector<Cell> more;
    for (Cell cell : report.cells) {
      if (cell.cpus != "2") continue;
      cell.cpus = "4", cell.cpu_list = {0, 1, 2, 3};
      more.push_back(cell);
    }
    report.cells.insert(report.cells.end(), more.begin(), more.end());
    more.clear();
    for (Cell cell : report.cells) {
      if (cell.arrangement != "threaded") continue;
      cell.workload = "yield:seconds=1s", cell.bounded_by = "time";
      const double rate = 1e6 / std::stod(cell.cpus);
      for (gilscope::Run& run : cell.runs) {
        const double noise = double(run.wall_ns % 1000) / 1e6;
        run.workload = {{"operations", 1e6}, {"operations_per_s", rate * (1 + noise)}};
      }
      more.push_back(cell);
    }
    report.cells.insert(report.cells.end(), more.begin(), more.end());
  });
  const auto outcome = compare({one, "--by", "cpus"});
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("slowdown against CPUs"),
                                 HasSubstr("operations against CPUs"), HasSubstr("k/s")))
      << outcome.err;
}

// "all" is one cell on machines of different sizes, which has to be said within a side as well.
TEST_F(CompareCommand, AllOfSeveralSizesWithinASideIsNamed) {
  const auto with_all = [](size_t size) {
    return [size](Report& report) {
      for (Cell& cell : report.cells) {
        if (cell.cpus == "2") cell.cpus = "all", cell.cpu_list.resize(size);
      }
    };
  };
  const std::string two = changed("a", {.host = "alpha"}, with_all(2)),
                    four = changed("b", {.seed = 2, .host = "beta"}, with_all(4));
  EXPECT_THAT(compare({two, four, "--by", "cpus"}).out,
              HasSubstr("cpu.count varies within all: 2, 4; --within cpu.count"));
  const std::string same = changed("c", {.seed = 3, .host = "gamma"}, with_all(2));
  EXPECT_THAT(compare({two, same, "--by", "cpus"}).out, Not(HasSubstr("cpu.count")));
}

TEST_F(CompareCommand, CsvHasARowForEachMetricOfEachCell) {
  const auto outcome = compare({a(), b(), "--format", "csv"});
  std::istringstream lines(outcome.out);
  std::string line;
  std::getline(lines, line);
  EXPECT_THAT(line, testing::StartsWith("baseline,other,cell,metric,primary"));
  size_t rows = 0;
  const auto fields = std::ranges::count(line, ',');
  while (std::getline(lines, line)) {
    ++rows;
    size_t commas = 0;
    bool quoted = false;
    for (const char c : line) {
      if (c == '"') quoted = !quoted;
      if (c == ',' && !quoted) ++commas;
    }
    EXPECT_EQ(commas, size_t(fields)) << line;
  }
  EXPECT_EQ(rows % 4, 0u);
  EXPECT_GT(rows, 4u * 16);
}

TEST_F(CompareCommand, MarkdownTakesNoMarkupFromAReport) {
  const auto rename = [](Report& report) {
    for (Cell& cell : report.cells) {
      if (cell.policy == "check-interval:100") cell.policy = "<b>|x|";
    }
  };
  const auto outcome =
      compare({changed("a", {}, rename), changed("b", {.seed = 2}, rename), "--format", "md"});
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("\\<b\\>\\|x\\|"), Not(HasSubstr("<b>"))));
}

}  // namespace
}  // namespace gilscope
