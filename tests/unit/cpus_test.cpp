#include "userspace/machine/cpus.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <filesystem>

#include "tests/unit/temporary_directory.h"
#include "userspace/machine/cpu_list.h"

namespace gilscope {
namespace {

using Ids = std::vector<int>;

// A machine in a directory laid out like sysfs.
class FakeMachine {
 public:
  void add(int id, int core, int package, bool online = true) {
    const std::string cpu = "cpu" + std::to_string(id) + "/";
    if (id != 0) directory_.write(cpu + "online", online ? "1\n" : "0\n");
    std::filesystem::create_directories(directory_ / cpu);
    if (!online) return;  // an offline CPU has no topology
    directory_.write(cpu + "topology/core_id", std::to_string(core) + "\n");
    directory_.write(cpu + "topology/physical_package_id", std::to_string(package) + "\n");
  }

  std::vector<Cpu> topology() const { return read_topology(directory_.path()).value(); }
  const TemporaryDirectory& directory() const { return directory_; }

 private:
  TemporaryDirectory directory_;
};

Ids first(int count) {
  Ids ids;
  for (int id = 0; id < count; ++id) ids.push_back(id);
  return ids;
}

Ids had(const std::string& request, const std::vector<Cpu>& topology, const Ids& allowed) {
  const auto cpus = resolve_cpus(request, topology, allowed);
  EXPECT_TRUE(cpus) << cpus.error().message;
  return cpus.value_or(Ids());
}

std::string refused(const std::string& request, const std::vector<Cpu>& topology,
                    const Ids& allowed) {
  const auto cpus = resolve_cpus(request, topology, allowed);
  if (cpus) return "not refused";
  EXPECT_EQ(cpus.error().code, Exit::error);
  return cpus.error().message;
}

TEST(Cpus, TakesCoresBeforeSiblings) {
  FakeMachine machine;  // two cores of two threads; neighbours are siblings
  for (int id = 0; id < 4; ++id) machine.add(id, id / 2, 0);
  EXPECT_EQ(had("1", machine.topology(), first(4)), Ids({0}));
  EXPECT_EQ(had("2", machine.topology(), first(4)), Ids({0, 2}));
  EXPECT_EQ(had("3", machine.topology(), first(4)), Ids({0, 1, 2}));
  EXPECT_EQ(had("all", machine.topology(), first(4)), Ids({0, 1, 2, 3}));
}

TEST(Cpus, KnowsSiblingsNumberedApart) {
  FakeMachine machine;  // two packages of two cores of two threads; siblings are four apart
  for (int id = 0; id < 8; ++id) machine.add(id, id % 2, id % 4 / 2);
  EXPECT_EQ(had("2", machine.topology(), first(8)), Ids({0, 1}));
  EXPECT_EQ(had("4", machine.topology(), first(8)), Ids({0, 1, 2, 3}));
  EXPECT_EQ(had("5", machine.topology(), first(8)), Ids({0, 1, 2, 3, 4}));
}

TEST(Cpus, TellsCoresOfTwoDiesApart) {
  FakeMachine machine;
  for (int id = 0; id < 4; ++id) {
    machine.add(id, id % 2, 0);
    machine.directory().write("cpu" + std::to_string(id) + "/topology/die_id",
                              std::to_string(id / 2) + "\n");
  }
  EXPECT_EQ(had("3", machine.topology(), first(4)), Ids({0, 1, 2}));
}

// Two nodes of one package each, with two cores of two threads each; siblings are four apart, and
// nodes alternate from CPU to CPU.
TEST(Cpus, ComeInTheOrderThatIsAskedFor) {
  FakeMachine machine;
  for (int id = 0; id < 8; ++id) {
    machine.add(id, id % 4 / 2, id % 2);
    std::filesystem::create_directories(
        machine.directory() / ("cpu" + std::to_string(id) + "/node" + std::to_string(id % 2)));
  }
  const auto topology = machine.topology();
  EXPECT_EQ(in_order(topology, "cores-first"), Ids({0, 2, 1, 3, 4, 6, 5, 7}));
  EXPECT_EQ(in_order(topology, "siblings-first"), Ids({0, 4, 2, 6, 1, 5, 3, 7}));
  EXPECT_EQ(in_order(topology, "packages-first"), Ids({0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(in_order(topology, "nodes-first"), Ids({0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(resolve_cpus("2", topology, first(8), "siblings-first").value(), Ids({0, 4}));
  EXPECT_EQ(resolve_cpus("2", topology, first(8), "packages-first").value(), Ids({0, 1}));
  EXPECT_EQ(resolve_cpus("cpu:3,7", topology, first(8), "nodes-first").value(), Ids({3, 7}));
  EXPECT_EQ(cpu_orders().size(), 4u);
}

TEST(Cpus, KnowNodesWithinOnePackage) {
  FakeMachine machine;  // one package, two nodes of two CPUs
  for (int id = 0; id < 4; ++id) {
    machine.add(id, id, 0);
    std::filesystem::create_directories(
        machine.directory() / ("cpu" + std::to_string(id) + "/node" + std::to_string(id / 2)));
  }
  EXPECT_EQ(in_order(machine.topology(), "packages-first"), Ids({0, 1, 2, 3}));
  EXPECT_EQ(in_order(machine.topology(), "nodes-first"), Ids({0, 2, 1, 3}));
}

TEST(Cpus, TakesASiblingWhoseOtherHalfIsNotAllowed) {
  FakeMachine machine;
  for (int id = 0; id < 4; ++id) machine.add(id, id / 2, 0);
  EXPECT_EQ(had("2", machine.topology(), {1, 2, 3}), Ids({1, 2}));
}

TEST(Cpus, LeavesOfflineHolesOut) {
  FakeMachine machine;
  for (int id = 0; id < 6; ++id) machine.add(id, id, 0, id != 1 && id != 3);
  EXPECT_EQ(had("all", machine.topology(), first(6)), Ids({0, 2, 4, 5}));
  EXPECT_EQ(had("cpu:0,4-5", machine.topology(), first(6)), Ids({0, 4, 5}));
  const std::string message = refused("cpu:2-3", machine.topology(), {0, 2, 4, 5});
  EXPECT_NE(message.find("CPU 3 is offline: bring it back with echo 1 > "
                         "/sys/devices/system/cpu/cpu3/online"),
            message.npos)
      << message;
}

TEST(Cpus, BelievesTheKernelsListOfOnlineOnes) {
  FakeMachine machine;
  for (int id = 0; id < 4; ++id) machine.add(id, id, 0);
  machine.directory().write("online", "0,2-3\n");
  EXPECT_EQ(had("all", machine.topology(), first(4)), Ids({0, 2, 3}));
  machine.directory().write("online", "what is this\n");
  EXPECT_EQ(had("all", machine.topology(), first(4)), Ids({0, 1, 2, 3}));
}

TEST(Cpus, ManagesSixtyFour) {
  FakeMachine machine;  // 32 cores; siblings are 32 apart; directories are unordered
  for (int id = 63; id >= 0; --id) machine.add(id, id % 32, 0);
  const auto topology = machine.topology();
  ASSERT_EQ(topology.size(), 64u);
  EXPECT_TRUE(std::is_sorted(topology.begin(), topology.end(),
                             [](const Cpu& a, const Cpu& b) { return a.id < b.id; }));
  EXPECT_EQ(had("32", topology, first(64)), first(32));
  EXPECT_EQ(had("33", topology, first(64)), first(33));
  EXPECT_EQ(had("all", topology, first(64)), first(64));
  EXPECT_EQ(had("cpu:63,0-1", topology, first(64)), Ids({0, 1, 63}));
}

TEST(Cpus, NamesWhatCannotBeHad) {
  FakeMachine machine;
  for (int id = 0; id < 4; ++id) machine.add(id, id, 0);
  const auto topology = machine.topology();

  std::string message = refused("5", topology, first(4));
  EXPECT_NE(message.find("5 CPUs requested, but only 4 available, 0-3"), message.npos) << message;
  message = refused("cpu:0,7", topology, first(4));
  EXPECT_NE(message.find("this machine has no CPU 7: choose from 0-3"), message.npos) << message;
  message = refused("cpu:1", topology, {0, 2, 3});
  EXPECT_NE(message.find("CPU 1 is outside this process's affinity mask, 0,2-3"), message.npos)
      << message;
  EXPECT_NE(refused("all", topology, {}), "not refused");
  EXPECT_NE(refused("all", {}, {0}), "not refused");
}

TEST(Cpus, ReadsAMachineThatSaysLittle) {
  TemporaryDirectory directory;
  for (const char* name : {"cpu0", "cpu1", "cpufreq", "cpuidle", "cpu", "cpuX", "cpu-1"}) {
    std::filesystem::create_directories(directory / name);
  }
  directory.write("cpu1/topology/core_id", "nonsense\n");
  directory.write("cpu1/topology/physical_package_id", "-1\n");
  const auto topology = read_topology(directory.path());
  ASSERT_TRUE(topology) << topology.error().message;
  ASSERT_EQ(topology->size(), 2u);
  EXPECT_EQ(had("2", *topology, first(2)), Ids({0, 1}));
}

TEST(Cpus, RefusesARootWithoutCpus) {
  TemporaryDirectory directory;
  EXPECT_FALSE(read_topology(directory.path()));
  EXPECT_FALSE(read_topology(directory / "missing"));
  directory.write("file", "");
  EXPECT_FALSE(read_topology(directory / "file"));
}

TEST(Cpus, ReadsThisMachine) {
  const auto topology = read_topology();
  ASSERT_TRUE(topology) << topology.error().message;
  const auto allowed = allowed_cpus();
  ASSERT_TRUE(allowed) << allowed.error().message;
  ASSERT_FALSE(allowed->empty());
  EXPECT_TRUE(std::is_sorted(allowed->begin(), allowed->end()));
  EXPECT_EQ(had("all", *topology, *allowed), *allowed);
  EXPECT_EQ(had("1", *topology, *allowed).size(), 1u);
}

class GoodForm : public testing::TestWithParam<const char*> {};
TEST_P(GoodForm, Passes) {
  EXPECT_EQ(canonical_cpus(GetParam()).value_or("refused"), GetParam());
}
INSTANTIATE_TEST_SUITE_P(Cpus, GoodForm,
                         testing::Values("all", "1", "64", "8192", "cpu:0", "cpu:0,2-3", "cpu:3,1",
                                         "cpu:8191"));

class BadForm : public testing::TestWithParam<std::string> {};
TEST_P(BadForm, IsRefused) {
  const auto status = canonical_cpus(GetParam());
  ASSERT_FALSE(status) << GetParam();
  EXPECT_EQ(status.error().code, Exit::error);
  EXPECT_EQ(status.error().message.find('\n'), std::string::npos);
}
INSTANTIATE_TEST_SUITE_P(Cpus, BadForm,
                         testing::Values("", "0", "00", "-1", "0x2", "1e1", "1_0", "-0", "+1",
                                         "1.5", "8193", "99999999999999", "All", "ALL", "two", " 1",
                                         "1 ", "1,2", "0-1", "cpu:", "cpu:,", "cpu:0,", "cpu:,0",
                                         "cpu:0,0", "cpu:0-2,1", "cpu:3-2", "cpu:a", "cpu:-1",
                                         "cpu:1-", "cpu:0--1", "cpu:0 ,1", "cpu:8192",
                                         "cpu:0-4294967296", "cpu:0-99999999999999999999", "CPU:0",
                                         "cpu0", "cpu:0\n", "cpu:\x1b[2J"));

TEST(Cpus, AreCountedInDecimal) {
  EXPECT_EQ(canonical_cpus("010").value_or("refused"), "10");
  EXPECT_EQ(canonical_cpus("1k").value_or("refused"), "1000");
  EXPECT_EQ(canonical_cpus("01..08").value_or("refused"), "1..8");
}

TEST(CpuList, IsReadAndWrittenAsTheKernelDoes) {
  EXPECT_EQ(parse_cpu_list("").value(), Ids());
  EXPECT_EQ(parse_cpu_list("0-2,5,7-8").value(), Ids({0, 1, 2, 5, 7, 8}));
  EXPECT_EQ(format_cpu_list({}), "");
  EXPECT_EQ(format_cpu_list({4}), "4");
  EXPECT_EQ(format_cpu_list({0, 1, 2, 5, 7, 8}), "0-2,5,7-8");
}

TEST(CpuList, AsksForNoMoreMemoryThanCpus) {
  std::string text = "0-8191";
  for (int i = 0; i < 50000; ++i) text += ",0-8191";
  EXPECT_FALSE(parse_cpu_list(text));
}

TEST(ExpandCpus, DoublesUpToTheLast) {
  std::vector<Cpu> topology(7);
  std::vector<int> allowed;
  for (int id = 0; id < 7; ++id) {
    topology[static_cast<size_t>(id)].id = id;
    if (id < 6) allowed.push_back(id);
  }
  using Requests = std::vector<std::string>;
  EXPECT_EQ(expand_cpus({"1..all"}, topology, allowed), Requests({"1", "2", "4", "all"}));
  EXPECT_EQ(expand_cpus({"3..6", "cpu:0"}, topology, allowed), Requests({"3", "6", "cpu:0"}));
  EXPECT_EQ(expand_cpus({"2..2"}, topology, allowed), Requests({"2"}));
  EXPECT_EQ(expand_cpus({"1..all"}, topology, {0}), Requests({"all"}));
  EXPECT_EQ(canonical_cpus("1..all").value_or("refused"), "1..all");
  for (const char* bad : {"0..4", "4..2", "..", "1..", "..all", "all..1", "1..x", "cpu:0..3"}) {
    EXPECT_FALSE(canonical_cpus(bad)) << bad;
  }
}

}  // namespace
}  // namespace gilscope
