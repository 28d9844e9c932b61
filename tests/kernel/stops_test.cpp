// A run that was kept from running, by each of the means a machine has, is marked and left out of
// all results; an undisturbed run is not. The worker waits for nothing here: each run is as short
// as possible.
#include <dirent.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "tests/kernel/kernel_test.h"
#include "tests/kernel/program.h"
#include "userspace/report/json.h"

namespace gilscope {
namespace {

constexpr const char* kComputes = "count:n=2M";

const Disturbance* stopped(const gilscope::Run& run) {
  const auto found = std::find_if(run.disturbances.begin(), run.disturbances.end(),
                                  [](const Disturbance& found) { return found.kind == "stopped"; });
  return found == run.disturbances.end() ? nullptr : &*found;
}

// The state of the process's main thread: "R", "S", "T" (stopped), "t" (stopped by a debugger), ...
char state_of(pid_t pid) {
  std::string line;
  std::getline(std::ifstream(fmt::format("/proc/{}/stat", pid)), line);
  const size_t name = line.rfind(") ");
  return name == line.npos || name + 2 >= line.size() ? '?' : line[name + 2];
}

void wait_for_state(pid_t pid, char state) {
  for (int tries = 0; tries < 5000 && state_of(pid) != state; ++tries) usleep(1000);
  EXPECT_EQ(state_of(pid), state);
}

// Waits until the worker has made its threads and is computing, or about to.
void wait_for_threads(pid_t pid, long count) {
  const auto threads = [&] {
    std::error_code error;
    std::filesystem::directory_iterator task(fmt::format("/proc/{}/task", pid), error);
    return error ? 0 : std::distance(task, std::filesystem::directory_iterator());
  };
  for (int tries = 0; tries < 5000 && threads() < count; ++tries) usleep(1000);
}

class Stops : public KernelTest {
 protected:
  void SetUp() override { load({.max_threads = 3, .records = false}); }

  // Runs with `disturb`; the run must be marked by these words.
  void expect_stopped(const std::string& by, const std::function<void(pid_t)>& disturb,
                      const std::string& workload = kComputes) {
    for (const bool traced : {false, true}) {
      const auto disturbed = run(make_cell("check-interval:100", workload, 2, all_cpus()),
                                 {.traced = traced, .on_started = disturb});
      ASSERT_TRUE(disturbed);
      EXPECT_EQ(disturbed->stopped_by, std::vector<std::string>{by}) << traced;
      ASSERT_NE(stopped(*disturbed), nullptr) << traced;
      EXPECT_EQ(stopped(*disturbed)->value, 1) << traced;
      EXPECT_TRUE(disturbed->disturbed());
    }
  }
};

TEST_F(Stops, AreNotSeenWhereThereAreNone) {
  for (const bool traced : {false, true}) {
    const auto quiet =
        run(make_cell("check-interval:100", kComputes, 2, all_cpus()), {.traced = traced});
    ASSERT_TRUE(quiet);
    EXPECT_TRUE(quiet->stopped_by.empty()) << quiet->stopped_by.front();
    EXPECT_EQ(stopped(*quiet), nullptr);
  }
}

TEST_F(Stops, OfTheWorkerAreSeen) {
  expect_stopped("signal", [](pid_t pid) {
    wait_for_threads(pid, 3);
    kill(pid, SIGSTOP);
    wait_for_state(pid, 'T');
    kill(pid, SIGCONT);
  });
}

// No one observes the stop itself; only the continuing is reported.
TEST_F(Stops, AsShortAsCanBeAreSeen) {
  expect_stopped("signal", [](pid_t pid) {
    wait_for_threads(pid, 3);
    // Not SIGTSTP: the kernel ignores it in an orphaned process group.
    kill(pid, SIGSTOP);
    for (char state = 0; state != 'T' && state != 'Z'; state = state_of(pid)) continue;
    kill(pid, SIGCONT);
  });
}

TEST_F(Stops, OfTheClientAreSeen) {
  expect_stopped(
      "client",
      [](pid_t worker) {
        wait_for_threads(worker, 3);
        // The client is the other child of this process.
        for (const auto& task : std::filesystem::directory_iterator("/proc")) {
          const pid_t pid = atoi(task.path().filename().c_str());
          std::string line;
          std::getline(std::ifstream(task.path() / "stat"), line);
          const size_t name = line.rfind(") ");
          if (pid <= 0 || pid == worker || name == line.npos) continue;
          if (atoi(line.c_str() + name + 4) != getpid()) continue;
          kill(pid, SIGSTOP);
          wait_for_state(pid, 'T');
          kill(pid, SIGCONT);
        }
      },
      "echo:background=0,seconds=300ms");
}

TEST_F(Stops, ByADebuggerThatStaysAreSeen) {
  expect_stopped("debugger", [](pid_t pid) {
    wait_for_threads(pid, 3);
    // The debugger's thread attaches; it dies with this process, and detaches then.
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    const pid_t debugger = fork();
    if (debugger == 0) {
      const char word = ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) == 0 ? 'y' : 'n';
      if (write(ready[1], &word, 1) != 1) _exit(1);
      int status;
      while (waitpid(pid, &status, __WALL) == pid && !WIFEXITED(status) && !WIFSIGNALED(status)) {
        ptrace(PTRACE_CONT, pid, nullptr, 0);
      }
      _exit(0);
    }
    char word = 0;
    EXPECT_EQ(read(ready[0], &word, 1), 1);
    EXPECT_EQ(word, 'y') << "this process may not attach to its child";
    close(ready[0]);
    close(ready[1]);
  });
  while (waitpid(-1, nullptr, WNOHANG) > 0) continue;
}

// A cgroup in a hierarchy that can freeze; removed at the end.
class Frozen {
 public:
  Frozen(std::string mount, const char* file, const char* freeze, const char* thaw)
      : directory_(mount + "/gilscope-test-stops"), file_(file), freeze_(freeze), thaw_(thaw) {
    std::error_code error;
    std::filesystem::create_directory(directory_, error);
  }
  ~Frozen() {
    write(file_, thaw_);
    for (int tries = 0; tries < 1000 && rmdir(directory_.c_str()) != 0; ++tries) usleep(1000);
  }
  bool there() const { return std::filesystem::exists(directory_ + "/" + file_); }
  void take(pid_t pid) const { write("cgroup.procs", std::to_string(pid)); }
  void freeze() const { write(file_, freeze_); }
  void thaw() const { write(file_, thaw_); }
  const std::string& directory() const { return directory_; }

 private:
  void write(const std::string& file, const std::string& text) const {
    std::ofstream(directory_ + "/" + file) << text << std::flush;
  }
  std::string directory_, file_, freeze_, thaw_;
};

std::optional<Frozen> freezer_of(bool unified) {
  std::ifstream mounts("/proc/mounts");
  std::string device, point, type, options, rest;
  while (mounts >> device >> point >> type >> options && std::getline(mounts, rest)) {
    if (unified && type == "cgroup2") {
      return std::optional<Frozen>(std::in_place, point, "cgroup.freeze", "1", "0");
    }
    if (!unified && type == "cgroup" && ("," + options + ",").find(",freezer,") != options.npos) {
      return std::optional<Frozen>(std::in_place, point, "freezer.state", "FROZEN", "THAWED");
    }
  }
  return {};
}

// The whole program, in a cgroup that is frozen while its run is running.
void expect_freeze_seen(bool unified) {
  const auto cgroup = freezer_of(unified);
  if (!cgroup || !cgroup->there()) GTEST_SKIP() << "no such freezer here";
  const Scratch scratch;
  const std::string out = scratch.path("frozen");
  Process run({"/bin/sh", "-c",
               fmt::format("echo $$ > {}/cgroup.procs; exec {} run --policy none --workload "
                           "count:n=5M --arrangement threaded --threads 2 --blocks 1 --warmup 0 "
                           "--trace off --quiet --out {}",
                           cgroup->directory(), program(), out)});
  // The worker is its child.
  const auto child = [&] {
    std::ifstream children(fmt::format("/proc/{}/task/{}/children", run.pid(), run.pid()));
    pid_t pid = 0;
    children >> pid;
    return pid;
  };
  pid_t worker = 0;
  for (int tries = 0; tries < 20000 && worker == 0; ++tries) usleep(1000), worker = child();
  ASSERT_GT(worker, 0);
  wait_for_threads(worker, 3);
  cgroup->freeze();
  usleep(20'000);
  cgroup->thaw();
  const Ended ended = run.wait();
  ASSERT_EQ(ended.status, 0) << ended.err;
  const auto report = read_report(out);
  ASSERT_TRUE(report) << report.error().message;
  for (const auto& one : report->cells.at(0).runs) {
    EXPECT_EQ(one.stopped_by, std::vector<std::string>{"freezer"});
    EXPECT_TRUE(one.disturbed());
  }
  EXPECT_NE(ended.out.find("stopped 1)"), std::string::npos) << ended.out;
  EXPECT_EQ(gilscope_run({"validate", out}).status, 0);
}

TEST_F(Stops, ByTheFreezerAreSeen) {
  expect_freeze_seen(true);
}

TEST_F(Stops, ByTheOlderFreezerAreSeen) {
  expect_freeze_seen(false);
}

// A process that is moved to another cgroup may be frozen there.
TEST_F(Stops, AWorkerThatIsMovedIsNotTrusted) {
  const auto cgroup = freezer_of(true);
  if (!cgroup || !cgroup->there()) GTEST_SKIP() << "no cgroup of version 2 here";
  expect_stopped("cgroup", [&](pid_t pid) {
    wait_for_threads(pid, 3);
    cgroup->take(pid);
    cgroup->freeze();
    cgroup->thaw();
  });
}

}  // namespace
}  // namespace gilscope
