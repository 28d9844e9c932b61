// `attach --metrics` on a real program: every version of the file is sound, no counter of any goes
// back, and what is wrong with the file is said before anything is traced.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "tests/kernel/program.h"
#include "tests/kernel/real_program.h"
#include "tests/unit/exposition.h"
#include "tools/live/lock_watch.h"
#include "userspace/cli/metrics.h"

namespace gilscope {
namespace {

// Threads by the hundred, which end and have each other's names, beside processes that fork.
constexpr const char* kStorm = R"(
import os, threading, time
end = time.time() + 60
def work():
    for i in range(20000): pass
while time.time() < end:
    ts = [threading.Thread(target=work) for i in range(20)]
    for t in ts: t.start()
    if os.fork() == 0:
        work()
        os._exit(0)
    os.wait()
    for t in ts: t.join()
)";

std::string contents(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class MetricsOfAProgram : public WithPython {};

TEST_F(MetricsOfAProgram, NeverGoBackWhileThreadsStorm) {
  auto interrupt = Interrupt::watch();
  ASSERT_TRUE(interrupt);
  Process python({kPython, "-c", kStorm});
  ASSERT_TRUE(in_time([&] {
    return shell(fmt::format("cat /proc/{}/comm", python.pid())).out.starts_with("python3");
  }));
  usleep(300'000);  // its interpreter is set up by then
  Metrics metrics(make_lock_watch);
  auto recorder = Recorder::start({.max_threads = 256, .reader = &metrics});
  ASSERT_TRUE(recorder) << recorder.error().message;
  const Status followed = recorder->follow(python.pid());
  ASSERT_TRUE(followed) << followed.error().message;

  const std::string path = scratch_.path("gilscope.prom");
  std::atomic<bool> over = false;
  std::string problem, last;
  size_t versions = 0;
  std::map<std::string, double> before;
  std::thread reads([&] {
    while (problem.empty()) {
      const bool final = over;
      const std::string text = contents(path);
      if (!text.empty() && text != last) {
        ++versions;
        const ParsedMetrics parsed = parse_metrics(text);
        problem = parsed.problem.empty() ? went_back(before, parsed) : parsed.problem;
        last = text;
      }
      if (final) break;
      usleep(5'000);
    }
  });
  const auto whole =
      record_metrics(*recorder, metrics, *interrupt, -1,
                     {.path = path, .interval_ns = 20'000'000, .for_ns = 1'200'000'000});
  over = true;
  reads.join();
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_TRUE(*whole);
  EXPECT_EQ(problem, "");
  EXPECT_GT(versions, 5u);
  const ParsedMetrics end = parse_metrics(last);
  EXPECT_EQ(end.value("gilscope_up"), 0);
  double waited = 0, failed = 0;
  for (const auto& [sample, value] : end.samples) {
    if (sample.starts_with("gilscope_thread_waited_seconds_total{")) waited += value;
    if (sample.starts_with("gilscope_thread_contended_total{")) failed += value;
  }
  EXPECT_GT(waited, 0);
  EXPECT_GT(failed, 0);
  struct stat file {};
  ASSERT_EQ(stat(path.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0644u);
  // Nothing is left of the temporary files.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(scratch_.path("")), {}), 1);
}

TEST_F(MetricsOfAProgram, EndWithCtrlCOrTheProcess) {
  Process python({kPython, "-c", kStorm});
  ASSERT_TRUE(in_time([&] {
    return shell(fmt::format("cat /proc/{}/comm", python.pid())).out.starts_with("python3");
  }));
  usleep(300'000);
  const std::string path = scratch_.path("gilscope.prom"), pid = std::to_string(python.pid());
  Process attach({program(), "attach", pid, "--for", "0", "--metrics", path, "--quiet"});
  ASSERT_TRUE(says(path, "gauge\ngilscope_up 1\n"));
  attach.signal(SIGTERM);
  const Ended ended = attach.wait();
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_EQ(ended.out, "");
  EXPECT_TRUE(says(path, "gauge\ngilscope_up 0\n"));

  Process other({program(), "attach", pid, "--for", "0", "--metrics", path, "--quiet"});
  ASSERT_TRUE(says(path, "gauge\ngilscope_up 1\n"));
  python.signal(SIGKILL);
  const Ended with_process = other.wait();
  EXPECT_EQ(with_process.status, 0) << with_process.err;
  EXPECT_TRUE(says(path, "gauge\ngilscope_up 0\n"));
}

TEST_F(MetricsOfAProgram, RefuseAFileThatCannotBeWritten) {
  const auto expect_refused = [](std::vector<std::string> arguments, const std::string& named) {
    arguments.insert(arguments.begin(), {"attach", "1", "--for", "0"});
    const Ended ended = gilscope_run(arguments);
    EXPECT_EQ(ended.status, 2) << ended.err;
    EXPECT_NE(ended.err.find(named), std::string::npos) << ended.err;
    EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
  };
  expect_refused({}, "sees nothing");
  expect_refused({"--metrics", "/no/such/directory/file"}, "No such file or directory");
  expect_refused({"--metrics", "/proc/file"}, "cannot write /proc/file");
  expect_refused({"--metrics", "/tmp"}, "it is a directory");
  expect_refused({"--metrics", "/dev/null"}, "not a regular file");
  symlink("/etc/passwd", scratch_.path("link").c_str());
  expect_refused({"--metrics", scratch_.path("link")}, "a symbolic link");
  expect_refused({"--metrics", scratch_.path("file"), "--json"}, "leave --json out");
  expect_refused({"--metrics", scratch_.path("file"), "--out", scratch_.path("out")},
                 "leave --out out");
  EXPECT_FALSE(std::filesystem::exists(scratch_.path("file")));
  EXPECT_FALSE(std::filesystem::exists(scratch_.path("out")));
}

}  // namespace
}  // namespace gilscope
