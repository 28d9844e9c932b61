// The first screen of a report, and that it judges by the rule that compare judges by.
#include "tools/text/screen.h"

#include <gmock/gmock.h>

#include <cmath>
#include <sstream>

#include "tests/unit/comparable_report.h"
#include "tests/unit/compare_samples.h"
#include "tools/analysis/cpu_lines.h"
#include "tools/compare/curve.h"
#include "tools/html/page.h"
#include "tools/text/headline.h"
#include "tools/text/table.h"
#include "userspace/experiment/plan/builtin.h"
#include "userspace/experiment/plan/plan.h"

namespace gilscope {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string screen(const Report& report, int width = 100, const std::string& path = "") {
  std::ostringstream out;
  print_text_report(out, report,
                    {.color = false, .width = width, .per = {}, .all = false, .report = path});
  return out.str();
}

size_t lines_of(const std::string& text) {
  return size_t(std::ranges::count(text, '\n'));
}

// ---- one rule ----

// Cells whose threads take `times` as long together, block by block with noise: from nothing at
// all to what nobody could overlook, on one CPU and on two and on four.
Report report_of_ratios(const std::vector<double>& times, double noise, int blocks = 8) {
  Report report = sample::report(blocks, 1);
  report.cells.clear();
  sample::Noise random(42);
  const std::vector<std::string> cpus{"1", "2", "4"};
  for (size_t i = 0; i < times.size(); ++i) {
    for (const char* arrangement : {"sequential", "threaded"}) {
      Cell cell = sample::cell(fmt::format("fifo:{}", 100 + i / cpus.size()), arrangement, 1, {},
                               blocks, 1);
      cell.cpus = cpus[i % cpus.size()];
      cell.cpu_list.resize(size_t(std::stoi(cell.cpus)));
      for (gilscope::Run& run : cell.runs) {
        const double typical = cell.arrangement == "threaded" ? times[i] * 1e8 : 1e8;
        run.wall_ns = uint64_t(typical * std::exp(noise * random.normal()));
        if (run.window_ns) run.window_ns = run.wall_ns;
        run.segments_file.clear();
        run.samples_file.clear();
      }
      report.cells.push_back(std::move(cell));
    }
  }
  return report;
}

const std::vector<double> kRatios{0.5,  0.9,  0.97, 0.99, 0.995, 1,   1.001, 1.005, 1.01,
                                  1.02, 1.03, 1.04, 1.06, 1.1,   1.3, 1.6,   2.5,   9};

TEST(OneRule, ShowAndCompareSayTheSameOfTheSameData) {
  std::map<Verdict, int> seen;
  for (const double noise : {0.002, 0.02, 0.1}) {
    const Report report = report_of_ratios(kRatios, noise);
    const Summary summary(report);
    TemporaryDirectory directory;
    // The slowdown is the wall time of threaded over sequential runs of the same block.
    const Comparison comparison =
        sample::compared({sample::put(directory, "a", report)}, "arrangement",
                         {.sides = {}, .metrics = {"wall_ns"}});
    ASSERT_EQ(comparison.results.size(), 1u);
    ASSERT_EQ(comparison.results[0].cells.size(), kRatios.size());
    for (const CellResult& cell : comparison.results[0].cells) {
      const auto& keys = cell.pair->keys;
      const auto pair = std::ranges::find_if(summary.pairs, [&](const PairSummary& of) {
        return of.cell().policy == keys.at("policy") && of.cell().cpus == keys.at("cpus");
      });
      ASSERT_NE(pair, summary.pairs.end()) << cell.name;
      const MetricResult& wall = *cell.lead();
      EXPECT_EQ(pair->slowdown, wall.change) << cell.name;
      ASSERT_TRUE(pair->interval && wall.interval) << cell.name;
      EXPECT_EQ(pair->interval->low, wall.interval->low) << cell.name;
      EXPECT_EQ(pair->interval->high, wall.interval->high) << cell.name;
      EXPECT_EQ(pair->verdict, wall.verdict) << cell.name;
      ++seen[pair->verdict];
    }
  }
  for (const Verdict verdict :
       {Verdict::slower, Verdict::faster, Verdict::same, Verdict::undecided}) {
    EXPECT_GT(seen[verdict], 0) << name_of(verdict) << " was not tried";
  }
}

// The curve of a comparison by CPU counts is of those slowdowns.
TEST(OneRule, ACurvesPointsAreTheSlowdownsThatShowPrints) {
  const Report report = report_of_ratios({1, 1.3, 2.5}, 0.02);
  const Summary summary(report);
  TemporaryDirectory directory;
  const Comparison comparison = sample::compared({sample::put(directory, "a", report)}, "cpus");
  const auto all = curves(comparison);
  ASSERT_FALSE(all.empty());
  ASSERT_EQ(all[0].curves.size(), 1u);
  const auto& points = all[0].curves[0].points;
  ASSERT_EQ(points.size(), 3u);
  for (size_t i = 0; i < points.size(); ++i) {
    ASSERT_TRUE(points[i].value && points[i].interval);
    EXPECT_NEAR(*points[i].value, *summary.pairs[i].slowdown, 1e-12);
    EXPECT_NEAR(points[i].interval->low, summary.pairs[i].interval->low, 1e-12);
    EXPECT_NEAR(points[i].interval->high, summary.pairs[i].interval->high, 1e-12);
  }
  // Sequential cells have no slowdown, and are there with their wall time.
  ASSERT_EQ(all.size(), 2u);
  EXPECT_STREQ(metrics()[all[1].metric].name, "wall_ns");
  EXPECT_THAT(all[1].curves[0].cell, HasSubstr("sequential"));
  std::ostringstream text;
  text << sample::compare({directory / "a", "--by", "cpus"}).out;
  EXPECT_THAT(text.str(), testing::ContainsRegex("wall time of .*sequential: "));
}

// Many slowdowns are judged together: of 54 that are none, hardly one may be found.
TEST(OneRule, SlowdownsAreJudgedTogether) {
  size_t decided = 0;
  for (int seed = 0; seed < 3; ++seed) {
    Report report = report_of_ratios(std::vector<double>(18, 1), 0.3, 8 + seed);
    for (const PairSummary& pair : Summary(report).pairs) {
      decided += pair.verdict == Verdict::slower || pair.verdict == Verdict::faster;
    }
  }
  EXPECT_LE(decided, 1u);
}

TEST(OneRule, TracingIsJudgedByItToo) {
  Report report = report_of_ratios({1, 1, 1}, 0.002);
  for (gilscope::Run& run : report.cells[1].runs) {
    if (run.traced()) run.wall_ns = run.wall_ns * 3 / 2;
  }
  const Summary summary(report);
  EXPECT_EQ(summary.cells[1].tracer_verdict, Verdict::slower);
  EXPECT_NEAR(*summary.cells[1].tracer_cost, 0.5, 0.01);
  EXPECT_EQ(summary.cells[0].tracer_verdict, Verdict::same);
  EXPECT_THAT(screen(report), HasSubstr("slower in 1 of 6 cells, undecided in 0."));
}

// ---- where a curve bends ----

Axis cpus_axis(const std::vector<std::string>& levels) {
  Axis axis;
  axis.key = "cpus";
  axis.levels = levels;
  return axis;
}

std::vector<CurvePoint> points(const std::vector<std::pair<double, Verdict>>& values) {
  std::vector<CurvePoint> all;
  int cpus = 1;
  for (const auto& [value, verdict] : values) {
    all.push_back({std::to_string(cpus), value, {}, verdict});
    cpus *= 2;
  }
  return all;
}

TEST(Curves, BendWhereTheStepIsSteepestAsARatio) {
  const Axis axis = cpus_axis({"1", "2", "4", "8"});
  using enum Verdict;
  EXPECT_EQ(bends(points({{1, same}, {1.1, undecided}, {2.2, slower}, {3, slower}}), axis),
            "differs from 1 CPU with 4 CPUs; bends most between 2 and 4 CPUs");
  EXPECT_EQ(bends(points({{1, same}, {2, undecided}, {3.5, slower}, {4, slower}}), axis),
            "differs from 1 CPU with 4 CPUs; bends most between 1 and 2 CPUs");
  // Down counts as up does, and so does a step before the first decided point.
  EXPECT_EQ(bends(points({{9, same}, {3, undecided}, {2.5, faster}, {2.4, faster}}), axis),
            "differs from 1 CPU with 4 CPUs; bends most between 1 and 2 CPUs");
  EXPECT_EQ(bends(points({{1, same}, {5, undecided}, {1, same}, {1, same}}), axis),
            "no bend is decided");
}

TEST(Curves, AreNotBentByAPointThatIsNotThere) {
  const Axis axis = cpus_axis({"1", "2", "4"});
  auto all = points({{1, Verdict::same}, {7, Verdict::undecided}, {2, Verdict::slower}});
  all[1].value.reset();
  EXPECT_THAT(bends(all, axis), HasSubstr("differs from 1 CPU with 4 CPUs"));
}

// ---- one line a CPU ----

TEST(CpuLines, JoinWhatTheSchedulerAndTheGilDid) {
  Report report = sample::report(3, 1);
  report.cells = {report.cells[3]};
  for (gilscope::Run& run : report.cells[0].runs) {
    if (!run.traced()) continue;
    CpuTrace& cpu = run.cpus[1];
    const uint64_t block = uint64_t(run.block);
    cpu.wakeups.ran = run.warmup ? 1'000'000 : 100 * block;
    cpu.wasted_wakeups = 25 * block;
    cpu.migrations.wakeup = block, cpu.migrations.preempt = 10;
    cpu.failed = {1, 20, 300 * block};
    cpu.on_cpu_ns = *run.window_ns / 4;
  }
  const auto all = cpu_lines(Summary(report));
  ASSERT_EQ(all.size(), 1u);
  ASSERT_EQ(all[0].lines.size(), 2u);
  const CpuLine& line = all[0].lines[1];
  EXPECT_EQ(line.cpu, 1);
  EXPECT_EQ(line.wakeups, 200);
  EXPECT_EQ(line.migrations, 12);
  EXPECT_EQ(line.failed, 621);
  EXPECT_EQ(line.wasted_share, 0.25);
  EXPECT_NEAR(*line.on_cpu_share, 0.25, 1e-6);
  const std::string text = screen(report);
  EXPECT_THAT(text, testing::ContainsRegex("1 +25.0 % +200 +12 +621 +25.0 %")) << text;
}

TEST(CpuLines, LeaveOutCpusThatNothingRanOn) {
  Report report = sample::report(1, 0);
  report.cells = {report.cells[3]};
  report.cells[0].runs[1].cpus.push_back({});
  report.cells[0].runs[1].cpus.back().cpu = 2;
  EXPECT_EQ(cpu_lines(Summary(report))[0].lines.size(), 2u);
}

std::vector<CellLines> cells_of(const std::vector<size_t>& cpus) {
  static const CellSummary kCells[8];
  std::vector<CellLines> all;
  for (size_t i = 0; i < cpus.size(); ++i) {
    CellLines& of = all.emplace_back();
    of.cell = &kCells[i];
    for (size_t cpu = 0; cpu < cpus[i]; ++cpu) {
      of.lines.push_back({int(cpu), {}, double(cpu % 5), {}, {}, {}});  // 4, 9, ... wake most
    }
  }
  return all;
}

TEST(CpuLines, ASelectionTakesTheBusiestOfEachCell) {
  const CpuSelection few = selected(cells_of({64, 1, 2}), 6);
  ASSERT_EQ(few.cells.size(), 3u);
  EXPECT_EQ(few.cpus_left_out, 61u);
  EXPECT_EQ(few.cells_left_out, 0u);
  ASSERT_EQ(few.cells[0].lines.size(), 3u);
  EXPECT_EQ(few.cells[0].lines[0].cpu, 4);
  EXPECT_EQ(few.cells[0].lines[2].cpu, 14);
  const CpuSelection fewer = selected(cells_of({64, 64, 64, 64}), 3);
  ASSERT_EQ(fewer.cells.size(), 2u);
  EXPECT_EQ(fewer.cells[0].lines.size(), 2u);
  EXPECT_EQ(fewer.cells_left_out, 2u);
  EXPECT_EQ(selected(cells_of({3}), 100).cells[0].lines.size(), 3u);
  EXPECT_EQ(selected(cells_of({3}), 0).cells[0].lines.size(), 1u);
}

// ---- the whole ----

// Everything that can be said at once: lost, left out, stolen, changed, failed, not finished.
void disturb(Report& report) {
  report.status = "interrupted";
  report.claim = "slower";
  Cell& cell = report.cells[1];
  cell.runs[3].lost = Lost{6, 5, 4, 3, 2, 1, 1500};
  cell.runs[4].status = "failed";
  cell.runs[4].failure = "the worker died of signal 11 " + std::string(120, 'x');
  cell.runs[6].disturbances = {{"foreign", 0.41, 0.25}, {"steal", std::nullopt, 0.05}};
  cell.runs[8].wall_ns = 9'000'000'000, cell.runs[8].steal_over_ns = 10'000'000'000;
  cell.runs[8].steal_ns = 1'020'000'000;
}

Report of_cells(size_t policies, int cpus) {
  Report report = sample::report(7, 1);
  const std::vector<Cell> sample = {report.cells[2], report.cells[3]};
  report.cells.clear();
  for (size_t policy = 0; policy < policies; ++policy) {
    for (Cell cell : sample) {
      cell.policy = fmt::format("check-interval:{}", 100 + policy);
      cell.cpus = "all";
      cell.cpu_list.resize(size_t(cpus));
      for (gilscope::Run& run : cell.runs) {
        if (!run.traced()) continue;
        while (run.cpus.size() < size_t(cpus)) {
          run.cpus.push_back(run.cpus[0]);
          run.cpus.back().cpu = int(run.cpus.size()) - 1;
        }
      }
      report.cells.push_back(std::move(cell));
    }
  }
  return report;
}

TEST(Screen, FitsFortyLinesWhateverTheReport) {
  std::vector<Report> reports{sample::report(), of_cells(1, 64), of_cells(50, 2), of_cells(12, 64),
                              of_cells(1, 1)};
  for (const size_t i : {0, 1, 2, 3, 4}) {
    reports.push_back(reports[i]);
    disturb(reports.back());
  }
  for (const Report& report : reports) {
    for (const int width : {80, 100, 130}) {
      const std::string text = screen(report, width, "reports/demo-20261130T123913Z");
      EXPECT_LE(lines_of(text), kScreenLines) << text;
      std::istringstream lines(text);
      for (std::string line; std::getline(lines, line);) {
        EXPECT_LE(columns(line), size_t(width)) << text;
        EXPECT_FALSE(line.ends_with(' ')) << line;
      }
    }
  }
}

// The cells of a built-in experiment as a machine with so many CPUs would have them.
Report of_builtin(const Builtin& builtin, size_t cpus) {
  const auto spec = parse_spec(builtin.toml, builtin.name);
  const auto plan = spec ? make_plan(*spec, 1) : Result<Plan>(fail(spec.error()));
  EXPECT_TRUE(plan) << builtin.name;
  Report report = sample::report(6, 0);
  report.spec = builtin.toml;
  report.claim = spec->claim;
  report.cells.clear();
  sample::Noise random(1);
  for (Cell cell : plan->cells) {
    if (cell.cpus == "all") cell.cpu_list.resize(cpus);
    if (cell.cpu_list.size() > cpus) continue;
    for (int block = 0; block < 6; ++block) {
      for (const char* trace : {"off", "full"}) {
        sample::Behaviour behaviour{
            uint64_t(1e8 * std::exp(0.3 * random.normal())), 600, 9, 24, 0, 0, 251, 250, 24, 6};
        gilscope::Run run = sample::run(behaviour, block, false, trace, 1);
        if (run.traced()) {
          while (run.cpus.size() < cell.cpu_list.size()) {
            run.cpus.push_back(run.cpus[0]);
            run.cpus.back().cpu = int(run.cpus.size()) - 1;
          }
        }
        run.workload = {{"operations_per_s", 1e6 * random.uniform()}, {"latency_p50_ns", 2e4}};
        cell.runs.push_back(std::move(run));
      }
    }
    report.cells.push_back(std::move(cell));
  }
  return report;
}

TEST(Screen, FitsFortyLinesForEveryBuiltinExperiment) {
  for (const Builtin& builtin : builtin_specs()) {
    for (const size_t cpus : {1, 2, 16}) {
      const Report report = of_builtin(builtin, cpus);
      if (report.cells.empty()) continue;  // it needs more CPUs
      for (const int width : {80, 100}) {
        const std::string text = screen(report, width, "reports/demo-20261130T123913Z");
        EXPECT_LE(lines_of(text), kScreenLines) << builtin.name << "\n" << text;
        EXPECT_THAT(text, HasSubstr("EACH CPU")) << builtin.name;
      }
    }
  }
}

TEST(Screen, SaysWhatItLeavesOut) {
  const std::string cpus = screen(of_cells(1, 64));
  EXPECT_THAT(cpus, testing::ContainsRegex("and [0-9]+ CPUs of these cells, with --per core"))
      << cpus;
  EXPECT_GT(lines_of(cpus), 35u) << "there was room for more\n" << cpus;
  const std::string cells = screen(of_cells(50, 2));
  EXPECT_THAT(cells, testing::ContainsRegex("and [0-9]+ more, with --all; these differ most"));
  EXPECT_THAT(cells, testing::ContainsRegex("[0-9]+ other cells, with --per core")) << cells;
  EXPECT_THAT(screen(sample::report()),
              AllOf(Not(HasSubstr("these differ most")), Not(HasSubstr("with --per core"))));
}

TEST(Screen, SaysWhatWasLostOrDisturbed) {
  EXPECT_THAT(screen(sample::report()),
              AllOf(HasSubstr("Nothing was lost in 64 traced runs."), Not(HasSubstr("Left out")),
                    Not(HasSubstr("failed,")), Not(HasSubstr("hypervisor took"))));
  Report report = sample::report();
  disturb(report);
  const std::string text = screen(report, 400);
  EXPECT_THAT(
      text,
      AllOf(
          HasSubstr("INTERRUPTED"),
          HasSubstr("6 segment records, 5 timestamps out of order, 4 waits that "),
          HasSubstr("2 switches not reported by sched_switch"), HasSubstr("up to 1.50 us of each"),
          HasSubstr("Left out by limits: 1 of 111 measured runs (foreign 1)."),
          HasSubstr("Limits not judged: steal in 1 run."),
          HasSubstr("The hypervisor took more than 1.0 % of the CPU time of 1 run, up to 10.1 %"),
          HasSubstr("1 run failed, the first in block 2, check-interval:100, threaded on 1 CPU: "),
          HasSubstr("The machine changed during the experiment: cpu.governor.")));
}

TEST(Screen, BeginsWithTheFindingAndSaysHowToSeeMore) {
  const std::string text = screen(sample::report(), 200, "DIR");
  EXPECT_THAT(
      text,
      HasSubstr("On 2 CPUs check-interval:100 ran 1.4x slower together than in sequence: 96 % of "
                "its wakeups found the GIL taken again. Slower, too: switch-interval:5ms on 2 "
                "CPUs 6 %. The same: 2 cells.\n"));
  EXPECT_LT(text.find("1.4x slower"), text.find("SLOWDOWN"));
  EXPECT_LT(text.find("SLOWDOWN"), text.find("EACH CPU"));
  EXPECT_THAT(text, HasSubstr("More: gilscope show DIR --per core, thread or block, or --all; "
                              "gilscope html DIR -o FILE.\n"));
  EXPECT_THAT(screen(sample::report(), 200),
              HasSubstr("--all prints every table; --out DIR keeps the report"));
}

TEST(Screen, BeginsWithTheClaimWhereThereIsOne) {
  Report report = sample::report();
  report.claim = "slower";
  const auto sentences = headline(report, Summary(report), Wording(report), {});
  ASSERT_EQ(sentences.size(), 2u);
  EXPECT_THAT(sentences[0], HasSubstr("reproduced in part (2 of 4 cells)."));
}

TEST(Screen, OfEmulatedCpusHasCountsAndNoTime) {
  Report report = sample::report();
  report.environment.push_back({"virtualization.emulated", true, ""});
  const std::string text = screen(report);
  EXPECT_THAT(text, AllOf(HasSubstr("EMULATED CPUs"), HasSubstr("EACH CPU"), HasSubstr("96.0 %")));
  for (const char* time : {" us", " ms", "slower", "faster"}) {
    EXPECT_THAT(text, Not(HasSubstr(time)));
  }
}

TEST(Screen, OfWorkThatLastsForASetTimeHasItsRates) {
  Report report = sample::report();
  for (Cell& cell : report.cells) cell.bounded_by = "time";
  std::erase_if(report.cells, [](const Cell& cell) { return cell.arrangement == "sequential"; });
  const std::string text = screen(report);
  EXPECT_THAT(text, AllOf(HasSubstr("WORK"), HasSubstr("125 M"), Not(HasSubstr("SLOWDOWN"))));
}

TEST(Screen, IsTheFirstOfThePageToo) {
  const Report report = sample::report();
  const std::string page = html_page(report, to_json(report), {});
  const std::string header = page.substr(0, page.find("</header>"));
  EXPECT_THAT(header, AllOf(HasSubstr("data-first-screen-cpu=\"1\""),
                            HasSubstr("Nothing was lost in 64 traced runs."),
                            HasSubstr("The machine changed during the experiment")));
  EXPECT_LT(header.find("class=\"lead\""), header.find("class=\"forest\""));
  EXPECT_LT(header.find("class=\"forest\""), header.find("data-first-screen-cpu"));
}

}  // namespace
}  // namespace gilscope
