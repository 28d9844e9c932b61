#include "userspace/experiment/disturbance/limits.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/unit/temporary_directory.h"
#include "userspace/machine/facts/parts.h"
#include "userspace/report/model.h"

namespace gilscope {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;
const std::vector<int> kCpus = {0, 1};

// One second on two CPUs, both entirely the worker's: it is within every limit.
struct Case {
  DisturbanceLimits limits;
  gilscope::Run run;
  DisturbanceReadings before, after;

  Case() {
    before.at_ns = 100 * kSecond, after.at_ns = 101 * kSecond;
    before.steal_ns = after.steal_ns = 7 * kSecond;
    before.idle_ns = after.idle_ns = 9 * kSecond;
    before.throttled_periods = after.throttled_periods = 5;
    before.online = after.online = {0, 1, 2};
    before.sched_ext = after.sched_ext = {true, "enabled", 3};
    after.stopped_by.emplace();
    run.status = "done";
    run.rusage.user_ns = kSecond;
    run.rusage.system_ns = kSecond;
  }

  // Adds what the tracer saw.
  Case& traced() {
    run.window_ns = kSecond;
    for (const int cpu : kCpus) {
      CpuTrace per_cpu;
      per_cpu.cpu = cpu;
      per_cpu.observed = true;
      per_cpu.on_cpu_ns = kSecond;
      per_cpu.foreign_ns = 0;
      run.cpus.push_back(per_cpu);
    }
    return *this;
  }

  std::vector<Disturbance> results() const {
    return judge_disturbances(limits, kCpus, run, before, after);
  }
  // The value of the only limit that is exceeded; -1: it could not be judged.
  double only(const std::string& kind) const {
    const auto all = results();
    if (all.size() != 1 || all[0].kind != kind) {
      ADD_FAILURE() << all.size() << " disturbance limits, " << (all.empty() ? "" : all[0].kind);
      return -2;
    }
    return all[0].value.value_or(-1);
  }
};

TEST(DisturbanceLimitsTest, LetAnUndisturbedRunPass) {
  EXPECT_TRUE(Case().results().empty());
  EXPECT_TRUE(Case().traced().results().empty());
}

TEST(DisturbanceLimitsTest, StealIsAShareOfAllItsCpusGiveOrTakeOneStepOfTheClockEach) {
  Case c;
  c.limits.foreign.reset();
  *c.after.steal_ns += 180'000'000;  // 9 % of two seconds, and up to 1 % of rounding
  EXPECT_TRUE(c.results().empty());
  *c.after.steal_ns += 40'000'000;  // 11 %, of which 1 % may be rounding: undecidable
  EXPECT_EQ(c.only("steal"), -1);
  *c.after.steal_ns += 10'000'000;
  EXPECT_DOUBLE_EQ(c.only("steal"), 0.105);
  EXPECT_DOUBLE_EQ(c.results()[0].limit, 0.1);
  c.limits.steal = 0.125;
  EXPECT_TRUE(c.results().empty());
  c.limits.steal = 0;
  EXPECT_EQ(c.results().size(), 1u);
}

TEST(DisturbanceLimitsTest, ARunThatIsShorterThanTheStepsOfItsClockIsNotJudged) {
  Case c;
  c.limits.foreign.reset();
  c.after.at_ns = c.before.at_ns + 15'000'000;
  *c.after.steal_ns += 20'000'000;
  EXPECT_EQ(c.only("steal"), -1);
  *c.after.steal_ns -= 20'000'000;
  EXPECT_EQ(c.only("steal"), -1) << "the clock's resolution is too coarse for 15 ms";
  c.before.steal_ns = c.after.steal_ns = 0;
  EXPECT_TRUE(c.results().empty()) << "no hypervisor has taken anything since boot";
  c.limits = DisturbanceLimits();
  c.limits.steal.reset();
  c.run.rusage = {};
  EXPECT_EQ(c.only("foreign"), -1);
}

TEST(DisturbanceLimitsTest, NoShareIsAboveOne) {
  Case c;
  c.limits.foreign.reset();
  *c.after.steal_ns += 9 * kSecond;
  EXPECT_EQ(c.only("steal"), 1);
}

TEST(DisturbanceLimitsTest, ARunThatWasStoppedIsNoMeasurement) {
  Case c;
  c.after.stopped_by = {"signal", "suspend"};
  EXPECT_EQ(c.only("stopped"), 2);
  c.limits.stopped.reset();
  EXPECT_TRUE(c.results().empty());
  c.limits.stopped = 0;
  c.after.stopped_by.reset();
  EXPECT_EQ(c.only("stopped"), -1) << "a freezer that could not be watched";
}

TEST(DisturbanceLimitsTest, ForeignTimeOfATracedRunIsTheTracers) {
  Case c = std::move(Case().traced());
  c.run.cpus[0].foreign_ns = kSecond / 2;
  EXPECT_TRUE(c.results().empty());  // 25 % is the limit, not above it
  c.run.cpus[1].foreign_ns = kSecond / 10;
  EXPECT_DOUBLE_EQ(c.only("foreign"), 0.3);
  c.limits.foreign.reset();
  EXPECT_TRUE(c.results().empty());
}

TEST(DisturbanceLimitsTest, ForeignTimeOfOtherCpusIsNotTheRuns) {
  Case c = std::move(Case().traced());
  CpuTrace other;
  other.cpu = 2;
  other.foreign_ns = kSecond;
  c.run.cpus.push_back(other);
  EXPECT_TRUE(c.results().empty());
}

TEST(DisturbanceLimitsTest, ACpuThatWasNotSeenTellsNothingOfForeignTime) {
  Case c = std::move(Case().traced());
  c.run.cpus[0].foreign_ns.reset();
  c.run.cpus[1].foreign_ns = kSecond / 2;
  EXPECT_DOUBLE_EQ(c.only("foreign"), 0.5);
  c.run.cpus[1].foreign_ns.reset();
  EXPECT_EQ(c.only("foreign"), -1);
}

TEST(DisturbanceLimitsTest, ForeignTimeOfAnUntracedRunIsWhatItsCpusDidBesideTheWorker) {
  Case c;
  c.run.rusage.user_ns = 0;
  *c.after.idle_ns += 540'000'000;  // busy 1.46 s, charged 1 s, give or take 0.04 s
  EXPECT_TRUE(c.results().empty());
  *c.after.idle_ns -= 80'000'000;  // 1.54 s
  EXPECT_EQ(c.only("foreign"), -1);
  c.run.rusage.system_ns = kSecond - 100'000'000;
  EXPECT_DOUBLE_EQ(c.only("foreign"), 0.3);
  *c.after.steal_ns += 90'000'000;  // stolen time belongs to no process
  EXPECT_DOUBLE_EQ(c.only("foreign"), 0.255);
  // More than there is: the clocks disagree, and nothing is known about other processes.
  *c.after.idle_ns += kSecond * 5;
  EXPECT_TRUE(c.results().empty());
}

TEST(DisturbanceLimitsTest, ThrottledPeriodsAreCounted) {
  Case c;
  c.after.throttled_periods = 7;
  EXPECT_EQ(c.only("throttled"), 2);
  c.limits.throttled = 2;
  EXPECT_TRUE(c.results().empty());
}

TEST(DisturbanceLimitsTest, ACpuOfTheRunMustStayOnline) {
  Case c;
  c.after.online = {0, 1};  // CPU 2 is not the run's
  EXPECT_TRUE(c.results().empty());
  c.after.online = {0, 2};
  EXPECT_EQ(c.only("offline"), 1);
  c.before.online = {1, 2};
  EXPECT_EQ(c.only("offline"), 2);
}

TEST(DisturbanceLimitsTest, ASchedulerThatCameOrWentIsNoticed) {
  Case c;
  c.after.sched_ext = {true, "disabled", 3};
  EXPECT_EQ(c.only("sched_ext"), 1);
  c.after.sched_ext = {true, "enabled", 5};  // loaded, unloaded and loaded again within the run
  EXPECT_EQ(c.only("sched_ext"), 2);
  c.before.sched_ext = c.after.sched_ext = {};
  EXPECT_TRUE(c.results().empty());  // this kernel does not support sched_ext
}

TEST(DisturbanceLimitsTest, AThreadOutsideTheRunsCpusIsNoticedWhereItIsTraced) {
  Case c = std::move(Case().traced());
  CpuTrace other;
  other.cpu = 2;
  other.wakeups.waker = 4;  // a wakeup from that CPU is not the thread's doing
  c.run.cpus.push_back(other);
  EXPECT_TRUE(c.results().empty());
  c.run.cpus[2].on_cpu_ns = 1;
  EXPECT_EQ(c.only("migrated_off_mask"), 1);
  c.limits.migrated_off_mask.reset();
  EXPECT_TRUE(c.results().empty());
}

// None of these limits judges an untraced run, nor lets it pass.
TEST(DisturbanceLimitsTest, WhatCouldNotBeReadIsNotJudged) {
  const DisturbanceReadings nothing;
  for (const bool before : {true, false}) {
    Case c;
    (before ? c.before : c.after) = nothing;
    (before ? c.before : c.after).sched_ext.built_in = true;
    const auto all = c.results();
    ASSERT_EQ(all.size(), before ? 5u : 6u);  // stops are only known after the run
    for (const Disturbance& result : all) EXPECT_FALSE(result.value) << result.kind;
  }
  Case c;
  c.after.sched_ext.enable_seq.reset();  // "enabled" twice: the same scheduler?
  EXPECT_EQ(c.only("sched_ext"), -1);
  c.after.sched_ext.state = "disabled";
  EXPECT_EQ(c.only("sched_ext"), 1);
}

TEST(DisturbanceLimitsTest, CountersThatFellAreNotBelieved) {
  Case c;
  c.after.throttled_periods = 1;
  EXPECT_EQ(c.only("throttled"), -1);
}

TEST(DisturbanceLimitsTest, ThatAreOffSayNothing) {
  Case c = std::move(Case().traced());
  c.before = c.after = {};
  c.run.cpus.clear();
  for (const DisturbanceRule& rule : disturbance_rules()) c.limits.*rule.limit = std::nullopt;
  EXPECT_TRUE(c.results().empty());
}

TEST(DisturbanceLimitsTest, EachHasARuleOfItsName) {
  // Exceeds every limit, so that a limit without a rule, or a rule without a limit, is noticed.
  Case c = std::move(Case().traced());
  for (CpuTrace& per_cpu : c.run.cpus) per_cpu.foreign_ns = kSecond;
  c.run.cpus.emplace_back();
  c.run.cpus[2].cpu = 7;
  c.run.cpus[2].on_cpu_ns = 1;
  *c.after.steal_ns += kSecond;
  *c.after.throttled_periods += 1;
  c.after.online = {0};
  c.after.sched_ext.enable_seq = 9;
  c.after.stopped_by = {"signal"};
  const auto all = c.results();
  ASSERT_EQ(all.size(), disturbance_rules().size());
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].kind, disturbance_rules()[i].name);
    EXPECT_EQ(all[i].limit, *(DisturbanceLimits().*disturbance_rules()[i].limit));
    EXPECT_LE(all[i].limit, disturbance_rules()[i].highest);
  }
}

TEST(DisturbanceReadings, AreNullWhereTheMachineSaysNothing) {
  const TemporaryDirectory root;
  const DisturbanceReadings readings = read_disturbances(Machine(root.path()), kCpus);
  EXPECT_GT(readings.at_ns, 0u);
  EXPECT_FALSE(readings.steal_ns || readings.idle_ns || readings.throttled_periods);
  EXPECT_FALSE(readings.online);
  EXPECT_FALSE(readings.sched_ext.built_in);
}

TEST(DisturbanceReadings, AreOfTheRunsCpus) {
  const TemporaryDirectory root;
  root.write("proc/stat",
             "cpu  9 9 9 9 9 9 9 9 9 9\n"
             "cpu0 1 0 2 100 10 0 0 3 0 0\n"
             "cpu1 1 0 2 200 20 0 0 4 0 0\n"
             "cpu2 1 0 2 400 40 0 0 5 0 0\n");
  root.write("sys/devices/system/cpu/online", "0-2\n");
  root.write("sys/kernel/sched_ext/state", "enabled\n");
  root.write("sys/kernel/sched_ext/enable_seq", "12\n");
  root.write("proc/self/cgroup", "0::/box\n");
  root.write("proc/self/mountinfo", "30 23 0:26 / /cg rw - cgroup2 cgroup2 rw\n");
  root.write("cg/box/cpu.stat", "nr_throttled 2\nthrottled_usec 9\n");
  const DisturbanceReadings readings = read_disturbances(Machine(root.path()), kCpus);
  EXPECT_EQ(readings.steal_ns, 70'000'000u);
  EXPECT_EQ(readings.idle_ns, 3'300'000'000u);
  EXPECT_EQ(readings.online, std::vector<int>({0, 1, 2}));
  EXPECT_EQ(readings.throttled_periods, 2u);
  EXPECT_TRUE(readings.sched_ext.built_in);
  EXPECT_EQ(readings.sched_ext.state, "enabled");
  EXPECT_EQ(readings.sched_ext.enable_seq, 12);
}

}  // namespace
}  // namespace gilscope
