// Every GIL, traced, on workloads of both kinds: the runs end, nothing is miscounted, and the two
// effects in question appear. Times are compared as ratios within one test, never as absolute
// values.
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "tests/every_policy.h"
#include "tests/kernel/kernel_test.h"
#include "tests/kernel/program.h"
#include "userspace/report/invariants.h"
#include "userspace/workload/workload.h"

namespace gilscope {
namespace {

using testing::HasSubstr;

// Checks a report that consists of one run.
std::vector<std::string> broken_in(const Cell& cell, const gilscope::Run& run) {
  Report report;
  report.blocks_planned = 1;
  report.cells = {cell};
  report.cells[0].runs = {run};
  return broken_invariants(report);
}

class EveryPolicy : public KernelTest, public testing::WithParamInterface<std::string> {};
INSTANTIATE_TEST_SUITE_P(Workloads, EveryPolicy, testing::ValuesIn(every_policy()), name_of_policy);

TEST_P(EveryPolicy, RunsEveryWorkloadExactly) {
  load({.max_threads = 16});
  // With Ruby's turns of 100 ms each, this many threads would only make the test long.
  std::string policy = GetParam();
  if (const size_t turn = policy.find(":100ms"); turn != std::string::npos) {
    policy.replace(turn, std::string::npos, ":10ms");
  }
  const PolicyDescriptor& descriptor = descriptor_of(policy);
  for (const WorkloadDescriptor& described : workloads()) {
    const std::string& workload = described.brief;
    for (int threads : {2, 8}) {
      SCOPED_TRACE(fmt::format("{} {}", workload, threads));
      const Cell cell = make_cell(policy, workload, threads, all_cpus());
      auto done = run(cell, {.traced = true});
      ASSERT_TRUE(done);
      done->trace = "counters";
      EXPECT_THAT(broken_in(cell, *done), testing::IsEmpty());
      EXPECT_GT(done->gil.acquires, 0u);
      EXPECT_EQ(done->lost->untracked_threads, 0u);
      if (descriptor.failures.woken_lost.empty()) {
        EXPECT_EQ(done->gil.woken_lost, 0u) << "what is handed over cannot be lost";
      }
      if (descriptor.failures.contended.empty()) {
        EXPECT_EQ(done->gil.failed(), 0u);
      }
      EXPECT_EQ(done->client.has_value(), (*make_workload(workload))->has_client());
      for (const gilscope::Thread& thread : done->threads) {
        EXPECT_EQ(thread.ended, thread.role == "background" ? "killed" : "finished") << thread.name;
      }
    }
  }
}

// One policy's minute, in its own process; returns its exit code.
int minute_of_mixed(const std::string& policy) {
  constexpr int kThreads = 16;
  auto interrupt = Interrupt::watch();
  const Cell cell =
      make_cell(policy, "mixed:n=1G,compute=1k,block=1ms,seconds=60", kThreads, all_cpus());
  auto done = Runner(nullptr, *interrupt).run(cell, {.traced = false});
  if (!done || done->status != "done") {
    fmt::print(stderr, "{}: {}\n", policy, done ? done->failure : done.error().message);
    return 1;
  }
  int starved = 0;
  for (const gilscope::Thread& thread : done->threads) {
    if (thread.role == "worker" && thread.operations.value_or(0) == 0) ++starved;
  }
  if (starved > 0)
    fmt::print(stderr, "{}: {} threads of {} did nothing\n", policy, starved, kThreads);
  return starved > 0 ? 1 : 0;
}

// All policies at once, which is harder on each than alone: a minute with 16 threads that compute
// and block. A thread that does nothing for that long starves; a run that does not end is
// deadlocked, and the watchdog kills it.
TEST(Starvation, NoneInAMinuteOfMixedUnderAnyPolicy) {
  std::map<pid_t, std::string> running;
  for (const std::string& policy : every_policy()) {
    const pid_t pid = fork();
    if (pid == 0) {
      alarm(150);
      _exit(minute_of_mixed(policy));
    }
    running[pid] = policy;
  }
  for (const auto& [pid, policy] : running) {
    int status = 0;
    ASSERT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_FALSE(WIFSIGNALED(status)) << policy << " was still running after 150 s";
    EXPECT_EQ(status, 0) << policy;
  }
}

// A virtual CPU that halts when idle takes many times longer to wake than a physical one, and that
// time, not the GIL, then dominates an idle echo. If a guest may poll before it halts, this sets
// for how long; otherwise it does nothing.
class HaltPolling {
 public:
  explicit HaltPolling(const std::string& ns) {
    std::ifstream(kParameter) >> before_;
    if (!before_.empty()) std::ofstream(kParameter) << ns;
  }
  ~HaltPolling() {
    if (!before_.empty()) std::ofstream(kParameter) << before_;
  }

 private:
  static constexpr const char* kParameter = "/sys/module/haltpoll/parameters/guest_halt_poll_ns";

  std::string before_;
};

class Rates : public KernelTest {
 protected:
  // The median of three untraced runs.
  double of(const std::string& policy, const std::string& workload, const std::string& key) {
    std::vector<double> values;
    for (int i = 0; i < 3; ++i) {
      const Cell cell = make_cell(policy, workload, 1, all_cpus());
      auto done = run(cell, {.traced = false});
      if (!done || !done->workload.contains(key)) {
        ADD_FAILURE() << policy << " " << workload << " has no " << key;
        return 1;
      }
      values.push_back(done->workload[key]);
    }
    std::ranges::sort(values);
    return values[1];
  }
  // Three tasks share two CPUs, and the kernel's placement decides how often the computing thread
  // is in time to take the GIL back: now and then it misses a whole run of answers. An effect that
  // exists at all appears in one of three tries.
  template <typename Shows>
  static bool once_in_three(Shows shows) {
    return shows() || shows() || shows();
  }

  void SetUp() override { load({.max_threads = 5}); }
};

class Faces : public Rates {
  const HaltPolling awake_{"200000"};  // the kernel's default
};

constexpr const char* kRate = "operations_per_s";

// A waiter requests the GIL after its interval, and an answer takes the GIL twice: once when the
// request has arrived, and again after the send if the computing thread has woken up and taken it
// meanwhile. That is a race between a send and a waking, so the median answer takes one interval or
// two. In some runs, also under real CPython 3.11 on the same machine, most answers bypass the
// computing thread and only the slowest wait. Hence the 99th percentile, and a factor that holds
// for those runs as well.
TEST_F(Faces, TheSwitchIntervalLosesLatency) {
  EXPECT_TRUE(once_in_three([&] {
    const double alone = of("switch-interval:5ms", "echo:background=0,seconds=300ms", kRate);
    const double beside = of("switch-interval:5ms", "echo:background=1,seconds=600ms", kRate);
    const double p99 =
        of("switch-interval:5ms", "echo:background=1,seconds=600ms", "latency_p99_ns");
    fmt::print("alone/beside {:.0f}, p99 {:.1f} ms\n", alone / beside, p99 / 1e6);
    return alone / beside > 15 && p99 > 4.5e6;
  }));
}

// A woken waiter mostly loses, but it asks again at once. If idle virtual CPUs halt, an echo alone
// is slow and the computing thread may even speed it up, also under real CPython 2.7. If they poll,
// both rates fall far, so there the two GILs are compared with each other.
TEST_F(Rates, AreKeptByTheCheckInterval) {
  const HaltPolling none("0");
  EXPECT_TRUE(once_in_three([&] {
    const double alone = of("check-interval:100", "echo:background=0,seconds=300ms", kRate);
    const double beside = of("check-interval:100", "echo:background=1,seconds=300ms", kRate);
    fmt::print("alone/beside {:.1f}\n", alone / beside);
    return alone / beside < 3;
  }));
}

TEST_F(Faces, TheCheckIntervalLosesFarLess) {
  const auto fall = [&](const char* policy) {
    return of(policy, "echo:background=0,seconds=300ms", kRate) /
           of(policy, "echo:background=1,seconds=600ms", kRate);
  };
  EXPECT_GT(fall("switch-interval:5ms") / fall("check-interval:100"), 10);
}

TEST_F(Faces, TheIntervalIsTheLatency) {
  EXPECT_TRUE(once_in_three([&] {
    std::vector<double> p99;
    for (const char* interval : {"1ms", "4ms", "16ms"}) {
      p99.push_back(of(fmt::format("switch-interval:{}", interval),
                       "echo:background=1,seconds=600ms", "latency_p99_ns") /
                    1e3);
    }
    fmt::print("p99 {:.0f} us\n", fmt::join(p99, ", "));
    // Each is four times the previous one, or more or less if one of them takes two intervals.
    return p99[1] / p99[0] > 1.4 && p99[1] / p99[0] < 9 && p99[2] / p99[1] > 1.4 &&
           p99[2] / p99[1] < 9;
  }));
}

TEST_F(Rates, OfLostAcquisitionsFallWhenTheLockIsSplit) {
  const auto share = [&](const char* policy) {
    auto done = run(make_cell(policy, "count:n=300k", 4, all_cpus()), {.traced = true});
    return done ? static_cast<double>(done->gil.failed()) / static_cast<double>(*done->gil.acquires)
                : 1;
  };
  std::vector<double> ratios;
  for (int i = 0; i < 5; ++i) ratios.push_back(share("sharded:16") / share("sharded:1"));
  std::ranges::sort(ratios);
  EXPECT_LT(ratios[2], 0.8);
}

TEST_F(Rates, OfOneShardAreThoseOfOneLock) {
  const auto acquires = [&](const char* policy) {
    auto done = run(make_cell(policy, "count:n=300k", 2, all_cpus()), {.traced = true});
    return done ? done->gil.acquires.value_or(0) : 0;
  };
  const auto one = static_cast<double>(acquires("check-interval:100"));
  EXPECT_NEAR(static_cast<double>(acquires("sharded:1")) / one, 1, 0.01);
}

TEST(Client, ThatDiesFailsTheRunAndNotTheExperiment) {
  const Scratch scratch;
  Process process({program(), "run", "--policy", "none", "--workload", "echo:seconds=20",
                   "--blocks", "1", "--warmup", "0", "--arrangement", "threaded", "--trace", "off",
                   "--out", scratch.path("out")});
  // The client is the first child of the experiment, the worker the second.
  pid_t client = 0;
  for (int i = 0; i < 500 && client == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    const std::string children =
        shell(fmt::format("cat /proc/{0}/task/{0}/children", process.pid())).out;
    if (std::ranges::count(children, ' ') >= 2) client = std::atoi(children.c_str());
  }
  ASSERT_GT(client, 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  kill(client, SIGKILL);
  const Ended ended = process.wait();
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.err, HasSubstr("the client process was killed by signal 9"));
  EXPECT_EQ(gilscope_run({"validate", scratch.path("out") + "/report.json"}).status, 0);
}

TEST(FullDisk, FailsTheRunWithItsReason) {
  const Scratch scratch;
  const std::string small = scratch.path("small");
  ASSERT_EQ(shell("mkdir " + small + " && mount -t tmpfs -o size=64k none " + small).status, 0);
  const Ended ended = gilscope_run(
      {"run", "--policy", "none", "--workload", "file:seconds=500ms,size=1M,dir=" + small,
       "--blocks", "1", "--warmup", "0", "--arrangement", "threaded", "--trace", "off"});
  shell("umount " + small);
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.err, HasSubstr("cannot write 1000000 bytes into"));
}

// A file system on a file without room: written data cannot be made durable.
TEST(Fsync, ThatFailsFailsTheRunWithItsReason) {
  const Scratch scratch;
  const std::string small = scratch.path("small"), mounted = scratch.path("mounted");
  const Ended made = shell(fmt::format(
      "mkdir {0} {1} && mount -t tmpfs -o size=6m none {0} && truncate -s 64M {0}/image && "
      "/sbin/mkfs.ext4 -q -O ^has_journal -N 64 {0}/image && mount -o loop {0}/image {1}",
      small, mounted));
  const auto take_down = [&] { shell(fmt::format("umount {}; umount {}", mounted, small)); };
  if (made.status != 0) {
    take_down();
    if (std::getenv("GILSCOPE_MUST_TRACE") != nullptr) FAIL() << made.err;
    GTEST_SKIP() << "no loop device, or no mkfs.ext4: " << made.err;
  }
  const Ended ended = gilscope_run({"run", "--policy", "none", "--workload",
                                    "file:background=0,seconds=20,size=256k,dir=" + mounted,
                                    "--threads", "1", "--blocks", "1", "--warmup", "0",
                                    "--arrangement", "threaded", "--trace", "off"});
  take_down();
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.err, HasSubstr("fsync of a file in '" + mounted + "': "));
}

TEST(Port, InUseIsSaidAndNothingIsRun) {
  const Scratch scratch;
  const Fd holder(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(holder.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(listen(holder.get(), 1), 0);
  socklen_t size = sizeof(address);
  getsockname(holder.get(), reinterpret_cast<sockaddr*>(&address), &size);
  const int port = ntohs(address.sin_port);
  const Ended ended = gilscope_run({"run", "--policy", "none", "--workload",
                                    fmt::format("echo:seconds=100ms,port={}", port), "--blocks",
                                    "1", "--warmup", "0", "--arrangement", "threaded", "--trace",
                                    "off", "--out", scratch.path("out")});
  EXPECT_EQ(ended.status, 2);
  EXPECT_FALSE(std::filesystem::exists(scratch.path("out")));
  EXPECT_THAT(ended.err, HasSubstr(fmt::format("TCP port {} of 127.0.0.1 is in use", port)));
}

}  // namespace
}  // namespace gilscope
