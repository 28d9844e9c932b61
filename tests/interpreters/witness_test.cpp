// gilscope's report of a real interpreter against a witness of the same seconds: futex system calls
// with their results, and probes on the interpreter's calls into glibc.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <thread>

#include "tests/interpreters/ours.h"
#include "tests/interpreters/subjects.h"
#include "tests/interpreters/table.h"
#include "tests/interpreters/witness.h"
#include "tests/kernel/program.h"
#include "userspace/base/time.h"
#include "userspace/subject/subject.h"

namespace gilscope::witness {
namespace {

struct Work {
  std::string name, program;
  std::vector<std::string> arguments;
  bool quick;  // among those that every run of the tests has
};

// The rules were made with the first five in view.
const Work kWork[] = {
    {"count", "count.py", {}, true},        {"echo", "echo.py", {"1"}, false},
    {"echo_3", "echo.py", {"3"}, true},     {"pipes", "pipes.py", {"2", "1"}, false},
    {"convoy", "convoy.py", {}, true},      {"compress", "compress.py", {}, true},
    {"files", "files.py", {}, false},       {"sleepers", "sleepers.py", {}, true},
    {"queues", "queues.py", {}, true},      {"conditions", "conditions.py", {}, false},
    {"many", "many.py", {}, false},         {"storm", "storm.py", {}, false},
    {"allocate", "allocate.py", {}, false}, {"children", "children.py", {}, false},
    {"web", "web.py", {}, false},
};

struct Case {
  Installed interpreter;
  Work work;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.work.name << " by " << c.interpreter.path;
}

bool thorough() {
  return std::getenv("GILSCOPE_EVERY_PROGRAM") != nullptr;
}

std::vector<Case> cases() {
  std::vector<Case> list;
  for (const Installed& interpreter : installed()) {
    if (interpreter.name.starts_with("ruby") || interpreter.name.starts_with("jython")) continue;
    for (const Work& work : kWork) {
      // A GIL that is found by observation is not found where its threads hardly contend.
      if (interpreter.name.starts_with("pypy") && work.name == "compress") continue;
      if (work.quick || thorough()) list.push_back({interpreter, work});
    }
  }
  return list;
}

std::string name_of(const ::testing::TestParamInfo<Case>& info) {
  std::string name = info.param.interpreter.name + "_" + info.param.work.name;
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

// Context switches of the threads that are there, by the kernel.
uint64_t switches_of(pid_t pid) {
  uint64_t sum = 0;
  std::error_code error;
  std::filesystem::directory_iterator task(fmt::format("/proc/{}/task", pid), error);
  for (; !error && task != std::filesystem::directory_iterator(); task.increment(error)) {
    std::ifstream status(task->path() / "status");
    for (std::string line; std::getline(status, line);) {
      const size_t at = line.find("ctxt_switches:");
      if (at != line.npos) sum += std::strtoull(line.c_str() + at + 14, nullptr, 10);
    }
  }
  return sum;
}

// One attachment beside a witness.
struct Held {
  Ours ours;
  Seen least, most;  // events well within the window, and those near its edges, too
  bool quiet;        // nothing happened at the edges of the window
  bool semaphore, fast;
  uint64_t switches_at_work = 0, switches_in_all = 0;  // by /proc
  bool same_threads = false;                           // none began or ended
};

constexpr uint64_t kEdgeNs = 5'000'000;

void sleep_s(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

// It says so just before it opens its window.
void wait_until_recording(const std::string& said) {
  for (int tries = 0; tries < 3000; ++tries) {
    std::ifstream file(said);
    std::string line;
    if (std::getline(file, line) && line.find("recording process") != std::string::npos) break;
    sleep_s(0.01);
  }
  sleep_s(0.2);
}

// The mutex of PyPy's is found where a thread was seen to sleep for it; attach may find one that
// the witness did not.
bool is_whole(const Result<Subject>& subject) {
  if (!subject || subject->gils.empty()) return false;
  const gilscope_gil& gil = subject->gils.front().gil;
  return gil.kind != GILSCOPE_GIL_FAST || gil.mutex != 0;
}

class Witnessed : public ::testing::Test {
 protected:
  // Attaches for `seconds` of work. The gate is closed when the window opens and when it closes, so
  // that it holds all that was done; `in_mid_run` attaches and detaches while it is open.
  std::optional<Held> hold(const Installed& interpreter, const Work& work, double seconds,
                           bool in_mid_run) {
    auto at_work = AtWork::start(interpreter, work.program, work.arguments);
    if (!at_work) {
      ADD_FAILURE() << at_work.error().message;
      return std::nullopt;
    }
    // The finder may need to see threads contend.
    auto subject = in_mid_run ? Result<Subject>(fail("not yet")) : find_subject(at_work->pid());
    const bool quiet = subject.has_value();
    if (!quiet) {
      // Longer than it takes: it is killed in the end. Some of the programs contend seldom.
      if (Status went = at_work->go(seconds + 40); !went) ADD_FAILURE() << went.error().message;
      for (int tries = 0; tries < 10 && !is_whole(subject); ++tries) {
        sleep_s(0.3);
        subject = find_subject(at_work->pid());
      }
    }
    if (!subject || subject->gils.empty()) {
      ADD_FAILURE() << (subject ? "no GIL" : subject.error().message);
      return std::nullopt;
    }
    const gilscope_gil& gil = subject->gils.front().gil;
    auto witness = GilWitness::attach(at_work->pid(), gil);
    if (!witness) {
      ADD_FAILURE() << witness.error().message;
      return std::nullopt;
    }
    Held held;
    held.quiet = quiet;
    held.semaphore = gil.kind == GILSCOPE_GIL_SEMAPHORE;
    held.fast = gil.kind == GILSCOPE_GIL_FAST;
    const std::string out = scratch_.path(fmt::format("{}-{}", interpreter.name, work.name));
    const uint64_t before_ns = monotonic_ns();
    const uint64_t switches_before = switches_of(at_work->pid());
    const std::string said = out + ".said";
    std::string command =
        fmt::format("exec {} attach {} --out {} 2>{}", program(), at_work->pid(), out, said);
    if (!quiet) command += fmt::format(" --for {:.0f}ms", seconds * 1000);
    Process attach({"/bin/sh", "-c", command});
    uint64_t went_ns = 0, done_ns = UINT64_MAX;
    if (quiet) {
      wait_until_recording(said);
      const uint64_t switches_at_gate = switches_of(at_work->pid());
      went_ns = monotonic_ns();
      if (Status went = at_work->go(seconds); !went) ADD_FAILURE() << went.error().message;
      if (auto done = at_work->done(); !done) ADD_FAILURE() << done.error().message;
      sleep_s(0.02);
      done_ns = monotonic_ns();
      held.switches_at_work = switches_of(at_work->pid()) - switches_at_gate;
      attach.signal(SIGINT);
    }
    const Ended ended = attach.wait();
    held.switches_in_all = switches_of(at_work->pid()) - switches_before;
    held.same_threads = work.program != "storm.py" && work.program != "web.py";
    const std::vector<witness_event> events = witness->end();
    EXPECT_EQ(witness->lost(), 0u);
    EXPECT_EQ(ended.status, 0) << shell("cat " + said).out;
    auto ours = read_ours(out, static_cast<uint64_t>(at_work->pid()));
    if (!ours || !ours->opened_ns || !ours->window_ns) {
      ADD_FAILURE() << (ours ? "no window" : ours.error().message);
      return std::nullopt;
    }
    held.ours = *ours;
    EXPECT_GE(*ours->opened_ns, before_ns);
    if (quiet && (*ours->opened_ns >= went_ns || ours->closed_ns() < done_ns)) {
      ADD_FAILURE() << "the window does not hold the work";
      return std::nullopt;
    }
    held.least = add_up(events, gil, *ours->opened_ns + kEdgeNs, ours->closed_ns() - kEdgeNs);
    held.most = add_up(events, gil, *ours->opened_ns - kEdgeNs, ours->closed_ns() + kEdgeNs);
    expect_valid(out);
    if (!quiet) return held;  // killed: it has seconds to go
    EXPECT_EQ(at_work->end(), 0) << "the program must not notice";
    return held;
  }

  void expect_valid(const std::string& out) {
    const Ended valid = gilscope_run({"validate", out});
    EXPECT_EQ(valid.status, 0) << valid.out << valid.err;
  }

  // Threads that are in the middle of an attempt when the window opens or closes.
  static constexpr uint64_t kThreads = 20;

  static void expect_between(const char* what, const Ours::Count& ours, uint64_t least,
                             uint64_t most, uint64_t slack) {
    ASSERT_TRUE(ours) << what;
    EXPECT_GE(*ours + slack, least) << what;
    EXPECT_LE(*ours, most + slack) << what;
  }

  // One kind: we decide it seldom more often than it happened, and what we lack is undecided, or
  // never slept.
  static void expect_kind(const char* what, const Ours::Count& ours, uint64_t theirs,
                          uint64_t unknown, uint64_t slack) {
    ASSERT_TRUE(ours) << what;
    EXPECT_LE(*ours, theirs + slack) << what;
    EXPECT_LE(theirs, *ours + unknown + slack) << what;
  }

  static void expect_agreement(const Held& held) {
    const Ours& ours = held.ours;
    EXPECT_EQ(ours.doubt, "");
    const uint64_t edges = held.quiet ? 0 : kThreads;
    const uint64_t least = held.least.sleeps;
    uint64_t most = held.most.sleeps;
    // PyPy queues for its turn on the mutex, whose address only contention for it tells.
    if (held.fast) most += held.most.mutex_sleeps;
    expect_between("sleeps for the GIL", ours.sleeps, least, most, edges);
    expect_between("sleeps for its mutex", ours.mutex_sleeps,
                   held.fast ? 0 : held.least.mutex_sleeps, held.most.mutex_sleeps, edges);
    expect_between("stalled releases", ours.release_stalls, held.least.release_stalls,
                   held.most.release_stalls, edges);
    expect_between("holder preempted", ours.holder_preempted, held.least.holder_preempted,
                   held.most.holder_preempted, edges + 1 + most / 100);
    if (!held.semaphore && !held.fast) {
      // The wait in which the first look at the words falls may have begun before it.
      expect_between("waits begun", ours.waits_begun, held.least.waits, held.most.waits, edges + 1);
    }
    if (held.semaphore) {
      // The semaphore counts no changes of holder, so what it cannot be told to have had, a thread
      // is taken to have lost: contended is a lower bound, and woken_lost an upper one.
      const Kinds& theirs = held.most.kinds_slept;
      const uint64_t slack = edges + 2 + theirs.sum() / 50;
      ASSERT_TRUE(ours.contended && ours.woken_lost && ours.timed_out);
      EXPECT_LE(*ours.contended, theirs.contended + slack);
      EXPECT_GE(*ours.woken_lost + ours.undecided.value_or(0) + slack, theirs.woken_lost);
      EXPECT_EQ(*ours.timed_out, 0u);
    } else if (!held.fast) {
      const Kinds& theirs = held.most.kinds;
      const uint64_t unknown = ours.undecided.value_or(0) + ours.unslept.value_or(0);
      const uint64_t slack = edges + 2 + theirs.sum() / 50;
      expect_kind("contended", ours.contended, theirs.contended, unknown, slack);
      expect_kind("woken_lost", ours.woken_lost, theirs.woken_lost, unknown, slack);
      expect_kind("timed_out", ours.timed_out, theirs.timed_out, unknown, slack);
    }
    if (held.quiet && held.same_threads) {
      EXPECT_GE(ours.segments + kThreads, held.switches_at_work);
      EXPECT_LE(ours.segments, held.switches_in_all + kThreads);
    }
  }

  Scratch scratch_;
};

class Agreement : public Witnessed, public ::testing::WithParamInterface<Case> {};

TEST_P(Agreement, WithTheWitness) {
  const Case& c = GetParam();
  const auto held = hold(c.interpreter, c.work, thorough() ? 1 : 0.7, false);
  ASSERT_TRUE(held);
  expect_agreement(*held);
  EXPECT_GT(held->most.sleeps, 0u) << "the program does not contend";
  add_row({c.work.name, c.interpreter.name, held->ours, held->least, held->most});
}

INSTANTIATE_TEST_SUITE_P(Every, Agreement, ::testing::ValuesIn(cases()), name_of);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Agreement);

TEST_F(Witnessed, InMidRun) {
  for (const Installed& interpreter : installed()) {
    if (interpreter.name != "python3" && !thorough()) continue;
    if (interpreter.name.starts_with("ruby") || interpreter.name.starts_with("jython")) continue;
    SCOPED_TRACE(interpreter.name);
    const auto held = hold(interpreter, kWork[2], 1, true);
    ASSERT_TRUE(held);
    expect_agreement(*held);
  }
}

}  // namespace
}  // namespace gilscope::witness
