// `--lock`: the counts of a lock of glibc's equal those that the program's threads make themselves,
// and a wrong or dying lock is found out.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "tests/interpreters/contender.h"
#include "tests/kernel/program.h"
#include "userspace/base/time.h"
#include "userspace/recording/recorder.h"
#include "userspace/report/model.h"
#include "userspace/subject/lock.h"

namespace gilscope {
namespace {

class Locks : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::access(Contender::path().c_str(), X_OK) == 0) return;
    if (std::getenv("GILSCOPE_MUST_TRACE")) FAIL() << Contender::path() << " is missing";
    GTEST_SKIP() << Contender::path() << " is missing; make build/contend";
  }

  // The cell of what the program does for `ms` with its gate open, and its own counts.
  struct Seen {
    Cell cell;
    OwnCounts own;
    const gilscope::Run& run() const { return cell.runs.at(0); }
    const GilCounts& gil() const { return run().gil; }
    uint64_t holder_preempted() const {
      uint64_t sum = 0;
      for (const CpuTrace& cpu : run().cpus) sum += cpu.holder_preempted;
      return sum;
    }
  };

  static void take_for(Recorder& recorder, int ms) {
    const uint64_t end = monotonic_ns() + static_cast<uint64_t>(ms) * 1'000'000;
    while (monotonic_ns() < end) {
      ASSERT_TRUE(recorder.step());
      ::usleep(10'000);
    }
  }

  // `words` are said to the program one after the other, each for as long.
  static Result<Seen> record(Contender& contender, const std::string& lock, int ms,
                             const std::vector<std::string>& words = {"go"}) {
    const auto name = parse_lock(lock);
    if (!name) return fail(name.error());
    auto recorder =
        Recorder::start({.trace = "counters", .command = "contend", .argv = {}, .lock = *name});
    if (!recorder) return fail(recorder.error());
    if (Status followed = recorder->follow(contender.pid()); !followed) {
      return fail(followed.error());
    }
    if (Status opened = recorder->open(); !opened) return fail(opened.error());
    for (const std::string& word : words) {
      if (Status said = contender.say(word); !said) return fail(said.error());
      take_for(*recorder, ms);
    }
    const auto own = contender.stop();
    if (!own) return fail(own.error());
    if (Status closed = recorder->close(); !closed) return fail(closed.error());
    const auto report = recorder->finish(nullptr, "done");
    if (!report) return fail(report.error());
    if (report->cells.size() != 1) return fail(fmt::format("{} cells", report->cells.size()));
    return Seen{report->cells[0], *own};
  }

  static std::string line_of(pid_t pid, const std::string& lock) {
    const auto name = parse_lock(lock);
    if (!name) return name.error().message;
    FindOptions options;
    options.observe_ms = 200;
    const auto found = find_lock(pid, *name, options);
    return found ? "found: " + found->gils.at(0).confirmed_by : found.error().message;
  }
};

struct Case {
  const char* sort;
  int threads;
  bool quick = true;
};

class LocksOfEachSort : public Locks, public ::testing::WithParamInterface<Case> {};

TEST_P(LocksOfEachSort, CountWhatTheProgramCountsItself) {
  if (!GetParam().quick && !std::getenv("GILSCOPE_EVERY_PROGRAM")) return;
  auto contender = Contender::start(
      {"sort", GetParam().sort, "threads", std::to_string(GetParam().threads), "other_locks", "1"});
  ASSERT_TRUE(contender) << contender.error().message;
  const auto seen = record(*contender, "mutex@" + contender->address(), 400);
  ASSERT_TRUE(seen) << seen.error().message;
  const GilCounts& gil = seen->gil();
  const OwnCounts& own = seen->own;
  EXPECT_EQ(gil.doubt, "");
  ASSERT_TRUE(gil.sleeps && gil.undecided && gil.acquired_after_wait);
  EXPECT_FALSE(gil.acquires);
  EXPECT_FALSE(gil.waits_begun);
  std::printf(
      "%-10s %d threads: sleeps %lu/%lu, contended %lu/%lu, woken_lost %lu/%lu, undecided "
      "%lu, failed of its own %lu, preempted %lu/%lu\n",
      GetParam().sort, GetParam().threads, *gil.sleeps, own.slept + own.lost, gil.contended,
      own.slept, gil.woken_lost, own.lost, *gil.undecided, own.failed, seen->holder_preempted(),
      own.preempted);
  // A page fault may put a thread to sleep within the call, too.
  const uint64_t few = 2 + own.slept / 100;
  const uint64_t undecided = *gil.undecided;
  EXPECT_NEAR(double(*gil.sleeps), double(own.slept + own.lost), double(few));
  EXPECT_LE(gil.contended, own.slept + few);
  EXPECT_GE(gil.contended + undecided + few, own.slept);
  EXPECT_LE(gil.woken_lost, own.lost + few);
  EXPECT_GE(gil.woken_lost + undecided + few, own.lost);
  EXPECT_LE(gil.contended, own.failed + few);
  EXPECT_EQ(gil.timed_out, 0u);
  EXPECT_EQ(gil.contended + gil.woken_lost + undecided, *gil.sleeps);
  EXPECT_LE(*gil.acquired_after_wait, own.slept + few);
  // Between taking the lock and asking the kernel for its count, and after that, a few preemptions
  // fall out of the program's own.
  EXPECT_GE(seen->holder_preempted() + few, own.preempted);
  EXPECT_LE(seen->holder_preempted(), own.preempted + own.preempted / 4 + 20);
}

INSTANTIATE_TEST_SUITE_P(, LocksOfEachSort,
                         ::testing::Values(Case{"normal", 2, false}, Case{"normal", 6},
                                           Case{"adaptive", 4}, Case{"recursive", 4, false},
                                           Case{"errorcheck", 4, false}, Case{"robust", 4},
                                           Case{"inherit", 4}, Case{"shared", 4}),
                         [](const auto& info) {
                           return fmt::format("{}_{}", info.param.sort, info.param.threads);
                         });

TEST_F(Locks, FindTheMostContendedMutexByThemselves) {
  auto contender = Contender::start({"threads", "4", "other_locks", "2", "hold_ns", "50000"});
  ASSERT_TRUE(contender) << contender.error().message;
  const std::string quiet = line_of(contender->pid(), "mutex:auto");
  EXPECT_NE(quiet.find("no thread of process"), std::string::npos) << quiet;
  ASSERT_TRUE(contender->say("go"));
  const auto name = parse_lock("mutex:auto");
  FindOptions options;
  options.observe_ms = 1000;
  const auto found = find_lock(contender->pid(), *name, options);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->gils.at(0).found_by, "observation");
  EXPECT_NE(found->gils.at(0).confirmed_by.find("threads were seen to sleep for it"),
            std::string::npos);
  EXPECT_EQ(found->kind, "program");
  EXPECT_EQ(found->lock, "mutex");
}

TEST_F(Locks, SayInOneLineWhyOneCannotBeFollowed) {
  auto contender = Contender::start({"sort", "normal", "threads", "2"});
  ASSERT_TRUE(contender) << contender.error().message;
  const pid_t pid = contender->pid();
  const std::vector<std::pair<std::string, std::string>> lines = {
      {"mutex@no_such_symbol", "has a symbol 'no_such_symbol'"},
      {"mutex@libnone.so:watched", "has no object 'libnone.so'"},
      {"mutex@function_of_it", "is a function"},
      {"mutex@too_small", "has 16 bytes, and a pthread_mutex_t"},
      {"mutex@pointed_to", "is a pointer"},
      {"mutex@busy", "has 4 bytes"},
      {"mutex@in_two_files", "is there 2 times"},
      {"mutex@unwritable", "cannot write"},
      {"mutex@watched+0x8", "has 40 bytes"},
      {"mutex@0x1000", "has no memory at 0x1000"},
      {"mutex@busy_words", "is held, but has no owner"},
  };
  for (const auto& [lock, expected] : lines) {
    const std::string line = line_of(pid, lock);
    EXPECT_NE(line.find(expected), std::string::npos) << lock << ": " << line;
    EXPECT_EQ(line.find('\n'), std::string::npos) << line;
  }
  EXPECT_EQ(line_of(pid, "mutex@watched"), "found: a normal mutex");
  EXPECT_EQ(line_of(pid, "mutex@contend:watched"), "found: a normal mutex");
  EXPECT_EQ(line_of(pid, "mutex@others+40"), "found: a normal mutex");
  EXPECT_EQ(line_of(pid, "rwlock@watched_rwlock"), "found: an rwlock");
  EXPECT_EQ(line_of(pid, "cond@watched_condition"), "found: a condition");
  auto protected_one = Contender::start({"sort", "protect"});
  ASSERT_TRUE(protected_one) << protected_one.error().message;
  const std::string line = line_of(protected_one->pid(), "mutex@watched");
  EXPECT_NE(line.find("priority-protected"), std::string::npos) << line;
}

TEST_F(Locks, DoubtAWrongAddress) {
  auto contender = Contender::start({"threads", "4"});
  ASSERT_TRUE(contender) << contender.error().message;
  // Zeros, which a mutex that nobody uses is made of, too.
  const auto zeros = record(*contender, "mutex@never_used", 300);
  ASSERT_TRUE(zeros) << zeros.error().message;
  EXPECT_NE(zeros->gil().doubt.find("nothing confirms"), std::string::npos) << zeros->gil().doubt;
  EXPECT_EQ(*zeros->gil().sleeps, 0u);
}

TEST_F(Locks, DoubtALockThatDiesWhileItIsRecorded) {
  for (const auto& [word, expected] : std::vector<std::pair<std::string, std::string>>{
           {"unmap", "no longer there"}, {"destroy", "used for something else"}}) {
    auto contender = Contender::start({"sort", "heap", "threads", "3"});
    ASSERT_TRUE(contender) << contender.error().message;
    const auto seen = record(*contender, "mutex@" + contender->address(), 200, {"go", word});
    ASSERT_TRUE(seen) << seen.error().message;
    EXPECT_NE(seen->gil().doubt.find(expected), std::string::npos) << seen->gil().doubt;
  }
}

// By the command line: the program is found by its symbol once it is mapped, in whichever process.
TEST_F(Locks, AreFoundInWhatACommandExecutes) {
  const auto run = [&](const std::string& lock) {
    return gilscope_run({"exec", "--lock", lock, "--json", "--", "sh", "-c",
                         "(sleep 0.3; echo go; sleep 0.3; echo stop; echo end) | " +
                             Contender::path() + " threads 3 >&2"});
  };
  const Ended found = run("mutex@watched");
  EXPECT_EQ(found.status, 0) << found.err;
  EXPECT_NE(found.out.find("\"lock\": \"mutex\""), std::string::npos) << found.out;
  EXPECT_NE(found.out.find("\"symbol\":\"watched\""), std::string::npos);
  EXPECT_EQ(found.out.find("\"doubt\""), std::string::npos) << found.out;
  const Ended not_found = run("mutex@no_such_symbol");
  EXPECT_EQ(not_found.status, 3) << not_found.err;
  EXPECT_NE(not_found.err.find("the lock was not found in time: "), std::string::npos)
      << not_found.err;
  EXPECT_EQ(not_found.out, "");
}

TEST_F(Locks, OfAConditionAreItsWaits) {
  auto contender = Contender::start({"sort", "cond", "threads", "2"});
  ASSERT_TRUE(contender) << contender.error().message;
  const auto seen = record(*contender, "cond@watched_condition", 200);
  ASSERT_TRUE(seen) << seen.error().message;
  const GilCounts& gil = seen->gil();
  EXPECT_EQ(gil.doubt, "");
  EXPECT_GT(*gil.sleeps, 0u);
  EXPECT_EQ(gil.contended + gil.woken_lost + gil.timed_out, 0u);
  ASSERT_TRUE(gil.waits_begun && gil.unslept);
  EXPECT_EQ(*gil.sleeps + *gil.unslept, *gil.waits_begun + *gil.waits_begun_again);
  EXPECT_EQ(seen->holder_preempted(), 0u);
}

TEST_F(Locks, SeeTheWriterOfAnRwlockAndTheSleepsOfAll) {
  for (const char* sort : {"rwlock", "readers"}) {
    auto contender = Contender::start({"sort", sort, "threads", "4"});
    ASSERT_TRUE(contender) << contender.error().message;
    const auto seen = record(*contender, "rwlock@watched_rwlock", 300);
    ASSERT_TRUE(seen) << seen.error().message;
    const GilCounts& gil = seen->gil();
    const OwnCounts& own = seen->own;
    EXPECT_EQ(gil.doubt, "");
    const uint64_t few = 2 + own.slept / 100;
    EXPECT_NEAR(double(*gil.sleeps), double(own.slept + own.lost), double(few)) << sort;
    EXPECT_LE(gil.contended, own.slept + few) << sort;
    EXPECT_GE(gil.contended + *gil.undecided + few, own.slept) << sort;
    if (sort == std::string("rwlock")) {
      EXPECT_GE(seen->holder_preempted() + few, own.preempted);
      EXPECT_LE(seen->holder_preempted(), own.preempted + own.preempted / 4 + 20);
    }
  }
}

}  // namespace
}  // namespace gilscope
