// Experiments that are ended from outside, and the state they must leave.
#pragma once

#include <gtest/gtest.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/kernel/program.h"
#include "tests/kernel/somebody_else.h"
#include "userspace/base/fd.h"
#include "userspace/report/invariants.h"
#include "userspace/report/json.h"

namespace gilscope {

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// The program, with its descriptors, limits and signals as `prepare` sets them in the child.
class ProcessGroup {
 public:
  ProcessGroup(std::vector<std::string> arguments, const std::function<void()>& prepare) {
    arguments.insert(arguments.begin(), program());
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    out_ = Fd(memfd_create("out", MFD_CLOEXEC));
    err_ = Fd(memfd_create("err", MFD_CLOEXEC));
    pid_ = fork();
    if (pid_ != 0) return;
    setsid();  // a group of its own, and no terminal
    for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    dup2(out_.get(), STDOUT_FILENO);
    dup2(err_.get(), STDERR_FILENO);
    prepare();
    execv(argv[0], argv.data());
    _exit(127);
  }
  ProcessGroup(const ProcessGroup&) = delete;
  ProcessGroup& operator=(const ProcessGroup&) = delete;
  ~ProcessGroup() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    wait();
  }

  pid_t pid() const { return pid_; }
  void signal(int number) const { ::kill(pid_, number); }
  void signal_all(int number) const { ::kill(-pid_, number); }

  // Returns its status as wait(2) does.
  int wait() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }
  // Whether it ends within this time.
  bool wait_for(uint64_t ms) const {
    const Fd process(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
    pollfd ended{process.get(), POLLIN, 0};
    return poll(&ended, 1, static_cast<int>(ms)) != 0;
  }
  // The same, but kills a process that hangs for two minutes and returns -1.
  int wait_in_time() {
    constexpr int kTwoMinutesMs = 120'000;
    if (wait_for(kTwoMinutesMs)) return wait();
    ::kill(pid_, SIGKILL);
    wait();
    return -1;
  }

  std::string out() const { return contents(out_); }
  std::string err() const { return contents(err_); }

 private:
  static std::string contents(const Fd& file) {
    std::string text(static_cast<size_t>(lseek(file.get(), 0, SEEK_END)), '\0');
    text.resize(
        static_cast<size_t>(std::max<ssize_t>(0, pread(file.get(), text.data(), text.size(), 0))));
    return text;
  }

  pid_t pid_ = -1;
  Fd out_, err_;
};

// The processes of the program, children included.
inline std::set<pid_t> processes_of_program() {
  std::set<pid_t> pids;
  char own[PATH_MAX] = {};
  if (!realpath(program().c_str(), own)) return pids;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != name.npos) continue;
    char exe[PATH_MAX] = {};
    if (readlink((entry.path() / "exe").c_str(), exe, sizeof(exe) - 1) > 0 &&
        std::string_view(exe) == own) {
      pids.insert(std::stoi(name));
    }
  }
  return pids;
}

inline std::set<std::string> our_programs() {
  const auto lines = lines_of(shell("bpftool prog show 2>/dev/null | grep -E 'name (sched_switch|"
                                    "sched_wak|sched_migr|sched_proc|open_window|close_window|"
                                    "enter|leave)'")
                                  .out);
  return {lines.begin(), lines.end()};
}

class Ends : public ::testing::Test {
 protected:
  void SetUp() override {
    if (cpus_here().size() < 2)
      GTEST_SKIP() << "this machine has one CPU: there is none to keep away";
    before_ = somebody_.look();
    processes_before_ = processes_of_program();
    programs_before_ = our_programs();
    ASSERT_FALSE(std::filesystem::exists(kJournal)) << "an earlier run left this machine changed";
  }
  void TearDown() override {
    if (std::filesystem::exists(kJournal)) shell(program() + " restore; rm -f " + kJournal);
    if (Machine().line(online_file()).value_or("1") != "1") {
      ADD_FAILURE() << "a CPU was left offline";
      shell("echo 1 > " + online_file());
    }
  }

  std::string out() const { return scratch_.path("out"); }

  std::vector<std::string> experiment(const std::string& method, int blocks,
                                      const std::string& n = "300k") const {
    return {"run",
            "--policy",
            "none",
            "--workload",
            "count:n=" + n,
            "--arrangement",
            "threaded",
            "--trace",
            "off",
            "--warmup",
            "0",
            "--blocks",
            std::to_string(blocks),
            "--cpus-by",
            method,
            "--cpus",
            "cpu:" + format_cpu_list(chosen()),
            "--out",
            out()};
  }
  // Waits until an experiment by hotplug has a block on the disk, and a CPU offline.
  bool in_the_middle() const {
    return eventually([&] {
      const auto report = read_report(out());
      return report && !report->cells.empty() && !report->cells[0].runs.empty() &&
             Machine().line(online_file()).value_or("1") == "0";
    });
  }

  // The machine must be restored at once; the kernel may take a moment to free a process's
  // resources.
  void expect_as_found() const {
    EXPECT_FALSE(std::filesystem::exists(kJournal));
    EXPECT_EQ(somebody_.look(), before_);
    expect_nobody_left();
  }
  void expect_nobody_left() const {
    EXPECT_TRUE(eventually([&] {
      return std::ranges::includes(processes_before_, processes_of_program());
    })) << "a process of a run is still alive";
    EXPECT_TRUE(eventually([&] { return std::ranges::includes(programs_before_, our_programs()); }))
        << "a BPF program is still loaded";
  }
  void expect_valid(const std::string& status) const {
    const auto report = read_report(out());
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(report->status, status);
    EXPECT_TRUE(broken_invariants(*report).empty());
    EXPECT_EQ(gilscope_run({"validate", out()}).status, 0);
  }

  Scratch scratch_;
  SomebodyElse somebody_;
  Found before_;
  std::set<pid_t> processes_before_;
  std::set<std::string> programs_before_;
};

}  // namespace gilscope
