// `gilscope attach` says in one line why it cannot follow a process, and ends in order; the process
// does not notice.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "tests/kernel/ends.h"
#include "tests/kernel/program.h"
#include "tests/kernel/real_program.h"

namespace gilscope {
namespace {

constexpr const char* kWorks =
    "import threading, time\n"
    "def work():\n  while True: sum(range(1000))\n"
    "for i in range(2): threading.Thread(target=work, daemon=True).start()\n"
    "while True: time.sleep(0.001)";

class Attach : public WithPython {
 protected:
  static bool has_threads(pid_t pid) {
    return in_time(
        [&] { return lines_of(shell(fmt::format("ls /proc/{}/task", pid)).out).size() == 3; });
  }
  // One line, and nothing is left of --out.
  void expect_refused(std::vector<std::string> arguments, int status, const std::string& named) {
    arguments.insert(arguments.begin(), {"attach", "--out", scratch_.path("out")});
    const Ended ended = gilscope_run(arguments);
    EXPECT_EQ(ended.status, status) << ended.err;
    EXPECT_NE(ended.err.find(named), std::string::npos) << ended.err;
    EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
    EXPECT_EQ(ended.out, "");
    EXPECT_FALSE(std::filesystem::exists(scratch_.path("out")));
  }
};

TEST_F(Attach, RefusesWhatIsNoProcess) {
  for (const char* pid : {"0", "-1", "x", "1x", "99999999999", "0x1", " ", "self"}) {
    expect_refused({"--for", "1ms", "--", pid}, 2, pid);
  }
  expect_refused({}, 2, "PID");
  expect_refused({"1", "2"}, 2, "2");
  Process ended({"/bin/true"});
  const std::string gone = std::to_string(ended.pid());
  ended.wait();
  expect_refused({gone}, 2, "no process " + gone);
}

TEST_F(Attach, RefusesAZombie) {
  const Process ended({"/bin/true"});
  const std::string pid = std::to_string(ended.pid());
  ASSERT_TRUE(in_time([&] {
    return shell("cat /proc/" + pid + "/status").out.find("zombie") != std::string::npos;
  }));
  expect_refused({pid, "--for", "1ms"}, 2, "zombie");
}

TEST_F(Attach, RefusesAThreadOfTheKernel) {
  if (shell("cat /proc/2/comm").out != "kthreadd\n") GTEST_SKIP() << "none is visible here";
  expect_refused({"2", "--for", "1ms"}, 2, "kernel");
}

TEST_F(Attach, RefusesAThreadThatIsNoProcess) {
  const Process python({kPython, "-c", kWorks});
  ASSERT_TRUE(has_threads(python.pid()));
  const auto threads = lines_of(shell(fmt::format("ls /proc/{}/task", python.pid())).out);
  const auto thread = std::ranges::find_if(
      threads, [&](const auto& t) { return t != std::to_string(python.pid()); });
  ASSERT_NE(thread, threads.end());
  expect_refused({*thread, "--for", "1ms"}, 2, fmt::format("give {}", python.pid()));
}

TEST_F(Attach, RefusesItself) {
  const Ended ended = shell(fmt::format("exec {} attach $$ --for 1ms", program()));
  EXPECT_EQ(ended.status, 2);
  EXPECT_NE(ended.err.find("gilscope itself"), std::string::npos) << ended.err;
}

TEST_F(Attach, RefusesAProcessThatIsNoInterpreter) {
  const Process sleep({"/bin/sleep", "1000"});
  expect_refused({std::to_string(sleep.pid()), "--for", "1ms"}, 2, std::to_string(sleep.pid()));
}

TEST_F(Attach, RefusesATimeOfNothing) {
  const Process python({kPython, "-c", kWorks});
  const std::string pid = std::to_string(python.pid());
  expect_refused({pid, "--for", "0"}, 2, "sees nothing");
  expect_refused({pid, "--for", "1 week"}, 2, "1 week");
}

// With the rights to trace, but none over the process.
TEST_F(Attach, RefusesAProcessOfAnotherUserWithoutTheRight) {
  std::filesystem::copy_file(program(), scratch_.path("gilscope"));
  chmod(scratch_.path("").c_str(), 0755);
  const Process python({kPython, "-c", kWorks});
  const std::string caps = "-all,+bpf,+perfmon";
  const Ended ended = Process({"setpriv", "--reuid", "65534", "--clear-groups", "--inh-caps", caps,
                               "--ambient-caps", caps, scratch_.path("gilscope"), "attach", "--for",
                               "1ms", std::to_string(python.pid())})
                          .wait();
  EXPECT_EQ(ended.status, 4) << ended.err;
  EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
  EXPECT_EQ(ended.out, "");
}

TEST_F(Attach, EndsWithItsTimeWithCtrlCOrWithTheProcess) {
  Process python({kPython, "-c", kWorks});
  ASSERT_TRUE(has_threads(python.pid()));
  const std::string pid = std::to_string(python.pid());
  const Ended timed = gilscope_run({"attach", pid, "--for", "50ms", "--json"});
  EXPECT_EQ(timed.status, 0) << timed.err;
  EXPECT_EQ(timed.err, "");
  EXPECT_TRUE(timed.out.starts_with("{"));

  // Interrupted before its time: the report is printed all the same.
  Process early({program(), "attach", pid, "--for", "1h", "--json", "--out", scratch_.path("out")});
  ASSERT_TRUE(in_time([&] { return std::filesystem::exists(scratch_.path("out/segments")); }));
  usleep(300'000);  // for a few switches of its threads
  early.signal(SIGTERM);
  const Ended interrupted = early.wait();
  EXPECT_EQ(interrupted.status, 130) << interrupted.err;
  EXPECT_NE(interrupted.err.find("interrupted by SIGTERM"), std::string::npos);
  EXPECT_TRUE(interrupted.out.starts_with("{"));
  EXPECT_TRUE(std::filesystem::exists(scratch_.path("out/report.json")));
  EXPECT_EQ(gilscope_run({"attach", pid, "--out", scratch_.path("out")}).status, 2);

  // Two at once, without a time.
  const auto attach_at_once = [&](const std::string& name) {
    return fmt::format("exec {} attach {} --json 2>{}", program(), pid, scratch_.path(name));
  };
  Process one({"/bin/sh", "-c", attach_at_once("one")});
  Process other({"/bin/sh", "-c", attach_at_once("other")});
  EXPECT_TRUE(says(scratch_.path("one"), "Ctrl-C ends the recording"));
  EXPECT_TRUE(says(scratch_.path("other"), "Ctrl-C ends the recording"));
  one.signal(SIGINT);
  const Ended by_key = one.wait();
  EXPECT_EQ(by_key.status, 0) << shell("cat " + scratch_.path("one")).out;
  EXPECT_TRUE(by_key.out.starts_with("{"));
  python.signal(SIGKILL);
  const Ended by_process = other.wait();
  EXPECT_EQ(by_process.status, 0) << shell("cat " + scratch_.path("other")).out;
  EXPECT_TRUE(by_process.out.starts_with("{"));
  EXPECT_EQ(python.wait().status, 137);
}

TEST_F(Attach, SaysThatADebuggerTracesTheProcess) {
  const Process python({kPython, "-c", kWorks});
  ASSERT_TRUE(has_threads(python.pid()));
  ASSERT_EQ(ptrace(PTRACE_SEIZE, python.pid(), nullptr, nullptr), 0);
  const std::string pid = std::to_string(python.pid());
  const Ended ended = gilscope_run({"attach", pid, "--for", "50ms", "--json"});
  ptrace(PTRACE_DETACH, python.pid(), nullptr, nullptr);
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_NE(ended.err.find(fmt::format("traced by process {}", getpid())), std::string::npos)
      << ended.err;
}

}  // namespace
}  // namespace gilscope
