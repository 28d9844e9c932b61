// How a run ends, well and badly, seen from outside: which programs stay attached, which processes
// alive, which files on the disk.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "tests/kernel/program.h"
#include "userspace/report/invariants.h"
#include "userspace/report/json.h"
#include "userspace/report/segment_file.h"

namespace gilscope {
namespace {

// Runs long enough to be caught in the middle, and enough of them that a traced one comes soon.
const std::vector<std::string> kLong = {"run", "--workload", "count:n=20M", "--warmup",
                                        "0",   "--blocks",   "1000",        "--quiet"};

std::vector<std::string> with(std::vector<std::string> arguments,
                              const std::vector<std::string>& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

std::vector<std::string> command(const std::vector<std::string>& arguments) {
  return with({program()}, arguments);
}

bool attached(int pid) {
  return shell("ls -l /proc/" + std::to_string(pid) + "/fd").out.find("anon_inode:bpf_link") !=
         std::string::npos;
}

std::string children_of(int pid) {
  std::string task = "/proc/" + std::to_string(pid) + "/task/" + std::to_string(pid) + "/children";
  return shell("cat " + task).out;
}

// Polls, because there is no bound on how long a process takes to get anywhere.
template <typename Condition>
bool eventually(Condition condition) {
  for (int i = 0; i < 3000; ++i) {
    if (condition()) return true;
    usleep(10'000);
  }
  return false;
}

// Our BPF programs that are loaded on this machine, by any process.
std::string our_programs() {
  return shell(
             "bpftool prog show 2>/dev/null | grep -E 'name (sched_switch|sched_wak|sched_migr|"
             "sched_proc|open_window|close_window|enter|leave)' | sort")
      .out;
}

TEST(Lifecycle, KilledInMidRunLeavesNothing) {
  std::string before = our_programs();
  Process process(command(with(kLong, {"--arrangement", "threaded"})));
  ASSERT_TRUE(
      eventually([&] { return attached(process.pid()) && !children_of(process.pid()).empty(); }));
  int worker = std::stoi(children_of(process.pid()));
  EXPECT_NE(our_programs(), before);
  process.signal(SIGKILL);
  EXPECT_EQ(process.wait().status, 128 + SIGKILL);
  EXPECT_TRUE(eventually([&] { return kill(worker, 0) != 0; })) << "the worker outlived it";
  // The kernel frees programs asynchronously, also those of earlier tests: none may be new.
  EXPECT_TRUE(eventually([&] {
    std::istringstream lines(our_programs());
    for (std::string line; std::getline(lines, line);) {
      if (before.find(line) == std::string::npos) return false;
    }
    return true;
  }));
}

TEST(Lifecycle, WorkerHoldsNoLinkAndFewPrivileges) {
  Process process(command(with(kLong, {"--arrangement", "threaded"})));
  ASSERT_TRUE(
      eventually([&] { return attached(process.pid()) && !children_of(process.pid()).empty(); }));
  std::string worker = std::to_string(std::stoi(children_of(process.pid())));
  // The worker is confined a moment after the fork; until then it still has its parent's
  // descriptors.
  EXPECT_TRUE(eventually([&] { return !attached(std::stoi(worker)); }));
  EXPECT_TRUE(eventually([&] {
    // CAP_PERFMON and CAP_BPF, bits 38 and 39.
    return shell("grep CapEff /proc/" + worker + "/status").out == "CapEff:\t000000c000000000\n";
  }));
}

TEST(Lifecycle, InterruptedWritesAValidPartialReport) {
  Scratch scratch;
  std::string out = scratch.path("out");
  Process process(command({"run", "--policy", "check-interval:100", "--workload", "count:n=3M",
                           "--warmup", "0", "--blocks", "1000", "--out", out, "--quiet"}));
  ASSERT_TRUE(eventually([&] {
    auto report = read_report(out);
    return report && !report->cells.empty() && !report->cells[0].runs.empty();
  }));
  process.signal(SIGINT);
  Ended ended = process.wait();
  EXPECT_EQ(ended.status, 130) << ended.err;
  auto report = read_report(out);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->status, "interrupted");
  EXPECT_TRUE(broken_invariants(*report).empty());
  EXPECT_EQ(gilscope_run({"validate", out}).status, 0);
  EXPECT_EQ(gilscope_run({"show", out}).status, 0);
}

TEST(Lifecycle, ResumesAtTheNextBlockAndLeavesAFinishedOneAlone) {
  Scratch scratch;
  std::string out = scratch.path("out");
  std::vector<std::string> run = {"run", "--workload", "count:n=1M", "--warmup", "1", "--blocks",
                                  "3",   "--seed",     "7",          "--out",    out, "--quiet"};
  Process process(command(run));
  ASSERT_TRUE(eventually([&] {
    auto report = read_report(out);
    return report && !report->cells.empty() && !report->cells[0].runs.empty();
  }));
  process.signal(SIGKILL);
  process.wait();
  auto partial = read_report(out);
  ASSERT_TRUE(partial);

  Ended ended = gilscope_run(run);
  EXPECT_EQ(ended.status, 0) << ended.err;
  auto report = read_report(out);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->status, "done");
  EXPECT_EQ(report->id, partial->id);
  EXPECT_EQ(report->seed, 7u);
  for (const Cell& cell : report->cells) {
    std::set<std::pair<int, bool>> seen;
    for (const auto& r : cell.runs) {
      if (r.status == "done") {
        EXPECT_TRUE(seen.insert({r.block, r.traced()}).second) << "block " << r.block << " twice";
      }
    }
    EXPECT_EQ(seen.size(), 2u * 4);
  }
  const Ended valid = gilscope_run({"validate", out});
  EXPECT_EQ(valid.status, 0) << valid.err;
  std::string before = shell("cat " + out + "/report.json").out;
  EXPECT_EQ(gilscope_run(run).status, 0);
  EXPECT_EQ(shell("cat " + out + "/report.json").out, before);
}

// A run that was interrupted; report.json is the only file of its directory.
class Interrupted : public testing::Test {
 protected:
  void SetUp() override {
    run_ = {"run",      "--workload", "count:n=1M", "--warmup", "0",   "--blocks",
            "2",        "--seed",     "7",          "--trace",  "off", "--arrangement",
            "threaded", "--out",      out_,         "--quiet"};
    ASSERT_EQ(gilscope_run(run_).status, 0);
    auto report = read_report(out_);
    ASSERT_TRUE(report);
    report->status = "interrupted";
    report->cells[0].runs.pop_back();
    report_ = std::move(*report);
  }

  // Runs the same command again after `change` has altered the report.
  template <typename Change>
  Ended again(Change change, const std::string& before = "") {
    Report report = report_;
    change(report);
    EXPECT_TRUE(write_report(report, out_ + "/report.json"));
    text_ = shell("cat " + out_ + "/report.json").out;
    std::string line = before + program();
    for (const std::string& word : run_) line += " " + word;
    return shell(line);
  }
  bool nothing_changed() const {
    return shell("ls " + out_).out == "report.json\n" &&
           shell("cat " + out_ + "/report.json").out == text_;
  }

  static void set(Facts& facts, const std::string& key, decltype(Fact::value) value) {
    const auto found = std::ranges::find(facts, key, &Fact::key);
    ASSERT_NE(found, facts.end()) << key;
    found->value = std::move(value);
  }

  Scratch scratch_;
  const std::string out_ = scratch_.path("out");
  std::vector<std::string> run_;
  Report report_;
  std::string text_;
};

TEST_F(Interrupted, DoesNotGoOnUnderAnotherKernelHostOrGilscope) {
  const auto refused = [this](auto change, const std::string& named) {
    const Ended ended = again(change);
    EXPECT_EQ(ended.status, 2) << named;
    EXPECT_NE(ended.err.find(named), std::string::npos) << ended.err;
    EXPECT_NE(ended.err.find("give --out another directory, or "), std::string::npos) << ended.err;
    EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
    EXPECT_TRUE(nothing_changed()) << named;
  };
  refused([](Report& r) { set(r.environment, "kernel.release", std::string("6.1.0-18-amd64")); },
          "kernel.release was '6.1.0-18-amd64' and is now '" + shell("printf %s $(uname -r)").out +
              "'");
  refused([](Report& r) { set(r.environment, "kernel.cmdline", std::string("mitigations=off")); },
          "kernel.cmdline was 'mitigations=off' and is now '");
  refused([](Report& r) { set(r.environment, "host.name", std::string("elsewhere")); },
          "host.name was 'elsewhere' and is now '");
  refused(
      [](Report& r) {
        set(r.environment, "cpu.present", std::vector<int64_t>{0, 1, 2, 63});
      },
      "cpu.present was '0 1 2 63' and is now '");
  refused([](Report& r) { r.gilscope = "0.0.1"; }, "gilscope was '0.0.1' and is now '");
}

TEST_F(Interrupted, DoesNotGoOnWithAnotherPriority) {
  const Ended niced = again([](Report&) {}, "nice -n 19 ");
  EXPECT_EQ(niced.status, 2);
  EXPECT_NE(niced.err.find("process.nice was '0' and is now '19'"), std::string::npos) << niced.err;
  const Ended batch = again([](Report&) {}, "chrt -b 0 ");
  EXPECT_EQ(batch.status, 2);
  EXPECT_NE(batch.err.find("process.sched_policy was 'other' and is now 'batch'"),
            std::string::npos)
      << batch.err;
  EXPECT_TRUE(nothing_changed());
}

TEST_F(Interrupted, GoesOnAfterAnotherBootAndByWhatItKnows) {
  const Ended rebooted = again([](Report& r) {
    set(r.environment, "host.boot_id", std::string("00000000-0000-0000-0000-000000000000"));
  });
  EXPECT_EQ(rebooted.status, 0) << rebooted.err;
  EXPECT_EQ(read_report(out_)->status, "done");
  // Like a report of an older gilscope, which recorded little.
  const Ended older = again([](Report& r) {
    std::erase_if(r.environment, [](const Fact& fact) { return fact.key != "kernel.release"; });
    r.environment_before.clear();
  });
  EXPECT_EQ(older.status, 0) << older.err;
  EXPECT_EQ(read_report(out_)->status, "done");
}

TEST_F(Interrupted, AFinishedOneIsLeftAloneWhereverItIsFrom) {
  const Ended ended = again([](Report& r) {
    r.status = "done";
    set(r.environment, "kernel.release", std::string("5.10"));
  });
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_TRUE(nothing_changed());
}

TEST(Lifecycle, RecordsItsPlaceInTheScheduler) {
  Scratch scratch;
  const auto recorded = [&](const std::string& name, const std::string& before) {
    const std::string out = scratch.path(name);
    const Ended ended = shell(before + program() +
                              " run --workload count:n=100k --warmup 0 --blocks 1 --trace off "
                              "--quiet --out " +
                              out);
    EXPECT_EQ(ended.status, 0) << ended.err;
    return out;
  };
  const std::string plain = recorded("plain", "env -u GLIBC_TUNABLES ");
  const std::string other = recorded(
      "other",
      "GLIBC_TUNABLES=glibc.malloc.arena_max=1 nice -n 19 chrt -b 0 prlimit --data=1073741824 ");
  const Ended compared =
      gilscope_run({"compare", plain, other, "--metric", "wall_ns", "--by", "report", "--all"});
  for (const char* difference :
       {"process.nice: 0 on plain, 19 on other", "process.sched_policy: other on plain, batch on",
        "GLIBC_TUNABLES=glibc.malloc.arena_max=1", "limits.data_bytes: unlimited on plain, "}) {
    EXPECT_NE(compared.out.find(difference), std::string::npos) << difference << "\n"
                                                                << compared.out << compared.err;
  }
}

// With limited address space, glibc cannot reserve arenas for the threads, and would map a page for
// each allocation.
TEST(Lifecycle, LimitedAddressesMakeNoRunSlower) {
  Scratch scratch;
  const auto faults_under = [&](const std::string& name, const std::string& limit) {
    const std::string out = scratch.path(name);
    const Ended ended =
        shell(limit + " && exec " + program() +
              " run --workload throughput:task=pidigits,n=2 --workload throughput:task=regex,n=20 "
              "--workload throughput:task=compress,n=20 --arrangement threaded --policy none "
              "--trace off --warmup 0 --blocks 1 --quiet --out " +
              out);
    EXPECT_EQ(ended.status, 0) << ended.err;
    uint64_t faults = 0;
    const auto report = read_report(out);
    if (!report) return faults;
    for (const Cell& cell : report->cells) {
      for (const auto& run : cell.runs) faults += run.rusage.minor_faults;
    }
    return faults;
  };
  const uint64_t unlimited = faults_under("unlimited", "true");
  EXPECT_LT(faults_under("limited", "ulimit -v 40000"), 3 * unlimited);
}

// From too little memory for the program to more than enough: always one line, or done.
TEST(Lifecycle, RunningOutOfMemoryIsSaidInOneLine) {
  bool failed = false, done = false;
  for (int kilobytes = 7'600; kilobytes <= 12'000 && !done; kilobytes += 200) {
    const Ended ended = shell("ulimit -v " + std::to_string(kilobytes) + " && exec " + program() +
                              " run --workload throughput:task=compress,n=5 --arrangement threaded "
                              "--trace off --warmup 0 --blocks 1 --quiet");
    if (ended.status == 128 + SIGSEGV && ended.err.empty())
      continue;  // the kernel found no room to exec
    if (ended.status == 0) {
      done = true;
      continue;
    }
    failed = true;
    // The failure may be in the run or in its preparation.
    EXPECT_TRUE(ended.status == 2 || ended.status == 4) << kilobytes << ": " << ended.err;
    EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << kilobytes << ": " << ended.err;
    EXPECT_NE(ended.err.find("memory"), std::string::npos) << ended.err;
  }
  EXPECT_TRUE(failed);
}

TEST(Lifecycle, SegmentsOnDiskAreThoseTheReportCounts) {
  Scratch scratch;
  std::string out = scratch.path("out");
  Ended ended = gilscope_run({"run", "--workload", "count:n=1M", "--warmup", "0", "--blocks", "2",
                              "--out", out, "--quiet"});
  ASSERT_EQ(ended.status, 0) << ended.err;
  auto report = read_report(out);
  ASSERT_TRUE(report);
  int files = 0;
  for (const Cell& cell : report->cells) {
    for (const auto& run : cell.runs) {
      if (!run.traced()) {
        EXPECT_TRUE(run.segments_file.empty());
        continue;
      }
      auto file = read_segments(out + "/" + run.segments_file);
      ASSERT_TRUE(file) << file.error().message;
      EXPECT_EQ(file->segments.size(), run.segment_records);
      ++files;
    }
  }
  EXPECT_EQ(files, 4);
}

TEST(Lifecycle, WorksInsideAPidNamespace) {
  Scratch scratch;
  std::string out = scratch.path("out");
  Ended ended = shell("unshare --pid --fork --mount-proc " + program() +
                      " run --workload count:n=1M --warmup 0 --blocks 1 --quiet --out " + out);
  ASSERT_EQ(ended.status, 0) << ended.err;
  auto report = read_report(out);
  ASSERT_TRUE(report);
  EXPECT_TRUE(broken_invariants(*report).empty());
  for (const Cell& cell : report->cells) {
    for (const auto& run : cell.runs) {
      if (!run.traced()) continue;
      for (const Thread& thread : run.threads) {
        ASSERT_TRUE(thread.trace) << "the thread was not found in the namespace";
        EXPECT_GT(thread.trace->segments, 0u);
      }
    }
  }
}

TEST(Lifecycle, MainThatEndsKillsItsThreads) {
  Scratch scratch;
  std::string out = scratch.path("out");
  Ended ended = gilscope_run({"run", "--workload", "count:n=10G,seconds=100ms", "--arrangement",
                              "threaded", "--main-exit", "kill", "--warmup", "0", "--blocks", "1",
                              "--quiet", "--out", out});
  ASSERT_EQ(ended.status, 0) << ended.err;
  auto report = read_report(out);
  ASSERT_TRUE(report);
  EXPECT_TRUE(broken_invariants(*report).empty());
  for (const auto& run : report->cells[0].runs) {
    EXPECT_EQ(run.status, "done");
    EXPECT_EQ(run.threads[1].ended, "killed");
  }
}

}  // namespace
}  // namespace gilscope
