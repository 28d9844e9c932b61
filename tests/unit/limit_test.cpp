// Changes to the machine, their journal, and the methods of limiting CPUs, on machines made of
// plain files.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/unit/temporary_directory.h"
#include "userspace/machine/limit/cpu_limiter.h"
#include "userspace/machine/limit/cpusets.h"
#include "userspace/machine/limit/journal.h"
#include "userspace/machine/limit/machine_changes.h"
#include "userspace/machine/limit/machine_lock.h"
#include "userspace/machine/limit/masks.h"
#include "userspace/machine/limit/undo.h"

namespace gilscope {
namespace {

const std::vector<Change>& every_kind() {
  static const std::vector<Change> changes = {
      online_change(3, true, false),
      online_change(8191, false, true),
      cpuset_cpus_change("docker/0af", {0, 1, 2, 5}, {0}),
      cpuset_cpus_change("with space\n%/\xff..x", {1}, {}),
      cpuset_made_change(false),
      cpuset_made_change(true),
      controller_change(),
      mask_change(4194303, 18446744073709551615u, {0, 63}),
  };
  return changes;
}

std::string contents(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

TEST(Change, ComesBackFromItsLine) {
  for (const Change& change : every_kind()) {
    const std::string line = to_line(change);
    EXPECT_EQ(line.find('\n'), line.npos);
    const auto back = parse_change(line);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, change) << line;
    EXPECT_FALSE(change_description(change).empty());
  }
  EXPECT_EQ(to_line(online_change(3, true, false)), "online 3 1 0");
  EXPECT_EQ(to_line(cpuset_cpus_change("a b", {0, 1}, {0})), "cpuset-cpus a%20b 0-1 0");
}

class ForeignChange : public testing::TestWithParam<const char*> {};
TEST_P(ForeignChange, IsRefused) {
  const auto change = parse_change(GetParam());
  ASSERT_FALSE(change) << GetParam();
  EXPECT_NE(change.error().message.find("not a change that gilscope makes"), std::string::npos);
}
INSTANTIATE_TEST_SUITE_P(
    Journal, ForeignChange,
    testing::Values("", " ", "online", "online 1 1", "online 1 1 0 0", " online 1 1 0",
                    "online 1 1 0 ", "online  1 1 0", "Online 1 1 0", "online -1 1 0",
                    "online 01 1 0", "online 8192 1 0", "online 1 2 0", "online 1 1 /etc/passwd",
                    "online ../cpu1 1 0", "online 1/../../x 1 0", "file /etc/passwd a b",
                    "write /etc/shadow 1 0", "cpuset-cpus / 0-1 0", "cpuset-cpus /a 0-1 0",
                    "cpuset-cpus a/ 0-1 0", "cpuset-cpus a//b 0-1 0", "cpuset-cpus .. 0-1 0",
                    "cpuset-cpus ../../etc 0-1 0", "cpuset-cpus a/../b 0-1 0",
                    "cpuset-cpus a/./b 0-1 0", "cpuset-cpus a%2f..%2fb 0-1 0",
                    "cpuset-cpus a%00b 0-1 0", "cpuset-cpus a%2 0-1 0", "cpuset-cpus a%zz 0-1 0",
                    "cpuset-cpus a\x1b 0-1 0", "cpuset-cpus a - 0", "cpuset-cpus a 0,1 0",
                    "cpuset-cpus a 0-1 x", "cpuset-cpus a 0-1 ../x", "cpuset-made v3 - gilscope",
                    "cpuset-made v1 - docker", "cpuset-made v1 - ../x", "cpuset-made v1 x gilscope",
                    "controller memory - +", "controller cpuset - -", "mask 1 0 -", "mask 0:1 0 -",
                    "mask -1:1 0 -", "mask 1:-1 0 -", "mask 1:1 - -", "mask 1:1 0 0",
                    "mask 99999999999:1 0 -", "mask 1:1 0-9999 -"));

constexpr const char* kHead = "gilscope journal 1\nboot 01234567-89ab-4def-8123-456789abcdef\n";

TEST(Journal, IsReadWhole) {
  std::string text = kHead;
  for (const Change& change : every_kind()) text += to_line(change) + "\n";
  const auto journal = parse_journal(text);
  ASSERT_TRUE(journal) << journal.error().message;
  EXPECT_EQ(journal->boot, "01234567-89ab-4def-8123-456789abcdef");
  EXPECT_EQ(journal->changes, every_kind());
}

TEST(Journal, MayBeCutOffAnywhere) {
  std::string text = kHead;
  for (const Change& change : every_kind()) text += to_line(change) + "\n";
  for (size_t length = 0; length <= text.size(); ++length) {
    const auto journal = parse_journal(text.substr(0, length));
    ASSERT_TRUE(journal) << length << ": " << journal.error().message;
    EXPECT_LE(journal->changes.size(), every_kind().size());
    for (size_t i = 0; i < journal->changes.size(); ++i) {
      EXPECT_EQ(journal->changes[i], every_kind()[i]);
    }
  }
}

TEST(Journal, OfNonsenseIsRefusedAsAWhole) {
  for (const std::string& text :
       {std::string("\n"), std::string("#!/bin/sh\n"), std::string("gilscope journal 2\nboot x\n"),
        std::string("gilscope journal 1\nonline 1 1 0\n"),
        std::string("gilscope journal 1\nboot ../../x\n"), std::string(kHead) + "\n",
        std::string(kHead) + "online 1 1 0\nonline 1 1 0 and more\n",
        std::string(kHead) + std::string(3, '\0') + "\n"}) {
    const auto journal = parse_journal(text);
    ASSERT_FALSE(journal) << text;
    EXPECT_EQ(journal.error().message.find('\n'), std::string::npos) << journal.error().message;
  }
}

// A state directory that only its owner may enter.
class State : public testing::Test {
 protected:
  std::string path() const { return directory_ / "state"; }
  std::string journal() const { return path() + "/journal"; }
  TemporaryDirectory directory_;
};

TEST_F(State, KeepsWhatIsAdded) {
  auto journal = Journal::open(path()).value();
  EXPECT_FALSE(journal.exists());
  EXPECT_TRUE(refuse_leftovers(path()));
  for (const Change& change : every_kind()) {
    ASSERT_TRUE(journal.add(change));
    const auto left = Journal::open(path());
    ASSERT_TRUE(left) << left.error().message;
    EXPECT_TRUE(left->exists());
    EXPECT_TRUE(left->from_this_boot());
    EXPECT_EQ(left->changes(), journal.changes());
  }
  const Status refused = refuse_leftovers(path());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Exit::error);
  EXPECT_NE(refused.error().message.find("gilscope restore"), std::string::npos);
  ASSERT_TRUE(journal.clear());
  EXPECT_TRUE(refuse_leftovers(path()));
  ASSERT_TRUE(journal.add(every_kind()[0]));
  EXPECT_EQ(Journal::open(path())->changes().size(), 1u);
}

// The part of a line that a limit of file sizes leaves is written; the reason is the limit's.
TEST_F(State, NamesTheLimitOfFileSizes) {
  auto journal = Journal::open(path()).value();
  ASSERT_TRUE(journal.add(every_kind()[0]));
  const auto size = std::filesystem::file_size(this->journal());
  rlimit found{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &found), 0);
  const rlimit less{size + 3, found.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &less), 0);
  const Status added = journal.add(every_kind()[1]);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &found), 0);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, Exit::unable);
  EXPECT_NE(added.error().message.find("File too large: raise `ulimit -f`"), std::string::npos)
      << added.error().message;
  EXPECT_EQ(Journal::open(path())->changes().size(), 1u);
}

TEST_F(State, IsItsOwnersAlone) {
  ASSERT_TRUE(open_state_directory(path()));
  struct stat status {};
  ASSERT_EQ(::stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700u);
  ::chmod(path().c_str(), 0755);
  EXPECT_FALSE(open_state_directory(path()));
  EXPECT_FALSE(Journal::open(path()));
  std::filesystem::remove(path());
  std::filesystem::create_directory(directory_ / "elsewhere");
  ::chmod((directory_ / "elsewhere").c_str(), 0700);
  std::filesystem::create_directory_symlink(directory_ / "elsewhere", path());
  EXPECT_FALSE(open_state_directory(path()));
}

TEST_F(State, FollowsNoLinkToAJournal) {
  ASSERT_TRUE(open_state_directory(path()));
  directory_.write("mine", kHead);
  std::filesystem::create_symlink(directory_ / "mine", journal());
  EXPECT_FALSE(Journal::open(path()));
  std::filesystem::remove(journal());
  std::filesystem::create_hard_link(directory_ / "mine", journal());
  EXPECT_FALSE(Journal::open(path()));
  std::filesystem::remove(journal());
  ASSERT_EQ(::mkfifo(journal().c_str(), 0600), 0);
  EXPECT_FALSE(Journal::open(path()));
}

TEST_F(State, IsLockedByOne) {
  {
    const auto lock = MachineLock::take(path());
    ASSERT_TRUE(lock) << lock.error().message;
    const auto second = MachineLock::take(path());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Exit::error);
    EXPECT_NE(second.error().message.find(std::to_string(::getpid())), std::string::npos);
    EXPECT_GT(std::filesystem::file_size(directory_ / "state/lock"), 0u);
  }
  EXPECT_EQ(std::filesystem::file_size(directory_ / "state/lock"), 0u) << "no process holds it";
  EXPECT_TRUE(MachineLock::take(path()));
}

// Four CPUs, of which CPU 0 cannot go offline, a foreign task, and no cgroups.
class FakeMachine : public State {
 protected:
  FakeMachine() {
    write_online("0-3");
    directory_.write("sys/devices/system/cpu/cpu0/topology/core_id", "0\n");
    for (int cpu = 1; cpu < 4; ++cpu) directory_.write(online_file(cpu), "1\n");
  }

  static std::string online_file(int cpu) {
    return "sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/online";
  }
  void write_online(const std::string& list) const {
    directory_.write("sys/devices/system/cpu/online", list + "\n");
  }
  std::string online_now() const {
    std::string now;
    for (int cpu = 1; cpu < 4; ++cpu) now += contents(directory_ / online_file(cpu)).at(0);
    return now;
  }
  void mount(const std::string& type, const std::string& options) const {
    directory_.write("proc/self/mountinfo", "35 24 0:30 / /sys/fs/cgroup/my\\040cpus rw - " + type +
                                                " none " + options + "\n");
  }
  void cpuset(const std::string& cgroup, const std::string& cpus, const std::string& tasks) const {
    const std::string directory = "sys/fs/cgroup/my cpus/" + cgroup;
    directory_.write(directory + "/cpuset.cpus", cpus + "\n");
    directory_.write(directory + "/tasks", tasks);
  }
  void task(int pid, const std::string& mask, uint64_t flags = 0x400000) const {
    const std::string text = std::to_string(pid);
    const std::string stat = text + " (a) b) R 1 1 1 0 -1 " + std::to_string(flags) +
                             " 0 0 0 0 0 0 0 0 20 0 1 0 777 0 0\n";
    for (const std::string& directory : {"proc/" + text, "proc/" + text + "/task/" + text}) {
      directory_.write(directory + "/stat", stat);
      directory_.write(directory + "/status", "Name:\ta\nCpus_allowed_list:\t" + mask + "\n");
    }
  }

  Machine machine() const { return Machine(directory_.path()); }
  std::unique_ptr<CpuLimiter> hotplug() const { return make_limiter("hotplug", machine(), path()); }
};

TEST_F(FakeMachine, LosesTheCpusThatWereNotChosenAndGetsThemBack) {
  {
    const auto limiter = hotplug();
    ASSERT_TRUE(limiter->check({{0, 2}, {0, 1, 2, 3}}));
    EXPECT_EQ(online_now(), "111");
    ASSERT_TRUE(limiter->apply({0, 2}));
    EXPECT_EQ(online_now(), "010");
    const auto left = Journal::open(path());
    ASSERT_TRUE(left);
    EXPECT_EQ(left->changes(),
              std::vector<Change>({online_change(1, true, false), online_change(3, true, false)}));
    ASSERT_TRUE(limiter->apply({0, 3}));
    EXPECT_EQ(online_now(), "001");
    ASSERT_TRUE(limiter->apply({0, 1, 2, 3}));
    EXPECT_EQ(online_now(), "111");
    ASSERT_TRUE(limiter->apply({0}));
    EXPECT_EQ(online_now(), "000");
  }  // the destructor restores, as after an error
  EXPECT_EQ(online_now(), "111");
  EXPECT_FALSE(std::filesystem::exists(journal()));
}

TEST_F(FakeMachine, KeepsACpuThatCannotGo) {
  const Status status = hotplug()->check({{0}, {1, 2}});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Exit::unable);
  EXPECT_NE(status.error().message.find("CPU 0 cannot go offline, as "
                                        "/sys/devices/system/cpu/cpu0/online"),
            std::string::npos)
      << status.error().message;
  EXPECT_EQ(online_now(), "111");
}

TEST_F(FakeMachine, LeavesACpuOffThatWasOffBefore) {
  directory_.write(online_file(2), "0\n");
  write_online("0-1,3");
  const auto limiter = hotplug();
  ASSERT_TRUE(limiter->apply({0, 1}));
  EXPECT_EQ(online_now(), "100");
  ASSERT_TRUE(limiter->restore());
  EXPECT_EQ(online_now(), "101");
}

TEST_F(FakeMachine, WritesDownWhatTheKernelWillDrop) {
  mount("cgroup", "rw,cpuset");
  cpuset("outer", "0-3", "");
  cpuset("outer/inner", "2-3", "");
  cpuset("other", "0-1", "5\n");
  task(10, "3");              // is bound to the CPU that goes offline
  task(11, "0-3");            // may run on every CPU
  task(12, "0-127");          // so may this one
  task(13, "0-1");            // keeps its whole mask
  task(14, "3", 0x00200000);  // a kernel thread
  const auto limiter = hotplug();
  ASSERT_TRUE(limiter->apply({0, 1, 2}));
  EXPECT_EQ(
      Journal::open(path())->changes(),
      std::vector<Change>(
          {mask_change(10, 777, {3}), cpuset_cpus_change("outer/inner", {2, 3}, {2}),
           cpuset_cpus_change("outer", {0, 1, 2, 3}, {0, 1, 2}), online_change(3, true, false)}));
  // The changes that the kernel would make.
  cpuset("outer", "0-2", "");
  cpuset("outer/inner", "2", "");
  ASSERT_TRUE(limiter->restore());
  EXPECT_EQ(contents(directory_ / "sys/fs/cgroup/my cpus/outer/cpuset.cpus"), "0-3");
  EXPECT_EQ(contents(directory_ / "sys/fs/cgroup/my cpus/outer/inner/cpuset.cpus"), "2-3");
  EXPECT_EQ(contents(directory_ / "sys/fs/cgroup/my cpus/other/cpuset.cpus"), "0-1\n");
}

TEST_F(FakeMachine, DoesNotThrowTasksOutOfTheirCpuset) {
  mount("cgroup", "rw,cpuset");
  cpuset("theirs", "3", "5\n");
  const Status status = hotplug()->check({{0, 1, 2}});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Exit::unable);
  EXPECT_NE(status.error().message.find("/sys/fs/cgroup/my cpus/theirs"), std::string::npos)
      << status.error().message;
  cpuset("theirs", "2-3", "5\n");
  EXPECT_TRUE(hotplug()->check({{0, 1, 2}}));
}

TEST_F(FakeMachine, KeepsTheJournalWhereSomethingCannotBePutBack) {
  const auto limiter = hotplug();
  ASSERT_TRUE(limiter->apply({0}));
  std::filesystem::remove(directory_ / online_file(2));
  const Status status = limiter->restore();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Exit::error);
  EXPECT_NE(status.error().message.find("cannot write '1' to /sys/devices/system/cpu/cpu2/online"),
            std::string::npos)
      << status.error().message;
  EXPECT_EQ(contents(directory_ / online_file(1)), "1");  // the others are back
  EXPECT_EQ(contents(directory_ / online_file(3)), "1");
  EXPECT_TRUE(std::filesystem::exists(journal()));
  directory_.write(online_file(2), "0\n");
  auto left = MachineChanges::left(path(), machine());
  ASSERT_TRUE(left);
  EXPECT_TRUE(left->undo_all());
  EXPECT_EQ(online_now(), "111");
  EXPECT_FALSE(std::filesystem::exists(journal()));
}

TEST_F(FakeMachine, IsNotTouchedWhileAJournalIsLeft) {
  {
    auto journal = Journal::open(path());
    ASSERT_TRUE(journal && journal->add(online_change(1, true, false)));
  }
  const auto limiter = hotplug();
  EXPECT_FALSE(limiter->apply({0}));
  EXPECT_EQ(online_now(), "111");
}

TEST_F(FakeMachine, LeavesALaterTaskOfTheSameNumberAlone) {
  // This process itself: its start time is not 1.
  const auto mask = read_mask(Machine(), ::getpid());
  ASSERT_TRUE(mask);
  EXPECT_FALSE(mask->of_kernel);
  EXPECT_TRUE(undo(Machine(), mask_change(::getpid(), 1, {4000})));
  EXPECT_TRUE(undo(Machine(), mask_change(::getpid(), mask->started, mask->cpus)));
  const Status status = undo(Machine(), mask_change(::getpid(), mask->started, {4000}));
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find("status to '4000'"), std::string::npos)
      << status.error().message;
}

TEST_F(FakeMachine, FindsTheCpusetController) {
  EXPECT_FALSE(find_cpusets(machine()));
  const Status status = make_limiter("cpuset", machine(), path())->check({{0}});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Exit::unable);

  mount("cgroup", "rw,cpu,cpuset");
  ASSERT_TRUE(find_cpusets(machine()));
  EXPECT_FALSE(find_cpusets(machine())->v2);
  EXPECT_EQ(find_cpusets(machine())->mount, "/sys/fs/cgroup/my cpus");
  mount("cgroup", "rw,cpuacct");
  EXPECT_FALSE(find_cpusets(machine()));
  mount("cgroup2", "rw");
  directory_.write("sys/fs/cgroup/my cpus/cgroup.controllers", "cpu memory\n");
  EXPECT_FALSE(find_cpusets(machine()));
  directory_.write("sys/fs/cgroup/my cpus/cgroup.controllers", "cpuset cpu memory\n");
  ASSERT_TRUE(find_cpusets(machine()));
  EXPECT_TRUE(find_cpusets(machine())->v2);
}

TEST_F(FakeMachine, RefusesCpusetsThatItCannotMake) {
  mount("cgroup2", "rw");
  directory_.write("sys/fs/cgroup/my cpus/cgroup.controllers", "cpuset\n");
  directory_.write("sys/fs/cgroup/my cpus/cpuset.cpus.effective", "0-2\n");
  const auto limiter = make_limiter("cpuset", machine(), path());
  EXPECT_TRUE(limiter->check({{0, 1}, {0, 1, 2}}));
  EXPECT_EQ(limiter->check({{0, 3}}).error().code, Exit::unable);
  std::filesystem::create_directory(directory_ / "sys/fs/cgroup/my cpus/gilscope");
  const Status status = limiter->check({{0}});
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find("my cpus/gilscope exists already"), std::string::npos)
      << status.error().message;
}

// isolcpus=: only the other CPUs are load-balanced, and a partition must leave one of them.
TEST_F(FakeMachine, KeepsAHousekeepingCpuOutOfAPartition) {
  const auto check = [this](const std::vector<CpuSet>& sets) {
    return make_limiter("cpuset", machine(), path())->check(sets);
  };
  const std::string isolated = "sys/devices/system/cpu/isolated";
  mount("cgroup2", "rw");
  directory_.write("sys/fs/cgroup/my cpus/cgroup.controllers", "cpuset\n");
  directory_.write("sys/fs/cgroup/my cpus/cpuset.cpus.effective", "0-3\n");
  EXPECT_TRUE(check({{0, 1}}));  // kernels without the file
  directory_.write(isolated, "\n");
  EXPECT_TRUE(check({{0, 1}, {0}, {0, 1, 2}}));
  directory_.write(isolated, "2-3\n");
  EXPECT_TRUE(check({{0}, {1, 2, 3}, {2, 3}, {0, 1, 2, 3}}));  // all: no partition
  for (const CpuSet& cpus : {CpuSet{0, 1}, CpuSet{0, 1, 2}, CpuSet{0, 1, 3}}) {
    const Status status = check({{0}, cpus});
    ASSERT_FALSE(status) << cpus.size();
    EXPECT_EQ(status.error().code, Exit::unable);
    EXPECT_NE(status.error().message.find("/sys/devices/system/cpu/isolated (2-3)"),
              std::string::npos)
        << status.error().message;
    EXPECT_NE(status.error().message.find("--cpus-by affinity"), std::string::npos);
  }
  // CPUs that the root of the hierarchy lacks cannot serve as housekeeping CPUs.
  directory_.write("sys/fs/cgroup/my cpus/cpuset.cpus.effective", "1-3\n");
  EXPECT_FALSE(check({{1}}));
  // cgroup v1 makes no partition.
  mount("cgroup", "rw,cpuset");
  directory_.write("sys/fs/cgroup/my cpus/cpuset.effective_cpus", "0-3\n");
  EXPECT_TRUE(check({{0, 1}}));
}

TEST(Partition, IsInvalidWhereItsFileSaysSo) {
  EXPECT_EQ(partition_problem("root", "root"), "");
  EXPECT_EQ(partition_problem("root", "root invalid (Cpu list in cpuset.cpus not exclusive)"),
            "it says 'root invalid (Cpu list in cpuset.cpus not exclusive)'");
  EXPECT_NE(partition_problem("root", "member"), "");
}

}  // namespace
}  // namespace gilscope
