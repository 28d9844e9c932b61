// The methods of giving a run its CPUs, on the real machine: the run has those CPUs and no others,
// and the machine is restored however the run ends. The last CPU is the one kept away.
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>

#include "tests/kernel/kernel_test.h"
#include "tests/kernel/program.h"
#include "tests/kernel/somebody_else.h"
#include "userspace/machine/cpu_list.h"
#include "userspace/machine/limit/cpusets.h"
#include "userspace/machine/limit/masks.h"
#include "userspace/report/json.h"

namespace gilscope {
namespace {

std::vector<std::string> command(const std::string& method, int blocks, const std::string& n,
                                 const std::string& trace = "off") {
  return {program(),
          "run",
          "--policy",
          "none",
          "--workload",
          "count:n=" + n,
          "--arrangement",
          "threaded",
          "--trace",
          trace,
          "--warmup",
          "0",
          "--blocks",
          std::to_string(blocks),
          "--quiet",
          "--cpus-by",
          method,
          "--cpus",
          "cpu:" + format_cpu_list(chosen())};
}

int worker_of(const Process& process) {
  const std::string pid = std::to_string(process.pid());
  const std::string children = shell("cat /proc/" + pid + "/task/" + pid + "/children").out;
  return children.empty() ? 0 : std::atoi(children.c_str());
}

std::vector<int> cpus_of(int pid) {
  cpu_set_t set;
  std::vector<int> cpus;
  if (pid == 0 || sched_getaffinity(pid, sizeof(set), &set) != 0) return cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(static_cast<size_t>(cpu), &set)) cpus.push_back(cpu);
  }
  return cpus;
}

// Whether the worker has dropped its privileges and has not ended.
bool has_a_confined_worker(const Process& process) {
  const int worker = worker_of(process);
  if (worker == 0) return false;
  return shell("grep CapEff /proc/" + std::to_string(worker) + "/status").out ==
         "CapEff:\t0000000000000000\n";
}

class CpusBy : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (cpus_here().size() < 2)
      GTEST_SKIP() << "this machine has one CPU: there is none to keep away";
    before_ = somebody_.look();
    const Ended ended = Process(command(GetParam(), 1, "10k")).wait();
    if (ended.status == 0) return;
    // A machine that cannot do it says so, names the file, and is unchanged.
    EXPECT_EQ(ended.status, 4) << ended.err;
    EXPECT_NE(ended.err.find("/sys/"), std::string::npos) << ended.err;
    EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
    able_ = false;
  }
  void TearDown() override {
    // Whatever the test found, no CPU may stay offline.
    if (std::filesystem::exists(kJournal)) shell(program() + " restore; rm -f " + kJournal);
    if (Machine().line(online_file()).value_or("1") != "1") {
      ADD_FAILURE() << "a CPU was left offline";
      shell("echo 1 > " + online_file());
    }
  }

  void expect_as_found() {
    EXPECT_EQ(somebody_.look(), before_);
    EXPECT_FALSE(std::filesystem::exists(kJournal));
  }
  // Called while the worker runs: the kernel confines it to the chosen CPUs.
  void expect_limited(const Process& process) {
    const int worker = worker_of(process);
    EXPECT_EQ(cpus_of(worker), chosen());
    const std::string status =
        Machine().text("/proc/" + std::to_string(worker) + "/status").value_or("");
    const std::string cpuset =
        Machine().line("/proc/" + std::to_string(worker) + "/cpuset").value_or("");
    if (GetParam() == "hotplug") {
      EXPECT_EQ(Machine().line(online_file()).value_or(""), "0");
    }
    if (GetParam() == "cpuset") {
      EXPECT_EQ(value_of(status, "Cpus_allowed_list").value_or(""), format_cpu_list(chosen()));
      EXPECT_EQ(cpuset, "/gilscope");
    }
    EXPECT_TRUE(std::filesystem::exists(kJournal));
    EXPECT_NE(somebody_.look(), before_);
  }

  SomebodyElse somebody_;
  Found before_;
  bool able_ = true;
};

TEST_P(CpusBy, IsUndoneAtTheEnd) {
  if (!able_) return expect_as_found();
  Process process(command(GetParam(), 1, "15M"));
  ASSERT_TRUE(eventually([&] { return has_a_confined_worker(process); }));
  expect_limited(process);
  const Ended ended = process.wait();
  EXPECT_EQ(ended.status, 0) << ended.err;
  expect_as_found();
}

TEST_P(CpusBy, IsUndoneAfterAnInterrupt) {
  if (!able_) return expect_as_found();
  for (const int signal : {SIGINT, SIGTERM}) {
    Process process(command(GetParam(), 1000, "40M"));
    ASSERT_TRUE(eventually([&] { return has_a_confined_worker(process); }));
    expect_limited(process);
    process.signal(signal);
    EXPECT_EQ(process.wait().status, 130);
    expect_as_found();
  }
}

TEST_P(CpusBy, IsUndoneAfterAFailedRun) {
  if (!able_) return expect_as_found();
  Process process(command(GetParam(), 2, "15M"));
  ASSERT_TRUE(eventually([&] { return has_a_confined_worker(process); }));
  const int worker = worker_of(process);
  ASSERT_GT(worker, 0);  // 0 would be ourselves
  kill(worker, SIGKILL);
  const Ended ended = process.wait();
  EXPECT_EQ(ended.status, 2);
  EXPECT_NE(ended.err.find("killed by signal 9"), std::string::npos) << ended.err;
  expect_as_found();
}

TEST_P(CpusBy, IsUndoneByRestoreAfterAKill) {
  if (!able_) return expect_as_found();
  Process process(command(GetParam(), 1000, "40M"));
  ASSERT_TRUE(eventually([&] { return has_a_confined_worker(process); }));
  process.signal(SIGKILL);
  process.wait();
  EXPECT_NE(somebody_.look(), before_);
  EXPECT_TRUE(std::filesystem::exists(kJournal));

  // gilscope neither measures on the changed machine nor restores it unasked.
  const Ended refused = Process(command("affinity", 1, "10k")).wait();
  EXPECT_EQ(refused.status, 2);
  EXPECT_NE(refused.err.find("gilscope restore"), std::string::npos) << refused.err;
  EXPECT_EQ(std::ranges::count(refused.err, '\n'), 1) << refused.err;

  const Ended restored = gilscope_run({"restore"});
  EXPECT_EQ(restored.status, 0) << restored.err;
  EXPECT_NE(restored.out.find("Restored: "), std::string::npos) << restored.out;
  expect_as_found();
  const Ended again = gilscope_run({"restore"});
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(again.out, "There is nothing to undo.\n");
}

TEST_P(CpusBy, ChangesFromRunToRun) {
  if (!able_) return expect_as_found();
  Scratch scratch;
  const std::string out = scratch.path("out");
  std::vector<std::string> arguments = command(GetParam(), 2, "100k", "counters");
  arguments.insert(arguments.end(), {"--cpus", "all", "--out", out});
  std::erase(arguments, "off");
  const Ended ended = Process(arguments).wait();
  ASSERT_EQ(ended.status, 0) << ended.err;
  expect_as_found();
  const auto report = read_report(out);
  ASSERT_TRUE(report) << report.error().message;
  ASSERT_EQ(report->cells.size(), 2u);
  for (const Cell& cell : report->cells) {
    EXPECT_EQ(cell.cpus_by, GetParam());
    EXPECT_EQ(cell.cpu_list, cell.cpus == "all" ? cpus_here() : chosen());
    ASSERT_EQ(cell.runs.size(), 4u);
    for (const auto& run : cell.runs) {
      EXPECT_EQ(run.status, "done") << run.failure;
      for (const CpuTrace& cpu : run.cpus) {
        EXPECT_TRUE(std::ranges::count(cell.cpu_list, cpu.cpu)) << "CPU " << cpu.cpu;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Every, CpusBy, ::testing::Values("cpuset", "hotplug"),
                         [](const auto& info) { return info.param; });

void expect_unable(const std::string& in_a_mount_namespace, const std::string& method,
                   const std::string& named) {
  const SomebodyElse somebody;
  const Found before = somebody.look();
  std::string line;
  for (const std::string& word : command(method, 1, "10k")) line += " '" + word + "'";
  const Ended ended =
      shell("unshare --mount sh -c \"" + in_a_mount_namespace + " exec" + line + "\"");
  EXPECT_EQ(ended.status, 4) << ended.err;
  EXPECT_NE(ended.err.find(named), std::string::npos) << ended.err;
  EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
  EXPECT_EQ(somebody.look(), before);
}

TEST(CpusOfAMachineThatCannot, SaysWhyAndChangesNothing) {
  if (cpus_here().size() < 2)
    GTEST_SKIP() << "this machine has one CPU: there is none to keep away";
  expect_unable("umount -l /sys/fs/cgroup/cpuset 2>/dev/null; mount -t tmpfs tmpfs /sys/fs/cgroup;",
                "cpuset", "no cgroup hierarchy of this machine has the cpuset controller");
  expect_unable("mount -o remount,bind,ro /sys;", "hotplug", online_file());
  expect_unable(
      "mount -t tmpfs tmpfs /sys/devices/system/cpu; mkdir "
      "/sys/devices/system/cpu/cpu0 /sys/devices/system/cpu/cpu1; echo 0-1 > "
      "/sys/devices/system/cpu/online;",
      "hotplug", "cannot go offline, as /sys/devices/system/cpu/cpu1/online does not exist");
}

TEST(OneExperimentPerMachine, ASecondOneIsRefused) {
  Process first(command("affinity", 1000, "40M"));
  ASSERT_TRUE(eventually([&] { return has_a_confined_worker(first); }));
  for (const auto& arguments :
       {command("affinity", 1, "10k"), std::vector<std::string>{program(), "restore"}}) {
    const Ended refused = Process(arguments).wait();
    EXPECT_EQ(refused.status, 2);
    EXPECT_NE(refused.err.find("another gilscope (process " + std::to_string(first.pid()) + ")"),
              std::string::npos)
        << refused.err;
    EXPECT_EQ(std::ranges::count(refused.err, '\n'), 1) << refused.err;
  }
  // The worker does not keep its parent's lock.
  const int worker = worker_of(first);
  EXPECT_EQ(shell("ls -l /proc/" + std::to_string(worker) + "/fd").out.find("/run/gilscope"),
            std::string::npos);
  first.signal(SIGKILL);
  first.wait();
  EXPECT_EQ(Process(command("affinity", 1, "10k")).wait().status, 0);
}

TEST(OneExperimentPerMachine, OtherUsersHaveOneAndCannotKeepRootOut) {
  Scratch scratch;
  chmod(scratch.path("").c_str(), 0777);
  const std::string copy = scratch.path("gilscope");
  shell("cp " + program() + " " + copy + " && chmod 755 " + copy);
  const auto as_nobody = [&](int blocks) {
    std::vector<std::string> arguments = {"setpriv", "--reuid", "65534",
                                          "--regid", "65534",   "--clear-groups"};
    std::vector<std::string> run = command("affinity", blocks, blocks == 1 ? "10k" : "40M");
    run[0] = copy;
    arguments.insert(arguments.end(), run.begin(), run.end());
    return arguments;
  };
  Process first(as_nobody(1000));
  ASSERT_TRUE(eventually([&] { return worker_of(first) != 0; }));
  const Ended refused = Process(as_nobody(1)).wait();
  EXPECT_EQ(refused.status, 2);
  EXPECT_NE(refused.err.find("another gilscope (process"), std::string::npos) << refused.err;
  const Ended by_root = Process(command("affinity", 1, "10k")).wait();
  EXPECT_EQ(by_root.status, 0) << by_root.err;
  EXPECT_NE(by_root.err.find("another user's gilscope (process"), std::string::npos) << by_root.err;
}

class Restore : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(gilscope_run({"restore"}).status, 0); }
  void TearDown() override { std::filesystem::remove(kJournal); }

  static void write(const std::string& text) {
    std::ofstream(kJournal) << text;
    chmod(kJournal, 0600);
  }
  static std::string head() { return "gilscope journal 1\nboot " + boot() + "\n"; }
  static std::string boot() {
    return Machine().line("/proc/sys/kernel/random/boot_id").value_or("");
  }
  static void expect_refused(const std::string& named) {
    const Ended ended = gilscope_run({"restore"});
    EXPECT_EQ(ended.status, 2);
    EXPECT_NE(ended.err.find(named), std::string::npos) << ended.err;
    EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
    EXPECT_TRUE(std::filesystem::is_symlink(kJournal) || std::filesystem::exists(kJournal));
  }
};

TEST_F(Restore, ObeysNoJournalThatGilscopeWouldNotWrite) {
  write(head() + "online 0 1 0\nonline ../../../etc/passwd 1 0\n");
  expect_refused("line 4: ");
  write("# mine\n");
  expect_refused("line 1 is ");
  std::filesystem::remove(kJournal);
  Scratch scratch;
  std::filesystem::create_symlink(scratch.file("elsewhere", head()), kJournal);
  expect_refused("/run/gilscope/journal");
  std::filesystem::remove(kJournal);
  write(head());
  chmod(kJournal, 0666);
  expect_refused("not a file of this user alone");
}

TEST_F(Restore, NamesWhatItCannotPutBackAndKeepsTheJournal) {
  write(head() + "online 8191 1 0\n");
  expect_refused("cannot write '1' to /sys/devices/system/cpu/cpu8191/online");
  EXPECT_EQ(Machine().text(kJournal).value_or(""), head() + "online 8191 1 0");
}

TEST_F(Restore, ForgetsWhatARebootHasUndone) {
  write("gilscope journal 1\nboot 00000000-0000-4000-8000-000000000000\nonline 8191 1 0\n");
  const Ended ended = gilscope_run({"restore"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_NE(ended.out.find("The machine has rebooted since"), std::string::npos) << ended.out;
  EXPECT_FALSE(std::filesystem::exists(kJournal));
}

TEST_F(Restore, NeedsRoot) {
  Scratch scratch;
  chmod(scratch.path("").c_str(), 0777);
  const std::string copy = scratch.path("gilscope");
  const Ended ended =
      shell("cp " + program() + " " + copy + " && chmod 755 " + copy +
            " && setpriv --reuid 65534 --regid 65534 --clear-groups " + copy + " restore");
  EXPECT_EQ(ended.status, 4);
  EXPECT_NE(ended.err.find("sudo gilscope restore"), std::string::npos) << ended.err;
}

}  // namespace
}  // namespace gilscope
