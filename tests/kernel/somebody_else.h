// The parts of the machine that a run may change, as another program sees them: the CPUs, the
// cpusets, and the mask of another process. The last CPU is the one that runs are kept away from.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "tests/kernel/kernel_test.h"
#include "tests/kernel/program.h"
#include "userspace/machine/cpu_list.h"
#include "userspace/machine/limit/cpusets.h"
#include "userspace/machine/limit/masks.h"

namespace gilscope {

inline constexpr const char* kJournal = "/run/gilscope/journal";

template <typename Condition>
bool eventually(Condition condition) {
  for (int i = 0; i < 1500; ++i) {
    if (condition()) return true;
    usleep(5'000);
  }
  return false;
}

// Taken at the start: an offline CPU is in no mask.
inline const std::vector<int>& cpus_here() {
  static const std::vector<int> cpus = all_cpus();
  return cpus;
}

inline std::vector<int> chosen() {
  std::vector<int> cpus = cpus_here();
  cpus.pop_back();
  return cpus;
}

inline std::string online_file() {
  return "/sys/devices/system/cpu/cpu" + std::to_string(cpus_here().back()) + "/online";
}

// The state that gilscope changes, as another program sees it; it must be the same afterwards.
struct Found {
  std::string online, cpusets;
  std::optional<std::string> mask;  // of the other process

  bool operator==(const Found&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, const Found& found) {
  return out << "online " << found.online << ", cpusets " << found.cpusets << ", mask "
             << found.mask.value_or("gone");
}

// A process on the CPU that goes offline, and cpusets with that CPU: the kernel changes these and
// does not restore them.
class SomebodyElse {
 public:
  SomebodyElse() {
    task_ = fork();
    if (task_ == 0) {
      if (!set_mask(0, {cpus_here().back()})) _exit(1);
      for (;;) usleep(10'000);  // a task that never runs keeps its mask
    }
    EXPECT_TRUE(eventually([&] {
      const auto mask = read_mask(Machine(), task_);
      return mask && mask->cpus == std::vector<int>{cpus_here().back()};
    }));
    hierarchy_ = find_cpusets(Machine());
    if (!hierarchy_ || hierarchy_->v2) return;
    for (const char* name : {"/gilscope-test", "/gilscope-test/in ner"}) {
      const std::string directory = hierarchy_->mount + name;
      mkdir(directory.c_str(), 0755);
      std::ofstream(directory + "/cpuset.cpus") << format_cpu_list(cpus_here());
      made_.insert(made_.begin(), directory);
    }
  }
  SomebodyElse(const SomebodyElse&) = delete;
  SomebodyElse& operator=(const SomebodyElse&) = delete;
  ~SomebodyElse() {
    kill(task_, SIGKILL);
    waitpid(task_, nullptr, 0);
    for (const std::string& directory : made_) EXPECT_EQ(rmdir(directory.c_str()), 0) << directory;
  }

  Found look() const {
    Found found;
    found.online = Machine().line("/sys/devices/system/cpu/online").value_or("?");
    if (hierarchy_) {
      found.cpusets = shell("cd " + hierarchy_->mount +
                            " && find . -name cpuset.cpus -exec grep -H . {} + | sort; ls -d "
                            "gilscope 2>/dev/null; cat cgroup.subtree_control 2>/dev/null")
                          .out;
    }
    if (const auto mask = read_mask(Machine(), task_)) found.mask = format_cpu_list(mask->cpus);
    return found;
  }

 private:
  pid_t task_ = -1;
  std::optional<CpusetHierarchy> hierarchy_;
  std::vector<std::string> made_;
};

}  // namespace gilscope
