// Real interpreters in experiments: a model and python3 in one plan, and scripts that do not keep
// the protocol, each of which fails its run by name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>

#include "tests/kernel/kernel_test.h"
#include "tests/unit/temporary_directory.h"
#include "userspace/experiment/experiment.h"
#include "userspace/experiment/program/command_runner.h"
#include "userspace/experiment/program/program_runner.h"
#include "userspace/report/invariants.h"
#include "userspace/report/json.h"

namespace gilscope {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

const std::string kPython = "python:/usr/bin/python3";

// The part of the protocol that scripts of these tests share.
const std::string kBegin = R"(
import json, os, sys, threading, time
task = json.loads(sys.argv[1])
def say(text): os.write(task['results'], text.encode() + b'\n')
def word():
    read = b''
    while not read.endswith(b'\n'):
        part = os.read(task['gate'], 1)
        if not part: os._exit(1)
        read += part
    return read.decode().strip()
def ready(n=1): say(json.dumps({'ready': {'clock': 'monotonic', 'threads':
    [{'name': 'main', 'tid': os.getpid()}] + [{'name': 'worker-%d' % (i + 1), 'tid': None} for i in range(n)]}}))
def done(ns=1000, n=1): say(json.dumps({'done': {'wall_ns': ns, 'threads':
    [{'name': 'worker-%d' % (i + 1), 'operations': 1, 'active_ns': 1} for i in range(n)], 'results': {}}}))
)";

class ProgramsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists("/usr/bin/python3")) GTEST_SKIP() << "no python3";
    auto inherited = Inherited::look();
    ASSERT_TRUE(inherited);
    owner_.inherited = *inherited;
    auto watched = Interrupt::watch();
    ASSERT_TRUE(watched) << watched.error().message;
    interrupt_ = std::move(*watched);
    auto files = look_at_interpreters(std::vector<std::string>{kPython}, owner_);
    ASSERT_TRUE(files) << files.error().message;
    files_ = *files;
  }

  // Runs a script of the test's, untraced, with one measured thread.
  gilscope::Run run_script(const std::string& script, ProgramPatience patience = {}) {
    Cell cell = make_cell(kPython, "count:n=1k", 1, all_cpus());
    ProgramRunner::Options options;
    options.script = kBegin + script;
    options.patience = patience;
    auto run = ProgramRunner(nullptr, owner_, *interrupt_).run(cell, files_.at(kPython), options);
    if (!run) {
      ADD_FAILURE() << run.error().message;
      return {};
    }
    return std::move(*run);
  }

  std::string failure_of(const std::string& script, ProgramPatience patience = {}) {
    const gilscope::Run run = run_script(script, patience);
    EXPECT_EQ(run.status, "failed");
    EXPECT_EQ(run.failure.find('\n'), std::string::npos);
    // Nothing of it is left.
    EXPECT_TRUE(run.pid && ::kill(*run.pid, 0) != 0);
    return run.failure;
  }

  ProgramOwner owner_;
  std::optional<Interrupt> interrupt_;
  InterpreterFiles files_;
};

TEST_F(ProgramsTest, RunBesideModelsInOneExperiment) {
  const TemporaryDirectory directory;
  auto out = OutDir::open(directory / "out");
  ASSERT_TRUE(out) << out.error().message;
  Spec spec;
  spec.policies = {"check-interval:100", kPython};
  spec.workloads = {"count:n=20k"};
  spec.blocks = 1;
  spec.warmup = 0;
  auto good = checked(spec);
  ASSERT_TRUE(good) << good.error().message;
  const auto limiter = make_affinity_limiter();
  ExperimentOptions options{.spec = *good,
                            .spec_text = to_toml(*good),
                            .out = &*out,
                            .limiter = *limiter,
                            .owner = owner_,
                            .programs = files_};
  const auto report = run_experiment(options, *interrupt_);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->status, "done");
  EXPECT_THAT(broken_invariants(*report), IsEmpty());
  ASSERT_EQ(report->cells.size(), 4u);
  for (const Cell& cell : report->cells) {
    EXPECT_EQ(cell.subject.has_value(), cell.policy == kPython);
    ASSERT_EQ(cell.runs.size(), 2u);
    for (const gilscope::Run& run : cell.runs) {
      ASSERT_EQ(run.status, "done") << cell.policy << ": " << run.failure;
      EXPECT_GT(run.wall_ns, 0u);
      EXPECT_EQ(run.workload.at("operations"), 40'000);
      EXPECT_EQ(run.threads.size(), 3u);
      EXPECT_EQ(run.threads[1].role, "worker");
      EXPECT_EQ(run.threads[1].operations, 20'000u);
      EXPECT_EQ(run.segments_file.empty(), !run.traced());
      if (!cell.subject) continue;
      EXPECT_EQ(cell.subject->interpreter, "CPython");
      EXPECT_EQ(cell.subject->pid, 0);
      EXPECT_TRUE(cell.subject->gil);
      EXPECT_TRUE(run.pid);
      EXPECT_EQ(run.threads[2].name, "worker-2");
      EXPECT_FALSE(run.gil.acquires);
      EXPECT_EQ(run.gil.undecided.has_value(), run.traced());
      if (!run.traced()) continue;
      // The window is around what the script measured, and the threads ran within it.
      EXPECT_GE(*run.window_ns, run.wall_ns);
      EXPECT_GT(run.threads[1].trace.value().segments, 0u);
      EXPECT_GT(run.segment_records, 0u);
    }
  }
  // Numbers that are unknown of an untraced run stay so when it is read again.
  const auto again = read_report((directory / "out") + "/report.json");
  ASSERT_TRUE(again) << again.error().message;
  for (size_t c = 0; c < report->cells.size(); ++c) {
    EXPECT_EQ(again->cells[c].subject, report->cells[c].subject);
    for (size_t r = 0; r < report->cells[c].runs.size(); ++r) {
      EXPECT_EQ(again->cells[c].runs[r].gil, report->cells[c].runs[r].gil);
      EXPECT_EQ(again->cells[c].runs[r].threads, report->cells[c].runs[r].threads);
    }
  }
}

// A shell is there on every machine; what it runs has no GIL.
TEST_F(ProgramsTest, MayBeAnyCommand) {
  const std::string gated =
      "program:gate=fd,/bin/sh -c 'read go </dev/fd/$GILSCOPE_GATE_FD; exit $GILSCOPE_THREADS'";
  const auto run = [&](const std::string& policy, int threads) {
    Cell cell = make_cell(*canonical_policy(policy), "own", threads, all_cpus());
    auto run = CommandRunner(nullptr, owner_, *interrupt_).run(cell, {});
    EXPECT_TRUE(run) << run.error().message;
    return run ? *run : gilscope::Run();
  };
  const gilscope::Run slept = run("program:/bin/sleep 0.05", 1);
  EXPECT_EQ(slept.status, "done") << slept.failure;
  EXPECT_GE(slept.wall_ns, 50'000'000u);
  EXPECT_THAT(run("program:/bin/false", 1).failure, HasSubstr("ended with status 1"));
  EXPECT_THAT(run("program:/none/such", 1).failure, HasSubstr("cannot execute '/none/such'"));
  // It was told the number of threads, after the gate.
  EXPECT_THAT(run(gated, 7).failure, HasSubstr("ended with status 7"));
  EXPECT_THAT(run("program:gate=fd,/bin/true", 1).failure, HasSubstr("before it waited"));
}

TEST_F(ProgramsTest, HaveAScriptThatKeepsTheProtocol) {
  const gilscope::Run run = run_script("ready(); word(); done(); word()");
  EXPECT_EQ(run.status, "done") << run.failure;
  EXPECT_EQ(run.wall_ns, 1000u);
}

TEST_F(ProgramsTest, FailByNameWhereTheScriptFails) {
  EXPECT_THAT(failure_of("say('{\"failed\":\"no such port\"}'); sys.exit(1)"),
              HasSubstr("the script says: no such port"));
  EXPECT_THAT(failure_of("raise ValueError('a fault of its own')"),
              HasSubstr("ended with status 1: ValueError: a fault of its own"));
  EXPECT_THAT(failure_of("os._exit(0)"), HasSubstr("ended with status 0"));
  EXPECT_THAT(failure_of("ready(); word(); done(); word(); os._exit(3)"),
              HasSubstr("ended with status 3"));
}

TEST_F(ProgramsTest, FailByNameWhereTheScriptHangs) {
  constexpr uint64_t kMs = 1'000'000;
  // Long enough for an interpreter to start, so that each hangs where it is meant to.
  EXPECT_THAT(failure_of("time.sleep(1000)", {.ready_ns = 300 * kMs}),
              HasSubstr("did not get ready in time"));
  EXPECT_THAT(failure_of("ready(); word(); time.sleep(1000)", {.done_ns = 300 * kMs}),
              HasSubstr("did not get done in time"));
  EXPECT_THAT(failure_of("ready(); word(); done(); time.sleep(1000)", {.answer_ns = 300 * kMs}),
              HasSubstr("did not end in time"));
}

TEST_F(ProgramsTest, FailByNameWhereTheScriptWritesRubbish) {
  EXPECT_THAT(failure_of("say('Traceback')"), HasSubstr("'Traceback' to its results pipe"));
  EXPECT_THAT(failure_of("say('{\"done\":7}')"), HasSubstr("no \"done\" of the protocol"));
  EXPECT_THAT(failure_of("while True: os.write(task['results'], b'x' * 65536)"),
              HasSubstr("a line of more than"));
  EXPECT_THAT(failure_of("while True: say('{\"resting\":true}')"), HasSubstr("said"));
  EXPECT_THAT(failure_of("ready(5)"), HasSubstr("has 6 threads, and the run needs 2"));
  EXPECT_THAT(failure_of("ready(); word(); done(n=3); word()"), HasSubstr("accounts for 3"));
  EXPECT_THAT(failure_of("ready(); word(); done(ns=10**18); word()"), HasSubstr("have passed"));
  EXPECT_THAT(failure_of("ready(); word(); say('{\"samples_ns\":[1],\"thread\":1}')"),
              HasSubstr("latencies that nobody asked for"));
}

TEST_F(ProgramsTest, FailByNameWhereASignalEndsTheScript) {
  EXPECT_THAT(failure_of("os.kill(os.getpid(), 9)"), HasSubstr("killed by signal 9"));
  EXPECT_THAT(failure_of("ready(); word(); os.kill(os.getpid(), 11)"),
              HasSubstr("killed by signal 11"));
}

}  // namespace
}  // namespace gilscope
