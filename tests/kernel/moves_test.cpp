// A thread that is moved between two CPUs on purpose, while it computes and while it sleeps: every
// move is known beforehand, and the thread's sched file has the kernel's own count of them.
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <thread>

#include "tests/kernel/kernel_test.h"
#include "userspace/base/mapping.h"

namespace gilscope {
namespace {

constexpr uint64_t kMoves = 40;  // of each kind; even, so that the thread ends where it began

// The kernel's accounts of the calling thread, from /proc/thread-self/sched.
struct SchedFile {
  uint64_t migrations = 0, voluntary = 0, involuntary = 0;

  static SchedFile read() {
    SchedFile accounts;
    std::ifstream file("/proc/thread-self/sched");
    for (std::string line; std::getline(file, line);) {
      unsigned long long value;
      if (std::sscanf(line.c_str(), "se.nr_migrations : %llu", &value) == 1) {
        accounts.migrations = value;
      } else if (std::sscanf(line.c_str(), "nr_voluntary_switches : %llu", &value) == 1) {
        accounts.voluntary = value;
      } else if (std::sscanf(line.c_str(), "nr_involuntary_switches : %llu", &value) == 1) {
        accounts.involuntary = value;
      }
    }
    return accounts;
  }
  SchedFile operator-(const SchedFile& other) const {
    return {migrations - other.migrations, voluntary - other.voluntary,
            involuntary - other.involuntary};
  }
};

// The child's report to the test.
struct Sheet {
  std::atomic<int> cpu;         // the CPU on which the thread computes
  std::atomic<uint64_t> woken;  // how often it woke from its sleep
  std::atomic<int> stage;       // 1 computing, 2 sleeping
  std::atomic<bool> ok;
  SchedFile traced, slack;  // between entering and leaving; around either
};

void keep_to(pid_t tid, int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(tid, sizeof(set), &set)) _exit(2);
}

bool sleeps(pid_t tid) {
  std::ifstream file(fmt::format("/proc/self/task/{}/stat", tid));
  std::string line;
  std::getline(file, line);
  size_t name_end = line.rfind(')');
  return name_end != std::string::npos && line.substr(name_end + 2, 1) == "S";
}

template <typename Condition>
void wait_until(Condition condition) {
  while (!condition()) ::usleep(50);
}

class Moved {
 public:
  Moved(Sheet& sheet, const TraceControl& tracing, int from, int to)
      : sheet_(sheet), tracing_(tracing), cpus_{from, to} {}

  // Runs in the forked child. Its main thread, which is not traced, moves the other.
  bool run() {
    if (!tracing_.open_window()) return false;
    std::atomic<pid_t> tid = 0;
    std::thread thread([&] {
      keep_to(0, cpus_[0]);
      tid = static_cast<pid_t>(syscall(SYS_gettid));
      be_moved();
    });
    wait_until([&] { return tid != 0 && sheet_.stage == 1; });
    for (uint64_t move = 1; move <= kMoves; ++move) {
      int to = cpus_[move % 2];
      keep_to(tid, to);
      wait_until([&] { return sheet_.cpu == to; });  // it runs there, so the move was counted
    }
    sheet_.stage = 2;
    for (uint64_t move = 1; move <= kMoves; ++move) {
      wait_until([&] { return sheet_.woken == move - 1 && sleeps(tid); });
      keep_to(tid, cpus_[move % 2]);
      uint64_t one = 1;
      if (write(event_, &one, sizeof(one)) != sizeof(one)) return false;
    }
    thread.join();
    return sheet_.ok && tracing_.close_window();
  }

 private:
  void be_moved() {
    SchedFile before = SchedFile::read();
    if (!tracing_.enter(0)) return;
    SchedFile entered = SchedFile::read();
    sheet_.stage = 1;
    while (sheet_.stage == 1) sheet_.cpu = sched_getcpu();
    for (uint64_t move = 0; move < kMoves; ++move) {
      uint64_t events;
      if (read(event_, &events, sizeof(events)) != sizeof(events)) return;
      sheet_.woken += 1;
    }
    SchedFile left = SchedFile::read();
    if (!tracing_.leave()) return;
    SchedFile after = SchedFile::read();
    sheet_.traced = left - entered;
    SchedFile at_start = entered - before, at_end = after - left;
    sheet_.slack = {at_start.migrations + at_end.migrations, at_start.voluntary + at_end.voluntary,
                    at_start.involuntary + at_end.involuntary};
    sheet_.ok = true;
  }

  Sheet& sheet_;
  const TraceControl& tracing_;
  int cpus_[2];
  int event_ = eventfd(0, 0);
};

uint64_t apart(uint64_t a, uint64_t b) {
  return a > b ? a - b : b - a;
}

const CpuTrace& per_cpu_of(const Run& run, int cpu) {
  for (const CpuTrace& per_cpu : run.cpus) {
    if (per_cpu.cpu == cpu) return per_cpu;
  }
  static const CpuTrace none;
  return none;
}

struct Outcome {
  gilscope::Run run;
  SchedFile kernel, slack;
};

class Moves : public KernelTest, public ::testing::WithParamInterface<bool> {
 protected:
  std::optional<Outcome> move_about(const std::vector<int>& cpus) {
    Outcome outcome;
    if (Status done = try_to_move(cpus, outcome); !done) {
      ADD_FAILURE() << done.error().message;
      return std::nullopt;
    }
    return outcome;
  }

 private:
  Status try_to_move(const std::vector<int>& cpus, Outcome& outcome) {
    auto sheet = Mapping<Sheet>::shared_anonymous(1);
    if (!sheet) return fail(sheet.error());
    auto nothing = [](std::span<const gilscope_segment>) { return Status(); };
    if (Status begun = tracer_->begin(nothing, false); !begun) return begun;
    TraceControl tracing = tracer_->control();
    pid_t pid = fork();
    if (pid < 0) return fail_errno("fork");
    if (pid == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      _exit(Moved((*sheet)[0], tracing, cpus[0], cpus[1]).run() ? 0 : 1);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    if (status) return fail("the child that was to be moved failed");
    outcome.run.threads.resize(1);
    if (Status ended = tracer_->end(outcome.run, cpus); !ended) return ended;
    if (!outcome.run.threads[0].trace) return fail("the thread that was moved was not traced");
    outcome.kernel = (*sheet)[0].traced;
    outcome.slack = (*sheet)[0].slack;
    return {};
  }
};

void expect_known_moves(const Outcome& outcome, const std::vector<int>& cpus) {
  const ThreadTrace& trace = *outcome.run.threads[0].trace;
  const SchedFile &kernel = outcome.kernel, &slack = outcome.slack;
  // The thread may use one CPU at a time, so it moves only when it is told to.
  EXPECT_EQ(kernel.migrations, 2 * kMoves);
  EXPECT_EQ(slack.migrations, 0u);
  EXPECT_EQ(trace.migrations_raw, 2 * kMoves);
  EXPECT_EQ(trace.migrations_preempt, kMoves);  // moved while it computed,
  EXPECT_EQ(trace.migrations_wakeup, kMoves);   // and while it slept
  EXPECT_EQ(trace.wakeups, kMoves);
  for (int cpu : {cpus[0], cpus[1]}) {
    SCOPED_TRACE(fmt::format("CPU {}", cpu));
    const CpuTrace& per_cpu = per_cpu_of(outcome.run, cpu);
    EXPECT_EQ(per_cpu.migrations.raw_in, kMoves);
    EXPECT_EQ(per_cpu.migrations.raw_out, kMoves);
    EXPECT_EQ(per_cpu.migrations.preempt, kMoves / 2);
    EXPECT_EQ(per_cpu.migrations.wakeup, kMoves / 2);
    EXPECT_EQ(per_cpu.wakeups.ran, kMoves / 2);
    EXPECT_EQ(per_cpu.wakeups.previous, kMoves / 2);
    EXPECT_EQ(per_cpu.wakeups.placed, kMoves / 2);
  }
  // Reading the file takes long enough for a switch during it, before entering or after leaving.
  EXPECT_LE(apart(trace.voluntary_switches, kernel.voluntary), slack.voluntary);
  EXPECT_LE(apart(trace.involuntary_switches, kernel.involuntary), slack.involuntary);
  EXPECT_LE(slack.voluntary + slack.involuntary, 4u);
}

TEST_P(Moves, AreCountedAsTheKernelCountsThem) {
  std::vector<int> cpus = all_cpus();
  ASSERT_GE(cpus.size(), 2u)
      << "needs two CPUs to move between: give this machine, or this process's "
         "affinity mask, a second one";
  load({.max_threads = 1, .raw_programs = GetParam()});
  auto moved = move_about(cpus);
  ASSERT_TRUE(moved);
  expect_known_moves(*moved, cpus);
}

INSTANTIATE_TEST_SUITE_P(Kernel, Moves, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "raw_tp" : "tp_btf"; });

}  // namespace
}  // namespace gilscope
