#include "userspace/machine/facts/environment.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <filesystem>
#include <set>

#include "tests/unit/temporary_directory.h"
#include "userspace/machine/facts/parts.h"
#include "userspace/machine/facts/value_text.h"
#include "userspace/machine/features/features.h"

namespace gilscope {
namespace {

const Fact* find(const Facts& facts, const std::string& key) {
  for (const Fact& fact : facts) {
    if (fact.key == key) return &fact;
  }
  return nullptr;
}

template <typename T>
void expect_fact(const Facts& facts, const std::string& key, const T& expected) {
  const Fact* fact = find(facts, key);
  ASSERT_NE(fact, nullptr) << key;
  ASSERT_TRUE(std::holds_alternative<T>(fact->value)) << key << ": " << fact->reason;
  EXPECT_EQ(std::get<T>(fact->value), expected) << key;
  EXPECT_EQ(fact->reason, "") << key;
}

void expect_text(const Facts& facts, const std::string& key, const std::string& expected) {
  expect_fact(facts, key, expected);
}

void expect_null(const Facts& facts, const std::string& key, const std::string& reason) {
  const Fact* fact = find(facts, key);
  ASSERT_NE(fact, nullptr) << key;
  EXPECT_TRUE(std::holds_alternative<std::monostate>(fact->value)) << key;
  EXPECT_NE(fact->reason.find(reason), std::string::npos) << key << ": " << fact->reason;
}

using Numbers = std::vector<int64_t>;
using Texts = std::vector<std::string>;

class Environment : public testing::Test {
 protected:
  Facts environment(const std::optional<std::string>& signature = "") const {
    return capture_environment(Machine(root_.path()), signature);
  }
  Facts moment() const { return capture_moment(Machine(root_.path())); }

  void write_gzip(const std::string& name, const std::string& text) const {
    root_.write(name, "");
    gzFile file = ::gzopen((root_ / name).c_str(), "wb");
    ::gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
    ::gzclose(file);
  }

  TemporaryDirectory root_;
};

TEST_F(Environment, OfAnEmptyMachineIsNullWithReasons) {
  for (const Facts& facts : {environment(std::nullopt), moment()}) {
    EXPECT_GT(facts.size(), 10u);
    for (const Fact& fact : facts) {
      if (fact.key.starts_with("time.") || fact.key == "glibc.version") continue;
      EXPECT_TRUE(std::holds_alternative<std::monostate>(fact.value)) << fact.key;
      EXPECT_NE(fact.reason, "") << fact.key;
    }
  }
}

// A key that is the beginning of another could not be both a member and an object of the report.
TEST_F(Environment, KeysAreUniqueAndNest) {
  for (const bool real : {true, false}) {
    Facts facts = real ? capture_environment() : environment();
    const Facts more = real ? capture_moment() : moment();
    facts.insert(facts.end(), more.begin(), more.end());
    std::set<std::string> keys;
    for (const Fact& fact : facts) EXPECT_TRUE(keys.insert(fact.key).second) << fact.key;
    for (const std::string& key : keys) {
      const auto next = keys.lower_bound(key + ".");
      EXPECT_FALSE(next != keys.end() && next->starts_with(key + ".")) << key << ", " << *next;
    }
  }
}

TEST_F(Environment, OfThisMachineKnowsItsKernel) {
  const Facts facts = capture_environment();
  for (const char* key : {"kernel.release", "kernel.version", "host.boot_id", "glibc.version",
                          "tool.version", "tool.libbpf"}) {
    const Fact* fact = find(facts, key);
    ASSERT_NE(fact, nullptr);
    EXPECT_TRUE(std::holds_alternative<std::string>(fact->value)) << key << ": " << fact->reason;
  }
  const Fact* online = find(facts, "cpu.online");
  ASSERT_NE(online, nullptr);
  EXPECT_FALSE(std::get<Numbers>(online->value).empty());
}

TEST_F(Environment, ReadsTheKernel) {
  root_.write("proc/sys/kernel/osrelease", "6.1.0-18-amd64\n");
  root_.write("proc/sys/kernel/version", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 (2024-02-01)\n");
  root_.write("proc/cmdline", "quiet preempt=none preempt=full\n");
  root_.write("boot/config-6.1.0-18-amd64", "# CONFIG_HZ_100 is not set\nCONFIG_HZ=250\n");
  const Facts facts = environment();
  expect_text(facts, "kernel.release", "6.1.0-18-amd64");
  expect_text(facts, "kernel.cmdline", "quiet preempt=none preempt=full");
  expect_text(facts, "kernel.preempt", "full");
  expect_text(facts, "kernel.preempt_from", "command line");
  expect_fact(facts, "kernel.config_hz", int64_t{250});
}

TEST_F(Environment, PrefersTheRunningKernelsConfiguration) {
  root_.write("proc/sys/kernel/osrelease", "6.1\n");
  root_.write("proc/sys/kernel/version", "#1 SMP PREEMPT_DYNAMIC\n");
  root_.write("boot/config-6.1", "CONFIG_HZ=100\n");
  write_gzip("proc/config.gz",
             "# CONFIG_PREEMPT_NONE is not set\nCONFIG_PREEMPT_VOLUNTARY=y\nCONFIG_HZ=1000\n");
  const Facts facts = environment();
  expect_fact(facts, "kernel.config_hz", int64_t{1000});
  expect_text(facts, "kernel.preempt", "voluntary");
  expect_text(facts, "kernel.preempt_from", "configuration");
}

TEST_F(Environment, BelievesDebugfsFirst) {
  root_.write("proc/cmdline", "preempt=full\n");
  root_.write("proc/sys/kernel/version", "#1 SMP PREEMPT_DYNAMIC\n");
  root_.write("sys/kernel/debug/sched/preempt", "none voluntary full (lazy)\n");
  root_.write("sys/kernel/debug/sched/base_slice_ns", "2800000\n");
  root_.write("sys/kernel/debug/sched/tunable_scaling", "none (logarithmic) linear\n");
  root_.write("sys/kernel/debug/sched/features", "PLACE_LAG NO_HRTICK \n");
  const Facts facts = environment();
  expect_text(facts, "kernel.preempt", "lazy");
  expect_text(facts, "kernel.preempt_from", "debugfs");
  expect_fact(facts, "kernel.preempt_choices", Texts({"none", "voluntary", "full", "lazy"}));
  const Facts settings = moment();
  expect_fact(settings, "kernel.sched.base_slice_ns", int64_t{2800000});
  expect_text(settings, "kernel.sched.tunable_scaling", "none (logarithmic) linear");
  expect_fact(settings, "kernel.sched.features", Texts({"PLACE_LAG", "NO_HRTICK"}));
}

TEST_F(Environment, ReadsWhatTheKernelWasBuiltFor) {
  root_.write("proc/sys/kernel/osrelease", "7.1\n");
  expect_null(environment(), "kernel.config", "/proc/config.gz: No such file");
  expect_null(environment(), "kernel.config", "/boot/config-7.1: No such file");
  write_gzip("proc/config.gz",
             "CONFIG_HZ=250\n# CONFIG_PREEMPT_RT is not set\nCONFIG_SCHED_CLASS_EXT=y\n"
             "CONFIG_STEAL_GOVERNOR=m\n");
  const Facts facts = environment();
  expect_text(facts, "kernel.config_from", "/proc/config.gz");
  expect_text(facts, "kernel.config.SCHED_CLASS_EXT", "y");
  expect_text(facts, "kernel.config.STEAL_GOVERNOR", "m");
  expect_text(facts, "kernel.config.PREEMPT_RT", "n");
  expect_text(facts, "kernel.config.PREFERRED_CPU", "n");
  EXPECT_EQ(std::get<std::string>(find(facts, "kernel.config_sha256")->value).size(), 64u);
}

TEST_F(Environment, FindsTheBuildIdAmongTheKernelsNotes) {
  // Another note comes first, with a padded name and description; the id ends with bytes that look
  // like white space.
  const std::string other("\x06\0\0\0\x05\0\0\0\x03\0\0\0Linux\0\0\0abcde\0\0\0", 28);
  const std::string gnu("\x04\0\0\0\x05\0\0\0\x03\0\0\0GNU\0\xde\xad\x00\x20\x0a\0\0\0", 24);
  root_.write("sys/kernel/notes", other + gnu);
  expect_text(environment(), "kernel.build_id", "dead00200a");
  root_.write("sys/kernel/notes", other);
  expect_null(environment(), "kernel.build_id", "has no build id");
  for (size_t size = 0; size < gnu.size() - 3; ++size) {
    root_.write("sys/kernel/notes", gnu.substr(0, size));
    expect_null(environment(), "kernel.build_id", "has no build id");
  }
  root_.write("sys/kernel/notes", std::string(40, '\xff'));
  expect_null(environment(), "kernel.build_id", "has no build id");
}

TEST_F(Environment, ReadsPreemptionFromTheVersionOnlyWhereThatSaysIt) {
  root_.write("proc/sys/kernel/version", "#1 SMP PREEMPT_RT\n");
  expect_text(environment(), "kernel.preempt", "rt");
  root_.write("proc/sys/kernel/version", "#1 SMP PREEMPT\n");
  expect_text(environment(), "kernel.preempt", "full");
  root_.write("proc/sys/kernel/version", "#1 SMP\n");
  expect_null(environment(), "kernel.preempt", "none or voluntary");
  root_.write("proc/sys/kernel/version", "#1 SMP PREEMPT_DYNAMIC\n");
  expect_null(environment(), "kernel.preempt", "chosen at boot");
}

TEST_F(Environment, ReadsOlderSchedulerFilesWhereTheyWere) {
  root_.write("proc/sys/kernel/sched_min_granularity_ns", "3000000\n");
  root_.write("sys/kernel/debug/sched_features", "GENTLE_FAIR_SLEEPERS\n");
  root_.write("proc/sys/kernel/sched_autogroup_enabled", "1\n");
  const Facts facts = moment();
  expect_fact(facts, "kernel.sched.min_granularity_ns", int64_t{3000000});
  expect_fact(facts, "kernel.sched.features", Texts({"GENTLE_FAIR_SLEEPERS"}));
  expect_fact(facts, "kernel.sched_autogroup", int64_t{1});
  expect_null(facts, "kernel.sched.base_slice_ns", "No such file");
  expect_null(facts, "kernel.sched_ext.state", "no sched_ext");
}

TEST_F(Environment, SaysThatDebugfsIsNotMounted) {
  std::filesystem::create_directories(root_ / "sys/kernel/debug");
  expect_null(moment(), "kernel.sched.base_slice_ns", "debugfs is not mounted");
  expect_null(moment(), "kernel.sched.features", "debugfs is not mounted");
}

TEST_F(Environment, ReadsTheTasksSlice) {
  root_.write("proc/self/sched", "x (1, #threads: 1)\n---\nse.slice          :     1400000\n");
  expect_fact(moment(), "kernel.sched.task_slice_ns", int64_t{1400000});
}

TEST_F(Environment, NamesTheBpfSchedulerThatIsLoaded) {
  const std::string sched_ext = "sys/kernel/sched_ext/";
  root_.write(sched_ext + "state", "disabled\n");
  root_.write(sched_ext + "enable_seq", "0\n");
  expect_text(moment(), "kernel.sched_ext.ops", "none");
  root_.write(sched_ext + "state", "enabled\n");
  expect_null(moment(), "kernel.sched_ext.ops", "No such file");
  root_.write(sched_ext + "root/ops", "rusty\n");
  root_.write(sched_ext + "enable_seq", "4\n");
  const Facts facts = moment();
  expect_text(facts, "kernel.sched_ext.state", "enabled");
  expect_text(facts, "kernel.sched_ext.ops", "rusty");
  expect_fact(facts, "kernel.sched_ext.enable_seq", int64_t{4});
}

TEST_F(Environment, ReadsTheCpus) {
  const std::string cpus = "sys/devices/system/cpu/";
  root_.write("proc/cpuinfo", "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: A CPU\n");
  root_.write(cpus + "online", "0-1,3\n");
  root_.write(cpus + "present", "0-3\n");
  root_.write(cpus + "isolated", "\n");
  root_.write(cpus + "nohz_full", "(null)\n");
  root_.write(cpus + "smt/control", "on\n");
  root_.write(cpus + "intel_pstate/no_turbo", "1\n");
  root_.write(cpus + "vulnerabilities/meltdown", "Not affected\n");
  root_.write(cpus + "vulnerabilities/spectre_v2", "Mitigation: IBRS\n");
  for (const char* cpu : {"cpu0", "cpu1", "cpu2", "cpu3"}) {
    root_.write(cpus + cpu + "/topology/core_id", cpu == std::string("cpu3") ? "1\n" : "0\n");
    root_.write(cpus + cpu + "/topology/physical_package_id", "0\n");
    root_.write(cpus + cpu + "/cpufreq/scaling_governor",
                cpu == std::string("cpu1") ? "powersave\n" : "performance\n");
  }
  root_.write(cpus + "possible", "0-7\n");
  const Facts facts = environment();
  expect_text(facts, "cpu.model", "A CPU");
  expect_fact(facts, "cpu.possible", Numbers({0, 1, 2, 3, 4, 5, 6, 7}));
  expect_text(facts, "cpu.vendor", "GenuineIntel");
  expect_fact(facts, "cpu.online", Numbers({0, 1, 3}));
  expect_fact(facts, "cpu.present", Numbers({0, 1, 2, 3}));
  expect_fact(facts, "cpu.isolated", Numbers());
  expect_fact(facts, "cpu.nohz_full", Numbers());
  expect_fact(facts, "cpu.count", int64_t{3});
  expect_fact(facts, "cpu.cores", int64_t{2});
  expect_fact(facts, "cpu.threads_per_core", int64_t{2});
  expect_fact(facts, "cpu.packages", int64_t{1});
  const Facts now = moment();
  expect_fact(now, "cpu.governor", Texts({"performance", "powersave", "performance"}));
  expect_fact(now, "cpu.boost", false);
  expect_text(now, "cpu.smt", "on");
  expect_null(now, "cpu.frequency_driver", "no cpufreq");
  expect_null(now, "cpu.energy_preference", "no cpufreq");
  expect_text(facts, "cpu.mitigations.meltdown", "Not affected");
  expect_text(facts, "cpu.mitigations.spectre_v2", "Mitigation: IBRS");
}

TEST_F(Environment, ReadsWhoSharesCoresCachesAndMemory) {
  const std::string cpus = "sys/devices/system/cpu/";
  root_.write(cpus + "online", "0-3\n");
  for (const int cpu : {0, 1, 2, 3}) {
    const std::string directory = cpus + "cpu" + std::to_string(cpu) + "/";
    root_.write(directory + "topology/thread_siblings_list", cpu % 2 ? "1,3\n" : "0,2\n");
    root_.write(directory + "cache/index0/level", "1\n");
    root_.write(directory + "cache/index0/type", "Data\n");
    root_.write(directory + "cache/index0/size", "32K\n");
    root_.write(directory + "cache/index0/shared_cpu_list", cpu % 2 ? "1,3\n" : "0,2\n");
    root_.write(directory + "cache/index1/level", "3\n");
    root_.write(directory + "cache/index1/type", "Unified\n");
    root_.write(directory + "cache/index1/shared_cpu_list", cpu < 2 ? "0-1\n" : "2-3\n");
  }
  for (const char* node : {"node0", "node2", "node10"}) {
    root_.write(std::string("sys/devices/system/node/") + node + "/cpulist",
                node == std::string("node2") ? "0-3\n" : "\n");
  }
  const Facts facts = environment();
  expect_fact(facts, "cpu.smt_groups", Texts({"0,2", "1,3"}));
  expect_fact(facts, "cpu.llc_groups", Texts({"0-1", "2-3"}));
  expect_fact(facts, "cpu.caches", Texts({"L1 Data 32K", "L3 Unified ?"}));
  expect_fact(facts, "memory.nodes", Numbers({0, 2, 10}));
  expect_fact(facts, "memory.node_cpus", Texts({"", "0-3", ""}));
}

TEST_F(Environment, ReadsHowTheCpusAreClocked) {
  const std::string cpus = "sys/devices/system/cpu/";
  root_.write(cpus + "online", "0-1\n");
  for (const char* cpu : {"cpu0/", "cpu1/"}) {
    root_.write(cpus + cpu + "cpufreq/scaling_driver", "amd-pstate-epp\n");
    root_.write(cpus + cpu + "cpufreq/energy_performance_preference", "balance_power\n");
    root_.write(cpus + cpu + "cpufreq/scaling_max_freq", "3000000\n");
    root_.write(cpus + cpu + "thermal_throttle/core_throttle_count", "6\n");
  }
  root_.write(cpus + "cpufreq/boost", "1\n");
  const Facts facts = moment();
  expect_fact(facts, "cpu.frequency_driver", Texts({"amd-pstate-epp", "amd-pstate-epp"}));
  expect_fact(facts, "cpu.energy_preference", Texts({"balance_power", "balance_power"}));
  expect_fact(facts, "cpu.frequency_limit_hz", Numbers({3000000000, 3000000000}));
  expect_fact(facts, "cpu.thermal_throttles", Numbers({6, 6}));
  expect_fact(facts, "cpu.boost", true);
}

TEST_F(Environment, ReadsWhereInterruptsGo) {
  expect_null(environment(), "interrupts.irqbalance", "No such file");
  root_.write("proc/irq/default_smp_affinity", "3\n");
  root_.write("proc/self/comm", "irqbalance\n");  // no process of its own
  expect_null(environment(), "interrupts.irqbalance", "shows no process");
  root_.write("proc/1/comm", "init\n");
  Facts facts = environment();
  expect_text(facts, "interrupts.default_affinity", "3");
  expect_fact(facts, "interrupts.irqbalance", false);
  root_.write("proc/77/comm", "irqbalance\n");
  expect_fact(environment(), "interrupts.irqbalance", true);
}

TEST_F(Environment, TellsAHypervisorFromAnEmulator) {
  root_.write("proc/cpuinfo", "flags\t\t: fpu vme hypervisor lahf_lm\n");
  root_.write("sys/class/dmi/id/sys_vendor", "QEMU\n");
  root_.write("sys/class/dmi/id/product_name", "Standard PC (Q35 + ICH9, 2009)\n");
  expect_text(environment("KVMKVMKVM"), "virtualization.hypervisor", "KVM");
  expect_fact(environment("KVMKVMKVM"), "virtualization.emulated", false);
  expect_text(environment("TCGTCGTCGTCG"), "virtualization.hypervisor", "QEMU TCG");
  expect_fact(environment("TCGTCGTCGTCG"), "virtualization.emulated", true);
  expect_text(environment("KVMKVMKVM"), "virtualization.product",
              "QEMU Standard PC (Q35 + ICH9, 2009)");

  // A QEMU that hides itself: only KVM's clock tells it from KVM.
  const std::string clocks = "sys/devices/system/clocksource/clocksource0/available_clocksource";
  root_.write(clocks, "tsc hpet acpi_pm\n");
  expect_fact(environment(""), "virtualization.emulated", true);
  root_.write(clocks, "kvm-clock tsc hpet acpi_pm\n");
  expect_fact(environment(""), "virtualization.emulated", false);
}

TEST_F(Environment, KnowsBareMetal) {
  root_.write("proc/cpuinfo", "flags\t\t: fpu vme lahf_lm\n");
  expect_text(environment(""), "virtualization.hypervisor", "none");
  expect_fact(environment(""), "virtualization.emulated", false);
}

TEST_F(Environment, GuessesNothingAboutOtherArchitectures) {
  root_.write("proc/cpuinfo", "Features\t: fp asimd\n");
  expect_null(environment(std::nullopt), "virtualization.hypervisor", "no flags");
  expect_null(environment(std::nullopt), "virtualization.emulated", "x86");
}

TEST_F(Environment, FindsTheTightestBandwidthOnTheWayUp) {
  root_.write("proc/self/cgroup", "0::/box/inner\n");
  root_.write("proc/self/mountinfo",
              "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n");
  root_.write("sys/fs/cgroup/box/inner/cpu.max", "max 100000\n");
  expect_text(moment(), "cgroup.cpu_max", "max");
  root_.write("sys/fs/cgroup/box/cpu.max", "150000 100000\n");
  expect_text(moment(), "cgroup.cpu_max", "150000 100000");
  root_.write("sys/fs/cgroup/box/inner/cpu.max", "50000 100000\n");
  expect_text(moment(), "cgroup.cpu_max", "50000 100000");
  expect_fact(environment(), "cgroup.versions", Texts({"v2"}));

  root_.write("sys/fs/cgroup/box/inner/cpu.weight", "250\n");
  root_.write("sys/fs/cgroup/cpuset.cpus.effective", "0-3\n");
  root_.write("sys/fs/cgroup/box/cpuset.cpus.effective", "0-1,3\n");
  expect_fact(moment(), "cgroup.cpu_weight", int64_t{250});
  expect_null(moment(), "cgroup.cpu_shares", "version 1");
  expect_fact(moment(), "cgroup.cpuset", Numbers({0, 1, 3}));
}

// A cgroup counts the stops of its own limit only; a cgroup above it stops this process just as
// well.
TEST_F(Environment, AddsUpTheThrottlingOfEveryCgroupOnTheWayUp) {
  root_.write("proc/self/cgroup", "0::/box/inner\n");
  root_.write("proc/self/mountinfo", "30 23 0:26 / /cg rw - cgroup2 cgroup2 rw\n");
  expect_null(moment(), "cgroup.throttled_periods", "nr_throttled");
  root_.write("cg/box/inner/cpu.stat", "usage_usec 5\nnr_throttled 0\nthrottled_usec 0\n");
  root_.write("cg/box/cpu.stat", "usage_usec 5\nnr_throttled 7\nthrottled_usec 12\n");
  root_.write("cg/cpu.stat", "usage_usec 5\n");
  expect_fact(moment(), "cgroup.throttled_periods", int64_t{7});
  expect_fact(moment(), "cgroup.throttled_ns", int64_t{12000});
  root_.write("cg/box/inner/cpu.stat", "nr_throttled 3\n");
  expect_fact(moment(), "cgroup.throttled_periods", int64_t{10});
  root_.write("cg/box/inner/cpu.stat", "nr_throttled 9223372036854775807\n");
  expect_null(moment(), "cgroup.throttled_periods", "out of range");
}

TEST_F(Environment, ReadsOlderCgroupsToo) {
  root_.write("proc/self/cgroup", "2:cpuacct,cpu:/docker/abc\n1:name=systemd:/\n0::/\n");
  root_.write("proc/self/mountinfo",
              "31 23 0:27 /docker/abc /cg/cpu rw - cgroup cgroup rw,cpuacct,cpu\n");
  root_.write("cg/cpu/cpu.cfs_quota_us", "200000\n");
  root_.write("cg/cpu/cpu.cfs_period_us", "100000\n");
  root_.write("cg/cpu/cpu.shares", "512\n");
  root_.write("cg/cpu/cpu.stat", "nr_periods 9\nnr_throttled 4\nthrottled_time 250\n");
  expect_text(moment(), "cgroup.cpu_max", "200000 100000");
  expect_fact(moment(), "cgroup.cpu_shares", int64_t{512});
  expect_fact(moment(), "cgroup.throttled_periods", int64_t{4});
  expect_fact(moment(), "cgroup.throttled_ns", int64_t{250});
  expect_fact(environment(), "cgroup.versions", Texts({"v1", "v2"}));
  root_.write("cg/cpu/cpu.cfs_quota_us", "-1\n");
  expect_text(moment(), "cgroup.cpu_max", "max");
}

TEST_F(Environment, StandsOddCgroupFiles) {
  for (const char* text : {"", "\n\n", ":::", "0::", "0::/../..", "0::/a/../../..", "nonsense"}) {
    root_.write("proc/self/cgroup", text);
    root_.write("proc/self/mountinfo", "- - - - - - -\n1 2 3\n30 23 0:26 / /c rw - cgroup2 x rw\n");
    root_.write("c/cpu.max", "1 0\n");
    EXPECT_NE(find(moment(), "cgroup.cpu_max"), nullptr);
  }
}

TEST_F(Environment, ReadsTheProcess) {
  std::filesystem::create_directories(root_ / "proc/self/ns");
  std::filesystem::create_symlink("pid:[4026531836]", root_ / "proc/self/ns/pid");
  root_.write("proc/self/status", "Name:\tx\nCpus_allowed_list:\t0,2-3\n");
  root_.write("proc/self/limits",
              "Limit                     Soft Limit           Hard Limit           Units\n"
              "Max locked memory         8388608              8388608              bytes\n");
  Facts facts = environment();
  expect_text(facts, "process.pid_namespace", "initial");
  expect_fact(moment(), "process.cpu_affinity", Numbers({0, 2, 3}));
  expect_fact(facts, "limits.memlock_bytes", int64_t{8388608});

  std::filesystem::remove(root_ / "proc/self/ns/pid");
  std::filesystem::create_symlink("pid:[4026532999]", root_ / "proc/self/ns/pid");
  root_.write("proc/self/limits", "Max locked memory         unlimited   unlimited   bytes\n");
  facts = environment();
  expect_text(facts, "process.pid_namespace", "nested");
  expect_text(facts, "limits.memlock_bytes", "unlimited");
}

TEST_F(Environment, ReadsTheLimitsThatBite) {
  root_.write("proc/self/limits",
              "Limit                     Soft Limit           Hard Limit           Units\n"
              "Max cpu time              10                   unlimited            seconds\n"
              "Max file size             unlimited            unlimited            bytes\n"
              "Max data size             2097152              unlimited            bytes\n"
              "Max stack size            8388608              unlimited            bytes\n"
              "Max processes             63                   96365                processes\n"
              "Max open files            20                   20000                files\n"
              "Max address space         153600000            unlimited            bytes\n"
              "Max realtime timeout      950000               950000               us\n");
  const Facts facts = environment();
  expect_fact(facts, "limits.cpu_seconds", int64_t{10});
  expect_text(facts, "limits.file_size_bytes", "unlimited");
  expect_fact(facts, "limits.data_bytes", int64_t{2097152});
  expect_fact(facts, "limits.stack_bytes", int64_t{8388608});
  expect_fact(facts, "limits.processes", int64_t{63});
  expect_fact(facts, "limits.open_files", int64_t{20});
  expect_fact(facts, "limits.address_space_bytes", int64_t{153600000});
  expect_fact(facts, "limits.realtime_us", int64_t{950000});
  expect_null(facts, "limits.memlock_bytes", "has no Max locked memory");
}

TEST_F(Environment, ReadsHowTheProcessIsTreated) {
  root_.write("proc/self/autogroup", "/autogroup-7 nice -5\n");
  root_.write("proc/self/oom_score_adj", "-1000\n");
  root_.write("proc/self/sched",
              "policy      :     0\nuclamp.min  :   512\nuclamp.max  :  1024\n"
              "effective uclamp.min   :    0\n");
  root_.write("proc/self/status",
              "Mems_allowed_list:\t0-1\nSeccomp:\t2\nSeccomp_filters:\t3\n"
              "Speculation_Store_Bypass:\tthread force mitigated\n"
              "SpeculationIndirectBranch:\tconditional enabled\n");
  const Facts facts = moment();
  expect_fact(facts, "process.autogroup_nice", int64_t{-5});
  expect_fact(facts, "process.oom_score_adj", int64_t{-1000});
  expect_fact(facts, "process.uclamp_min", int64_t{512});
  expect_fact(facts, "process.uclamp_max", int64_t{1024});
  expect_fact(facts, "process.memory_nodes", Numbers({0, 1}));
  expect_fact(facts, "process.seccomp_filters", int64_t{3});
  expect_text(facts, "process.speculative_store_bypass", "thread force mitigated");
  expect_text(facts, "process.indirect_branch_speculation", "conditional enabled");
  root_.write("proc/self/autogroup", "/autogroup-7 nice\n");
  expect_null(moment(), "process.autogroup_nice", "cannot be parsed");
}

TEST_F(Environment, ReadsTheWeightsAndMemoryOfEveryCgroupOnTheWayUp) {
  root_.write("proc/self/mountinfo", "30 23 0:26 / /c rw - cgroup2 cgroup2 rw\n");
  root_.write("proc/self/cgroup", "0::/a/b\n");
  root_.write("c/cpu.stat", "");  // the root has no weight
  root_.write("c/a/cpu.weight", "20\n");
  root_.write("c/a/cpu.idle", "1\n");
  root_.write("c/a/memory.high", "max\n");
  root_.write("c/a/memory.max", "4096\n");
  root_.write("c/a/b/cpu.weight", "100\n");
  root_.write("c/a/b/cpu.idle", "0\n");
  root_.write("c/a/b/memory.high", "max\n");
  root_.write("c/a/b/memory.max", "8192\n");
  const Facts facts = moment();
  expect_fact(facts, "cgroup.cpu_weight", int64_t{100});
  expect_fact(facts, "cgroup.cpu_weights_above", Numbers({20}));
  expect_null(facts, "cgroup.cpu_shares_above", "version 1");
  expect_fact(facts, "cgroup.cpu_idle", true);
  expect_text(facts, "cgroup.memory_high", "max");
  expect_text(facts, "cgroup.memory_max", "4096");
}

// Inherited attributes can only be tested in a process that has inherited them: a child captures
// its own and sends them here.
template <typename Set>
Facts captured_after(Set set) {
  int ends[2];
  if (::pipe(ends) != 0) return {};
  const pid_t child = ::fork();
  if (child == 0) {
    set();
    std::string text;
    for (const Facts& part : {capture_environment(), capture_moment()}) {
      for (const Fact& fact : part) text += fact.key + "=" + value_text(fact) + "\n";
    }
    const bool written = ::write(ends[1], text.data(), text.size()) == ssize_t(text.size());
    ::_exit(written ? 0 : 1);
  }
  ::close(ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t got; (got = ::read(ends[0], buffer, sizeof(buffer))) > 0;) text.append(buffer, got);
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  Facts facts;
  for (const std::string& line : lines(text)) {
    const size_t equals = line.find('=');
    facts.push_back({line.substr(0, equals), line.substr(equals + 1), ""});
  }
  return facts;
}

TEST(Inherited, TheSchedulersTermsAreRecorded) {
  const Facts facts = captured_after([] {
    const sched_param none = {};
    EXPECT_EQ(::sched_setscheduler(0, SCHED_BATCH | SCHED_RESET_ON_FORK, &none), 0);
    EXPECT_EQ(::setpriority(PRIO_PROCESS, 0, 19), 0);
    ::prctl(PR_SET_TIMERSLACK, 70'000);
    ::prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    ::personality(ADDR_NO_RANDOMIZE);
  });
  expect_text(facts, "process.nice", "19");
  expect_text(facts, "process.sched_policy", "batch");
  expect_text(facts, "process.rt_priority", "0");
  expect_text(facts, "process.reset_on_fork", "yes");
  expect_text(facts, "process.timer_slack_ns", "70000");
  expect_text(facts, "process.huge_pages", "no");
  expect_text(facts, "process.address_randomization", "no");
  const Facts idle = captured_after([] {
    const sched_param none = {};
    EXPECT_EQ(::sched_setscheduler(0, SCHED_IDLE, &none), 0);
  });
  expect_text(idle, "process.sched_policy", "idle");
  expect_text(idle, "process.reset_on_fork", "no");
}

TEST(Inherited, OnlyKnownVariablesAreRecorded) {
  const Facts facts = captured_after([] {
    ::setenv("MALLOC_PERTURB_", "7", 1);
    ::setenv("GLIBC_TUNABLES", "glibc.malloc.arena_max=1", 1);
    ::setenv("MALLOC_PASSWORD", "secret", 1);
    ::setenv("TOKEN", "secret", 1);
    ::setenv("LD_PRELOAD_", "secret", 1);
  });
  const Fact* variables = find(facts, "process.variables");
  ASSERT_NE(variables, nullptr);
  const auto text = std::get<std::string>(variables->value);
  EXPECT_NE(text.find("GLIBC_TUNABLES=glibc.malloc.arena_max=1"), text.npos) << text;
  EXPECT_NE(text.find("MALLOC_PERTURB_=7"), text.npos) << text;
  for (const Fact& fact : facts) {
    EXPECT_EQ(std::get<std::string>(fact.value).find("secret"), std::string::npos) << fact.key;
  }
}

TEST_F(Environment, TellsLivePatchesThatAreInForce) {
  expect_null(environment(), "kernel.livepatches", "does not support live patches");
  std::filesystem::create_directories(root_ / "sys/kernel/livepatch");
  expect_fact(environment(), "kernel.livepatches", Texts());
  root_.write("sys/kernel/livepatch/kpatch_1/enabled", "1\n");
  root_.write("sys/kernel/livepatch/kpatch_0/enabled", "0\n");
  expect_fact(environment(), "kernel.livepatches", Texts({"kpatch_1"}));
}

TEST_F(Environment, TellsMachinesApartWithoutTheirId) {
  const std::string id = "0123456789abcdef0123456789abcdef";
  root_.write("etc/machine-id", id + "\n");
  const Facts facts = environment();
  const Fact* hashed = find(facts, "host.machine_id_sha256");
  ASSERT_NE(hashed, nullptr);
  const auto text = std::get<std::string>(hashed->value);
  EXPECT_EQ(text.size(), 64u);
  for (const Fact& fact : facts) {
    if (const auto* value = std::get_if<std::string>(&fact.value)) {
      EXPECT_EQ(value->find(id), value->npos) << fact.key;
    }
  }
  root_.write("etc/machine-id", "1" + id.substr(1) + "\n");
  EXPECT_NE(std::get<std::string>(find(environment(), "host.machine_id_sha256")->value), text);
  root_.write("etc/machine-id", "uninitialized\n");
  expect_null(environment(), "host.machine_id_sha256", "not initialized yet");
}

TEST_F(Environment, ReadsTheHost) {
  root_.write("etc/os-release", "NAME=\"Debian\"\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n");
  root_.write("proc/meminfo", "MemTotal:       16384 kB\nMemAvailable:    1024 kB\n");
  root_.write("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n");
  const Facts facts = environment();
  expect_text(facts, "host.os", "Debian GNU/Linux 12");
  expect_fact(facts, "memory.total_bytes", int64_t{16384} * 1024);
  expect_text(moment(), "clock.source", "tsc");
}

TEST_F(Environment, KeepsTextPrintable) {
  root_.write("proc/sys/kernel/hostname", "machine\x1b[2J\xff\n");
  expect_text(environment(), "host.name", "machine\\x1b[2J\\xff");
}

constexpr const char* kStat =
    "cpu  40 0 0 0 0 0 0 9 0 0\n"
    "cpu0 10 0 0 0 0 0 0 2 0 0\n"
    "cpu1 10 0 0 0 0 0 0 3 0 0\n"
    "cpu12 20 0 0 0 0 0 0 4 0 0\n"
    "intr 5 0 0\n"
    "procs_running 3\n";

TEST_F(Environment, CapturesTheMoment) {
  root_.write("proc/loadavg", "0.50 1.25 2.00 3/84 5100\n");
  root_.write("proc/uptime", "1176.26 2263.02\n");
  root_.write("proc/meminfo", "MemTotal: 2048 kB\nMemAvailable:    1024 kB\n");
  root_.write("proc/stat", kStat);
  root_.write("sys/devices/system/cpu/online", "0-1,12\n");
  for (const char* cpu : {"cpu0", "cpu1", "cpu12"}) {
    root_.write(std::string("sys/devices/system/cpu/") + cpu + "/cpufreq/scaling_cur_freq",
                "2400000\n");
  }
  root_.write("sys/class/thermal/thermal_zone0/temp", "45000\n");
  root_.write("sys/class/thermal/thermal_zone1/temp", "broken\n");
  root_.write("sys/kernel/sched_ext/state", "disabled\n");
  root_.write("sys/kernel/sched_ext/enable_seq", "4\n");
  const Facts facts = moment();
  expect_fact(facts, "load.1", 0.5);
  expect_fact(facts, "load.5", 1.25);
  expect_fact(facts, "load.15", 2.0);
  expect_fact(facts, "tasks.running", int64_t{3});
  expect_fact(facts, "memory.available_bytes", int64_t{1024} * 1024);
  expect_fact(facts, "time.uptime_ns", int64_t{1176260000000});
  expect_fact(facts, "cpu.online_now", Numbers({0, 1, 12}));
  expect_fact(facts, "cpu.steal_ns", Numbers({20000000, 30000000, 40000000}));
  expect_fact(facts, "cpu.frequency_hz", Numbers({2400000000, 2400000000, 2400000000}));
  expect_fact(facts, "temperature.millicelsius", Numbers({45000}));
  expect_fact(facts, "kernel.sched_ext.enable_seq", int64_t{4});
}

TEST_F(Environment, SumsTheStealOfTheseCpusOnly) {
  const Machine machine(root_.path());
  EXPECT_EQ(read_steal_ns(machine, {0}), std::nullopt);
  root_.write("proc/stat", kStat);
  EXPECT_EQ(read_steal_ns(machine, {0, 12}), 60000000u);
  EXPECT_EQ(read_steal_ns(machine, {1}), 30000000u);
  EXPECT_EQ(read_steal_ns(machine, {}), 0u);
  EXPECT_EQ(read_steal_ns(machine, {0, 2}), std::nullopt);  // unknown is not 0
  root_.write("proc/stat", "cpu0 1 2 3 4 5 6 7\n");         // before 2.6.11
  EXPECT_EQ(read_steal_ns(machine, {0}), std::nullopt);
  root_.write("proc/stat", "cpu0 1 2 3 4 5 6 7 -8 0 0\n");
  EXPECT_EQ(read_steal_ns(machine, {0}), std::nullopt);
}

TEST_F(Environment, StandsNonsenseInEveryFile) {
  for (const std::string& junk :
       {std::string(), std::string("\n"), std::string(5000, '\0'), std::string(5000, ':'),
        std::string("cpu\ncpux\ncpu0"), std::string("-1"), std::string("99999999999999999999"),
        std::string("9e30"),
        std::string("MemTotal: 9223372036854775807\nMemAvailable: 9223372036854775807"),
        std::string("()"), std::string(")("), std::string("\xff\xfe\n\xff")}) {
    for (const char* name : {"proc/stat",
                             "proc/loadavg",
                             "proc/uptime",
                             "proc/meminfo",
                             "proc/cpuinfo",
                             "proc/cmdline",
                             "proc/config.gz",
                             "proc/sys/kernel/osrelease",
                             "proc/sys/kernel/version",
                             "proc/self/status",
                             "proc/self/limits",
                             "proc/self/cgroup",
                             "proc/self/mountinfo",
                             "proc/self/sched",
                             "proc/self/autogroup",
                             "proc/self/oom_score_adj",
                             "sys/kernel/livepatch/x/enabled",
                             "etc/machine-id",
                             "sys/devices/system/cpu/online",
                             "sys/devices/system/cpu/cpu0/online",
                             "sys/devices/system/cpu/cpu0/cache/index0/level",
                             "sys/devices/system/cpu/cpu0/topology/thread_siblings_list",
                             "sys/kernel/notes",
                             "sys/kernel/sched_ext/state",
                             "sys/kernel/sched_ext/enable_seq",
                             "proc/1/comm",
                             "sys/kernel/debug/sched/preempt",
                             "sys/kernel/debug/sched/features",
                             "etc/os-release",
                             "sys/class/thermal/thermal_zone0/temp",
                             "sys/devices/system/node/nodeX/x"}) {
      root_.write(name, junk);
    }
    EXPECT_FALSE(environment("\x01\xff").empty());
    EXPECT_FALSE(moment().empty());
    read_disturbances(Machine(root_.path()), {0, 1});
  }
}

TEST(Machine, ReadsNoFurtherThanItNeeds) {
  const TemporaryDirectory root;
  root.write("large", std::string(20 << 20, 'x'));
  const auto text = Machine(root.path()).text("/large");
  ASSERT_TRUE(text);
  EXPECT_LT(text->size(), size_t{5} << 20);
  EXPECT_FALSE(Machine(root.path()).text("/missing"));
  EXPECT_FALSE(Machine(root.path()).text("/"));
}

TEST(Features, TheFirstRequiredOneThatIsMissingIsNamedWithItsFix) {
  std::vector<Feature> features = {{"root", true, true, "", ""},
                                   {"tracefs", false, false, "not mounted", "mount it"}};
  EXPECT_TRUE(first_missing(features));
  features.push_back({"BTF", false, true, "there is none", "boot another kernel"});
  features.push_back({"ring", false, true, "none either", "another fix"});
  const Status status = first_missing(features);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Exit::unable);
  EXPECT_EQ(status.error().message,
            "this machine cannot trace: BTF: there is none; boot another kernel");
}

TEST(Features, EveryOneSaysWhatWasFoundAndWhatToDo) {
  std::set<std::string> names;
  for (const Feature& feature : probe_features()) {
    EXPECT_TRUE(names.insert(feature.name).second) << feature.name;
    EXPECT_NE(feature.detail, "") << feature.name;
    EXPECT_TRUE(feature.ok || !feature.fix.empty()) << feature.name;
    EXPECT_EQ((feature.detail + feature.fix).find('\n'), std::string::npos) << feature.name;
  }
}

}  // namespace
}  // namespace gilscope
