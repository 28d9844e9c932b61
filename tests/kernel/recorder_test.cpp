// The recorder on real interpreters: whatever processes and threads do, each has its counts, and
// the self-test finds a wrong address out.
#include "userspace/recording/recorder.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "tests/kernel/kernel_test.h"
#include "userspace/recording/child.h"
#include "userspace/report/invariants.h"
#include "userspace/report/out_dir.h"

namespace gilscope {
namespace {

using namespace std::chrono_literals;

const std::string kBusy = R"(
import threading, time
def busy(end):
    n = 0
    while time.time() < end:
        for i in range(1000): n += i
def run(seconds, threads=2):
    end = time.time() + seconds
    ts = [threading.Thread(target=busy, args=(end,)) for i in range(threads)]
    for t in ts: t.start()
    for t in ts: t.join()
)";

class RecorderTest : public ::testing::Test {
 protected:
  // Runs the script on Debian's own Python, recorded from its first instruction.
  std::optional<Report> record(const std::string& script, Recorder::Options options = {}) {
    const auto inherited = Inherited::look();
    if (!inherited) {
      ADD_FAILURE() << inherited.error().message;
      return {};
    }
    options.argv = {"python3", "-c", script};
    options.command = "python3 -c ...";
    auto recorder = Recorder::start(options);
    if (!recorder) {
      ADD_FAILURE() << recorder.error().message;
      return {};
    }
    ChildOptions of_child;
    of_child.in_child = recorder->in_child();
    of_child.inherited = *inherited;
    auto child = Child::start({"/usr/bin/python3", "-c", script}, of_child);
    if (!child) {
      ADD_FAILURE() << child.error().message;
      return {};
    }
    EXPECT_TRUE(recorder->open());
    EXPECT_TRUE(child->release());
    pollfd ended = {child->fd(), POLLIN, 0};
    while (::poll(&ended, 1, std::min(recorder->timeout_ms(), 20)) == 0) {
      EXPECT_TRUE(recorder->step());
    }
    EXPECT_EQ(child->wait().exit_status(), 0);
    EXPECT_TRUE(recorder->close());
    auto report = recorder->finish(nullptr, "done");
    if (!report) {
      ADD_FAILURE() << report.error().message;
      return {};
    }
    return std::move(*report);
  }

  static uint64_t failed(const gilscope::Run& run) { return run.gil.failed(); }
};

TEST_F(RecorderTest, CountsWhatTheSelfTestAgreesWith) {
  const auto report = record(kBusy + "run(1)");
  ASSERT_TRUE(report);
  ASSERT_EQ(report->cells.size(), 1u);
  const gilscope::Run& run = report->cells[0].runs[0];
  EXPECT_EQ(run.gil.doubt, "");
  EXPECT_GT(failed(run), 20u);
  EXPECT_EQ(*run.gil.sleeps + *run.gil.unslept - *run.gil.waits_begun_again, *run.gil.waits_begun);
  EXPECT_TRUE(broken_invariants(*report).empty()) << broken_invariants(*report)[0];
  EXPECT_FALSE(run.gil.acquires);
  EXPECT_GT(*run.gil.acquired_after_wait, 10u);
}

// A wrong address is found out by its words, or because glibc counts what nobody was seen to do.
TEST_F(RecorderTest, FindsAWrongAddressOut) {
  for (const uint64_t wrong_by : {8u, 16u, 48u, 64u, 4096u, 1u << 20}) {
    const auto report = record(kBusy + "run(0.7)", {.wrong_by = wrong_by});
    ASSERT_TRUE(report) << wrong_by;
    ASSERT_EQ(report->cells.size(), 1u) << wrong_by;
    EXPECT_NE(report->cells[0].runs[0].gil.doubt, "") << wrong_by;
  }
}

// Each process of a program that forks has its own GIL, and its own counts.
TEST_F(RecorderTest, GivesEachForkedProcessItsCell) {
  const auto report = record(kBusy + R"(
import os
pids = []
for i in range(3):
    pid = os.fork()
    if pid == 0:
        run(0.8)
        os._exit(0)
    pids.append(pid)
for pid in pids: os.waitpid(pid, 0)
)");
  ASSERT_TRUE(report);
  ASSERT_EQ(report->cells.size(), 4u);
  std::set<int> pids;
  for (size_t i = 0; i < report->cells.size(); ++i) {
    pids.insert(report->cells[i].subject->pid);
    const gilscope::Run& run = report->cells[i].runs[0];
    EXPECT_EQ(run.gil.doubt, "");
    EXPECT_EQ(run.threads.size(), i == 0 ? 1u : 3u);
    if (i > 0) EXPECT_GT(failed(run), 5u);
    EXPECT_EQ(std::ranges::count(run.threads, "main", &gilscope::Thread::role), 1);
  }
  EXPECT_EQ(pids.size(), 4u);
  EXPECT_TRUE(broken_invariants(*report).empty()) << broken_invariants(*report)[0];
}

// A process that executes another program counts as another one from then on.
TEST_F(RecorderTest, BeginsAnewWithAnExecutedProgram) {
  const auto report = record(kBusy + R"(
run(0.5)
import os
os.execv('/usr/bin/python3', ['python3', '-c', """)" +
                             kBusy + R"(
run(0.5, 3)
"""])
)");
  ASSERT_TRUE(report);
  ASSERT_EQ(report->cells.size(), 2u);
  EXPECT_EQ(report->cells[0].subject->pid, report->cells[1].subject->pid);
  for (const Cell& cell : report->cells) {
    EXPECT_EQ(cell.runs[0].gil.doubt, "");
    EXPECT_GT(failed(cell.runs[0]), 5u);
  }
  EXPECT_EQ(report->cells[1].runs[0].threads.size(), 4u);
}

// Threads that come and go by thousands: each has its row, whatever places they had in the tables.
TEST_F(RecorderTest, FollowsMoreThreadsThanItHasPlaces) {
  const auto report = record(R"(
import threading, time
for round in range(60):
    ts = [threading.Thread(target=time.sleep, args=(0.001,)) for i in range(20)]
    for t in ts: t.start()
    for t in ts: t.join()
    time.sleep(0.02)
)",
                             {.max_threads = 256});
  ASSERT_TRUE(report);
  ASSERT_EQ(report->cells.size(), 1u);
  const gilscope::Run& run = report->cells[0].runs[0];
  EXPECT_EQ(run.threads.size() + run.lost->untracked_threads, 1201u);
  EXPECT_EQ(run.lost->untracked_threads, 0u);
  std::set<uint32_t> tids;
  for (const gilscope::Thread& thread : run.threads) tids.insert(thread.trace->tid);
  EXPECT_EQ(tids.size(), run.threads.size());
  EXPECT_TRUE(broken_invariants(*report).empty()) << broken_invariants(*report)[0];
}

// A thread that finds no place is counted.
TEST_F(RecorderTest, CountsThreadsForWhichItHasNoPlace) {
  const auto report = record(R"(
import threading, time
all_there = threading.Event()
ts = [threading.Thread(target=all_there.wait) for i in range(20)]
for t in ts: t.start()
time.sleep(0.3)
all_there.set()
for t in ts: t.join()
)",
                             {.max_threads = 8});
  ASSERT_TRUE(report);
  ASSERT_EQ(report->cells.size(), 1u);
  const gilscope::Run& run = report->cells[0].runs[0];
  EXPECT_GT(run.lost->untracked_threads, 0u);
  EXPECT_LE(run.lost->untracked_threads, 14u);
}

TEST_F(RecorderTest, KnowsThreadsByTheNamesThatTheyHaveLast) {
  const auto report = record(R"(
import ctypes, threading, time
libc = ctypes.CDLL(None)
def named():
    libc.prctl(15, b'first name', 0, 0, 0)
    time.sleep(0.05)
    libc.prctl(15, b'last name', 0, 0, 0)
    time.sleep(0.2)
t = threading.Thread(target=named)
t.start()
t.join()
time.sleep(0.2)
)");
  ASSERT_TRUE(report);
  ASSERT_EQ(report->cells.size(), 1u);
  const auto& threads = report->cells[0].runs[0].threads;
  EXPECT_EQ(std::ranges::count(threads, "last name", &gilscope::Thread::name), 1);
}

}  // namespace
}  // namespace gilscope
