#include "userspace/experiment/plan/plan.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "userspace/machine/cpus.h"
#include "userspace/workload/workload.h"

namespace gilscope {
namespace {

Spec small_spec() {
  Spec spec;
  spec.name = "small";
  spec.policies = {"check-interval:100", "none"};
  spec.workloads = {"count:n=1M"};
  spec.arrangements = {"sequential", "threaded"};
  spec.threads = {2, 4};
  spec.cpus = {"1"};
  spec.blocks = 2;
  spec.warmup = 1;
  return spec;
}

Plan planned(const Spec& spec, uint64_t seed) {
  const auto plan = make_plan(spec, seed);
  EXPECT_TRUE(plan) << plan.error().message;
  return plan.value_or(Plan());
}

// "0f 3o": cell 0 traced in full, cell 3 untraced.
std::string order(const Block& block) {
  std::string out;
  for (const PlannedRun& run : block.runs) {
    if (!out.empty()) out += ' ';
    out += std::to_string(run.cell) + run.trace[0];
  }
  return out;
}

// Pins the rest of a test to one CPU.
class OneCpu {
 public:
  OneCpu() {
    ::sched_getaffinity(0, sizeof(before_), &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<size_t>(allowed_cpus().value().front()), &one);
    ::sched_setaffinity(0, sizeof(one), &one);
  }
  OneCpu(const OneCpu&) = delete;
  OneCpu& operator=(const OneCpu&) = delete;
  ~OneCpu() { ::sched_setaffinity(0, sizeof(before_), &before_); }

 private:
  cpu_set_t before_;
};

TEST(Plan, HasItsCellsInMatrixOrder) {
  Spec spec = small_spec();
  spec.main_exit = "kill";
  spec.cpu_order = "siblings-first";
  const Plan plan = planned(spec, 1);
  std::vector<std::string> cells;
  for (const Cell& cell : plan.cells) {
    cells.push_back(cell.policy + " " + std::to_string(cell.threads) + " " + cell.cpus + " " +
                    cell.arrangement);
    EXPECT_EQ(cell.workload, "count:n=1M");
    EXPECT_EQ(cell.cpu_list.size(), 1u);
    EXPECT_EQ(cell.cpus_by, "affinity");
    EXPECT_EQ(cell.cpu_order, "siblings-first");
    EXPECT_EQ(cell.main_exit, "kill");
    EXPECT_TRUE(cell.runs.empty());
  }
  EXPECT_EQ(cells, std::vector<std::string>(
                       {"check-interval:100 2 1 sequential", "check-interval:100 2 1 threaded",
                        "check-interval:100 4 1 sequential", "check-interval:100 4 1 threaded",
                        "none 2 1 sequential", "none 2 1 threaded", "none 4 1 sequential",
                        "none 4 1 threaded"}));
}

// Frozen: a report's seed must always give the same plan; otherwise a later version could not
// resume a run, nor reproduce an order. The expected order comes from another implementation.
TEST(Plan, OfThisSeedIsThisOne) {
  const Plan plan = planned(small_spec(), 20240229);
  ASSERT_EQ(plan.blocks.size(), 3u);
  EXPECT_EQ(plan.seed, 20240229u);
  EXPECT_EQ(order(plan.blocks[0]), "3o 7f 1o 5f 0f 3f 4o 6f 0o 4f 7o 2f 6o 2o 5o 1f");
  EXPECT_EQ(order(plan.blocks[1]), "1o 1f 0o 2f 7f 0f 5o 7o 4f 2o 5f 6o 6f 3f 3o 4o");
  EXPECT_EQ(order(plan.blocks[2]), "5o 1o 3o 7o 7f 4f 3f 1f 2f 2o 4o 0o 0f 5f 6o 6f");
}

TEST(Plan, DependsOnTheSeedAlone) {
  const Spec spec = small_spec();
  EXPECT_EQ(order(planned(spec, 7).blocks[1]), order(planned(spec, 7).blocks[1]));
  EXPECT_NE(order(planned(spec, 7).blocks[1]), order(planned(spec, 8).blocks[1]));
  // More blocks leave the earlier ones unchanged.
  Spec longer = spec;
  longer.blocks = 9;
  EXPECT_EQ(order(planned(longer, 7).blocks[2]), order(planned(spec, 7).blocks[2]));
}

TEST(Plan, ShufflesEveryBlockAnew) {
  Spec spec = small_spec();
  spec.blocks = 20;
  std::map<std::string, int> orders;
  for (const Block& block : planned(spec, 0).blocks) ++orders[order(block)];
  EXPECT_EQ(orders.size(), 21u);
}

TEST(Plan, FavoursNoPlace) {
  Spec spec = small_spec();
  spec.untraced = false;
  spec.warmup = 0;
  spec.blocks = 8000;
  std::map<size_t, int> first;
  for (const Block& block : planned(spec, 3).blocks) ++first[block.runs.front().cell];
  ASSERT_EQ(first.size(), 8u);
  // 1000 each are expected; five standard deviations are 148.
  for (const auto& [cell, count] : first) EXPECT_NEAR(count, 1000, 150) << cell;
}

TEST(Plan, PutsWarmUpFirst) {
  Spec spec = small_spec();
  spec.warmup = 2;
  const Plan plan = planned(spec, 1);
  ASSERT_EQ(plan.blocks.size(), 4u);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(plan.blocks[static_cast<size_t>(i)].index, i);
    EXPECT_EQ(plan.blocks[static_cast<size_t>(i)].warmup, i < 2);
  }
}

TEST(Plan, HasEveryCellAndItsTwinOnceInEachBlock) {
  for (const auto& [trace, untraced, runs_per_cell] :
       {std::tuple("full", true, 2), std::tuple("counters", true, 2), std::tuple("full", false, 1),
        std::tuple("off", true, 1), std::tuple("off", false, 1)}) {
    Spec spec = small_spec();
    spec.trace = trace;
    spec.untraced = untraced;
    const Plan plan = planned(spec, 5);
    for (const Block& block : plan.blocks) {
      std::map<std::pair<size_t, std::string>, int> seen;
      for (const PlannedRun& run : block.runs) ++seen[{run.cell, run.trace}];
      EXPECT_EQ(seen.size(), plan.cells.size() * static_cast<size_t>(runs_per_cell));
      EXPECT_EQ(block.runs.size(), seen.size());
      for (size_t cell = 0; cell < plan.cells.size(); ++cell) {
        EXPECT_EQ(seen.count({cell, trace}), 1u);
      }
    }
  }
}

TEST(Plan, MeasuresTheSameCpusOnce) {
  const OneCpu pinned;
  Spec spec = small_spec();
  spec.cpus = {"1", "all"};
  const Plan plan = planned(spec, 1);
  EXPECT_EQ(plan.cells.size(), 8u);
  for (const Cell& cell : plan.cells) EXPECT_EQ(cell.cpus, "1");
  for (const Block& block : plan.blocks) EXPECT_EQ(block.runs.size(), 16u);
}

TEST(Plan, FailsWhereACpuIsNotThere) {
  const OneCpu pinned;
  Spec spec = small_spec();
  spec.cpus = {"1", "2"};
  const auto plan = make_plan(spec, 1);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, Exit::error);
  EXPECT_NE(plan.error().message.find("cpus '2': 2 CPUs requested, but only 1 available"),
            std::string::npos)
      << plan.error().message;
  spec.cpus = {"cpu:8191"};
  EXPECT_FALSE(make_plan(spec, 1));
}

TEST(Plan, CountsThreadsByTheCpusOfTheCell) {
  const OneCpu one;
  Spec spec = small_spec();
  spec.threads = {*ThreadCount::parse("1"), *ThreadCount::parse("1x"), *ThreadCount::parse("3x")};
  const Plan plan = planned(spec, 1);
  std::set<int> threads;
  for (const Cell& cell : plan.cells) threads.insert(cell.threads);
  EXPECT_EQ(threads, std::set<int>({1, 3}));
  EXPECT_EQ(plan.cells.size(), 2u * 2 * 2) << "1 and 1x are the same on one CPU";
}

TEST(Plan, HasNoSequentialRunsOfASetTime) {
  Spec spec = small_spec();
  spec.workloads = {"count:n=1k", "echo:background=0,seconds=1s"};
  const Plan plan = planned(spec, 1);
  EXPECT_TRUE(std::ranges::none_of(plan.cells, [](const Cell& cell) {
    return cell.workload.starts_with("echo") && cell.arrangement == "sequential";
  }));
  EXPECT_TRUE(std::ranges::any_of(plan.cells, [](const Cell& cell) {
    return cell.workload.starts_with("echo") && cell.arrangement == "threaded";
  }));
  EXPECT_TRUE(std::ranges::any_of(
      plan.cells, [](const Cell& cell) { return cell.arrangement == "sequential"; }));
}

TEST(Plan, SaysOfEachCellWhatEndsItsRuns) {
  Spec spec = small_spec();
  spec.workloads = {"count:n=1k", "echo:seconds=1s", "ping-pong",
                    "yield",      "mixed",           "mixed:seconds=1s"};
  std::set<std::string> timed;
  for (const Cell& cell : planned(spec, 1).cells) {
    EXPECT_TRUE(cell.bounded_by == "time" || cell.bounded_by == "work") << cell.bounded_by;
    if (cell.bounded_by == "time") timed.insert(cell.workload);
  }
  EXPECT_EQ(timed,
            std::set<std::string>({"echo:seconds=1s", "ping-pong", "yield", "mixed:seconds=1s"}));
}

// Reports of 1.2 and earlier have no bounded_by; the value derived for them is the same.
TEST(Plan, ReportsBeforeItWasStoredAreReadAlike) {
  for (const char* workload :
       {"count", "mixed", "mixed:seconds=1s", "throughput", "latency", "bandwidth", "echo", "file",
        "native", "convoy", "ping-pong", "yield"}) {
    Cell cell;
    cell.workload = workload;
    EXPECT_EQ(bounded_by_time(cell), lasts_a_set_time(workload)) << workload;
    cell.bounded_by = "time";
    EXPECT_TRUE(bounded_by_time(cell));
    cell.bounded_by = "work";
    EXPECT_FALSE(bounded_by_time(cell));
  }
  Cell later;
  later.workload = "of another version";
  EXPECT_FALSE(bounded_by_time(later));
  later.runs.resize(1);
  later.runs[0].workload["sent"] = 1;
  EXPECT_TRUE(bounded_by_time(later));
}

TEST(Plan, ExpectsALongerTimeOfMoreWork) {
  Spec spec = small_spec();
  spec.workloads = {"echo:background=0,seconds=10s"};
  spec.arrangements = {"threaded"};
  const Plan plan = planned(spec, 1);
  const double runs = 3.0 * static_cast<double>(plan.blocks[0].runs.size());
  EXPECT_NEAR(expected_seconds(plan), runs * 10, runs);
  EXPECT_NE(describe(plan).find("about 4"), std::string::npos) << describe(plan);
}

// The expected time of a cell's work: the run without its fixed overhead, which another run gives.
double work_of(const std::string& policy, const std::string& workload,
               const std::string& arrangement, int threads, std::vector<int> cpus,
               const std::string& main_exit = "join") {
  Cell cell;
  cell.policy = policy;
  cell.workload = workload;
  cell.arrangement = arrangement;
  cell.threads = threads;
  cell.cpu_list = std::move(cpus);
  cell.main_exit = main_exit;
  Cell nothing = cell;
  nothing.workload = "echo:background=0,seconds=1s";
  nothing.main_exit = "join";
  return expected_seconds(cell) - (expected_seconds(nothing) - 1);
}

TEST(Plan, ExpectsWhatHoldersAndCpusAllow) {
  const std::string count = "count:n=1G";
  const double alone = work_of("none", count, "threaded", 1, {0});
  EXPECT_GT(alone, 0);
  EXPECT_NEAR(work_of("none", count, "sequential", 4, {0, 1}), 4 * alone, 0.01 * alone);
  EXPECT_NEAR(work_of("none", count, "threaded", 4, {0, 1}), 2 * alone, 0.01 * alone);
  const double sharded = work_of("sharded:2", count, "threaded", 1, {0});
  EXPECT_NEAR(work_of("sharded:2", count, "threaded", 4, {0, 1, 2, 3}), 2 * sharded,
              0.01 * sharded);
  const double with_gil = work_of("switch-interval:5ms", count, "threaded", 1, {0});
  EXPECT_NEAR(work_of("switch-interval:5ms", count, "threaded", 2, {0, 1}), 2 * with_gil,
              0.01 * with_gil);
}

TEST(Plan, ExpectsShareOfTheBackground) {
  const std::string count = "count:background=1,n=1G";
  const double alone = work_of("switch-interval:5ms", "count:n=1G", "threaded", 1, {0});
  EXPECT_NEAR(work_of("switch-interval:5ms", count, "threaded", 1, {0, 1}), 2 * alone,
              0.01 * alone);
  EXPECT_NEAR(work_of("switch-interval:5ms", count, "threaded", 2, {0, 1}), 3 * alone,
              0.01 * alone);
  EXPECT_NEAR(work_of("switch-interval:5ms", count, "sequential", 2, {0, 1}), 4 * alone,
              0.01 * alone);
}

TEST(Plan, ExpectsWaitsForTheGilAfterEachCallThatBlocks) {
  const std::string mixed = "mixed:background=1,n=1k,compute=1,block=1us";
  EXPECT_NEAR(work_of("gvl:100ms", mixed, "threaded", 1, {0, 1}), 100, 10);
  EXPECT_NEAR(work_of("switch-interval:5ms", mixed, "sequential", 2, {0, 1}), 10, 2);
  EXPECT_LT(work_of("check-interval:100", mixed, "threaded", 1, {0, 1}), 2);
}

TEST(Plan, ExpectsSequentialSleepsOneAfterTheOther) {
  const std::string mixed = "mixed:n=10,compute=1,block=1000ms";
  EXPECT_NEAR(work_of("none", mixed, "threaded", 3, {0}), 10, 1);
  EXPECT_NEAR(work_of("none", mixed, "sequential", 3, {0}), 30, 1);
  EXPECT_NEAR(work_of("none", mixed + ",seconds=2", "threaded", 3, {0}), 2, 0.1);
}

TEST(Plan, ExpectsAKilledRunToLastAsLongAsMainSleeps) {
  EXPECT_NEAR(work_of("none", "count:n=1G,seconds=3", "threaded", 2, {0}, "kill"), 3, 0.01);
  EXPECT_NEAR(work_of("none", "count:n=1,seconds=3", "threaded", 2, {0}, "kill"), 3, 0.01);
  EXPECT_NEAR(work_of("none", "count:n=1G", "threaded", 2, {0}, "kill"), 0, 0.01);
}

TEST(Plan, MeasuresThePolicyItself) {
  // A release and an acquisition between every two opcodes; "none" has neither.
  EXPECT_GT(work_of("fifo:0", "count:n=1G", "threaded", 1, {0}),
            1.2 * work_of("none", "count:n=1G", "threaded", 1, {0}));
}

TEST(Plan, OfWorkThatTakesDaysIsRefused) {
  Spec spec = small_spec();
  spec.workloads = {"count:n=100000G"};
  const Status refused = check_size(planned(spec, 1), false);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("days"), std::string::npos);
}

TEST(Plan, OfMoreThanADayIsRefusedUnlessConfirmed) {
  Spec spec = small_spec();
  spec.workloads = {"echo:background=0,seconds=3600s"};
  spec.arrangements = {"threaded"};
  const Plan plan = planned(spec, 1);
  const Status refused = check_size(plan, false);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("--yes"), std::string::npos);
  EXPECT_TRUE(check_size(plan, true));
}

TEST(Plan, OfTenThousandCellsIsRefusedUnlessConfirmed) {
  Plan plan = planned(small_spec(), 1);
  plan.cells.resize(10'000, plan.cells[0]);
  EXPECT_TRUE(check_size(plan, false));
  plan.cells.resize(10'001, plan.cells[0]);
  const Status refused = check_size(plan, false);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("10001 cells"), std::string::npos);
  EXPECT_TRUE(check_size(plan, true));
}

}  // namespace
}  // namespace gilscope
