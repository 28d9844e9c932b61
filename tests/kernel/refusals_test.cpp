// On a machine that lacks something, gilscope prints one line that names it and the remedy, and
// exits with 4; a run does without what it does not need.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/kernel/program.h"
#include "userspace/machine/limit/experiment_marker.h"

namespace gilscope {
namespace {

constexpr const char* kRun =
    "run --policy none --workload count:n=1k --arrangement threaded --threads 1 --blocks 1 "
    "--warmup 0 --quiet";

// Runs in its own mount namespace, prepared by `first`.
Ended in_own_mounts(const std::string& first, const std::string& arguments) {
  return Process({"unshare", "--mount", "/bin/sh", "-c",
                  fmt::format("{}; exec {} {}", first, program(), arguments)})
      .wait();
}

void expect_unable(const Ended& ended, const std::string& named, const std::string& remedy) {
  EXPECT_EQ(ended.status, 4) << ended.err;
  EXPECT_NE(ended.err.find(named), std::string::npos) << ended.err;
  EXPECT_NE(ended.err.find(remedy), std::string::npos) << ended.err;
  EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
}

TEST(WithoutProc, EveryCommandThatNeedsItSaysSo) {
  for (const std::string& command :
       {std::string(kRun), std::string("env"), std::string("restore")}) {
    expect_unable(in_own_mounts("umount -l /proc", command), "/proc is not mounted",
                  "mount -t proc proc /proc");
  }
  const Ended doctor = in_own_mounts("umount -l /proc", "doctor");
  EXPECT_EQ(doctor.status, 4) << doctor.err;
  EXPECT_NE(doctor.out.find("/proc is not mounted"), std::string::npos) << doctor.out;
}

TEST(WithoutSys, ARunSaysSo) {
  expect_unable(in_own_mounts("umount -R -l /sys", kRun), "/sys is not mounted",
                "mount -t sysfs sysfs /sys");
}

// Affinity changes nothing on the machine, so there is nothing to record.
TEST(WithARunThatCannotBeWritten, ARunByAffinityWorks) {
  for (const char* lacking : {"mount -t tmpfs -o ro none /run",
                              "mount -t tmpfs -o size=4k none /run; "
                              "head -c 4096 /dev/zero >/run/full"}) {
    const Ended ended = in_own_mounts(lacking, kRun);
    EXPECT_EQ(ended.status, 0) << lacking << ": " << ended.err;
    EXPECT_EQ(ended.err, "") << lacking;
  }
}

TEST(WithARunThatCannotBeWritten, WhatChangesTheMachineIsRefused) {
  const std::string hotplug = std::string(kRun) + " --cpus 1 --cpus-by hotplug";
  const Ended ended = in_own_mounts("mount -t tmpfs -o ro none /run", hotplug);
  EXPECT_EQ(ended.status, 4) << ended.err;
  EXPECT_NE(ended.err.find("/run"), std::string::npos) << ended.err;
  EXPECT_NE(ended.err.find("--cpus-by affinity"), std::string::npos) << ended.err;
  const Ended doctor = in_own_mounts("mount -t tmpfs -o ro none /run", "doctor");
  EXPECT_EQ(doctor.status, 0);
  EXPECT_NE(doctor.out.find("optional  place for the journal"), std::string::npos) << doctor.out;
}

// Too little memory for the kernel's types, but enough to say so.
TEST(WithoutMemory, TheKernelsTypesAreNotSaidToBeMissing) {
  bool printed = false;
  for (const int megabytes : {12, 16, 20, 24, 32, 48, 96}) {
    const Ended ended =
        shell(fmt::format("ulimit -v {}; exec {} {}", megabytes * 1024, program(), kRun));
    EXPECT_EQ(ended.err.find("CONFIG_DEBUG_INFO_BTF"), std::string::npos) << ended.err;
    if (ended.status == 0) continue;
    EXPECT_EQ(ended.status, 4) << megabytes << " MB: " << ended.err;
    EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
    printed = printed || ended.err.find("ulimit -v") != std::string::npos;
  }
  EXPECT_TRUE(printed);
}

TEST(WithoutDescriptors, TheWayOutIsSaid) {
  bool printed = false;
  for (const int files : {6, 8, 10, 12, 16, 20, 24}) {
    const Ended ended = shell(fmt::format("ulimit -n {}; exec {} {}", files, program(), kRun));
    if (ended.status == 0) continue;
    EXPECT_EQ(ended.status, 4) << files << " files: " << ended.err;
    EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
    printed = printed || ended.err.find("ulimit -n") != std::string::npos;
  }
  EXPECT_TRUE(printed);
}

TEST(ExperimentMarker, IsOneOnTheWholeMachine) {
  using State = ExperimentMarker::State;
  {
    const auto first = ExperimentMarker::set();
    ASSERT_EQ(first.state(), State::alone);
    EXPECT_EQ(ExperimentMarker::set().state(), State::taken);
  }
  State again = State::taken;  // the kernel takes a moment to free a map
  for (int tries = 0; tries < 1000 && again == State::taken; ++tries) {
    again = ExperimentMarker::set().state();
    usleep(1000);
  }
  EXPECT_EQ(again, State::alone);
}

// Another container, with its own mounts, measures; the second gilscope notices.
TEST(OneExperiment, IsNoticedAcrossContainers) {
  const std::string run = fmt::format(
      "{} run --policy none --workload ping-pong:seconds=2 --arrangement threaded --threads 2 "
      "--blocks 1 --warmup 0 --trace off --quiet",
      program());
  const std::string container =
      "unshare --mount --net --ipc --uts --pid --cgroup --fork --mount-proc /bin/sh -c "
      "'mount -t tmpfs none /run; exec {}'";
  Process first({"/bin/sh", "-c", fmt::format(fmt::runtime(container), run)});
  Ended second;
  // Until the first reaches its lock, the second may get it.
  for (int tries = 0; tries < 20; ++tries) {
    second = shell(fmt::format(fmt::runtime(container), std::string(program()) + " " + kRun));
    if (second.status != 0) break;
  }
  EXPECT_EQ(second.status, 2) << second.err;
  EXPECT_NE(second.err.find("another gilscope"), std::string::npos) << second.err;
  EXPECT_EQ(first.wait().status, 0);
}

}  // namespace
}  // namespace gilscope
