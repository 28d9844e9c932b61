// `gilscope exec` runs a program as a shell would: its exit status, its terminal and its signals.
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "tests/kernel/program.h"
#include "tests/kernel/real_program.h"

namespace gilscope {
namespace {

// Finding a program's GIL takes a while on a busy machine, and there is no report without.
const std::string kLivesAWhile = "import time\ntime.sleep(1)\n";

class Exec : public WithPython {
 protected:
  // Options, then a script of Python.
  static std::vector<std::string> line(std::vector<std::string> options,
                                       const std::string& script) {
    options.insert(options.begin(), {"exec", "--json"});
    options.insert(options.end(), {"--", kPython, "-u", "-c", script});
    return options;
  }
  static Ended run(std::vector<std::string> options, const std::string& script) {
    return gilscope_run(line(std::move(options), script));
  }
};

TEST_F(Exec, EndsAsTheProgramDoesAndReportsBehindItsOutput) {
  for (const auto& [script, status] : std::vector<std::pair<std::string, int>>{
           {"print('hello')", 0},
           {"print('hello'); raise SystemExit(3)", 3},
           {"import os; print('hello'); os.kill(os.getpid(), 15)", 143}}) {
    const Ended ended = run({"--quiet"}, kLivesAWhile + script);
    EXPECT_EQ(ended.status, status) << ended.err;
    EXPECT_TRUE(ended.out.starts_with("hello\n{")) << ended.out.substr(0, 100);
    EXPECT_EQ(ended.err, "");
  }
}

struct Refused {
  std::vector<std::string> arguments;
  int status;
  std::string named;
};
class ExecRefuses : public ::testing::TestWithParam<Refused> {};

TEST_P(ExecRefuses, InOneLineAndLeavesNothing) {
  const Scratch scratch;
  std::vector<std::string> arguments = GetParam().arguments;
  arguments.insert(arguments.begin(), {"exec", "--out", scratch.path("out")});
  const Ended ended = gilscope_run(arguments);
  EXPECT_EQ(ended.status, GetParam().status) << ended.err;
  EXPECT_NE(ended.err.find(GetParam().named), std::string::npos) << ended.err;
  EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
  EXPECT_EQ(ended.out, "");
  EXPECT_FALSE(std::filesystem::exists(scratch.path("out")));
}

INSTANTIATE_TEST_SUITE_P(Exec, ExecRefuses,
                         ::testing::Values(Refused{{}, 2, "COMMAND"}, Refused{{"--"}, 2, "COMMAND"},
                                           Refused{{"--", ""}, 127, "empty"},
                                           Refused{{"--", "/no/such"}, 127, "'/no/such'"},
                                           Refused{{"nosuchcommand"}, 127, "PATH"},
                                           Refused{{"--", "/etc"}, 126, "directory"},
                                           Refused{{"--", "/etc/passwd"}, 126, "'/etc/passwd'"},
                                           Refused{{"--for", "0", "--", "true"}, 2, "nothing"},
                                           Refused{{"--for", "1y", "--", "true"}, 2, "1y"},
                                           Refused{{"--for", "-1s", "--", "true"}, 2, "-1s"},
                                           Refused{{"--trace", "off", "--", "true"}, 2, "off"},
                                           Refused{{"--policy", "--", "true"}, 2, "--policy"}));

TEST_F(Exec, RefusesADirectoryThatHoldsAReport) {
  const std::string out = scratch_.path("out");
  ASSERT_EQ(run({"--out", out}, "import time; time.sleep(1)").status, 0);
  const auto written = std::filesystem::last_write_time(out + "/report.json");
  const Ended again = run({"--out", out}, fmt::format("open('{}', 'w')", scratch_.path("there")));
  EXPECT_EQ(again.status, 2);
  EXPECT_NE(again.err.find("already holds a report"), std::string::npos) << again.err;
  EXPECT_FALSE(std::filesystem::exists(scratch_.path("there")));
  EXPECT_EQ(std::filesystem::last_write_time(out + "/report.json"), written);
}

TEST_F(Exec, NeedsRoot) {
  std::filesystem::copy_file(program(), scratch_.path("gilscope"));
  chmod(scratch_.path("").c_str(), 0755);
  const Ended ended = Process({"setpriv", "--reuid", "65534", "--clear-groups",
                               scratch_.path("gilscope"), "exec", "--", "/bin/echo", "it runs"})
                          .wait();
  EXPECT_EQ(ended.status, 4) << ended.err;
  EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
  EXPECT_EQ(ended.out, "");
}

TEST_F(Exec, IsTheUsersWhoCalledSudo) {
  const std::string script =
      kLivesAWhile +
      "import os; print(os.getresuid(), os.getresgid(), os.getgroups(), os.environ['USER'], "
      "'SUDO_UID' in os.environ)";
  std::vector<std::string> words = line({}, script);
  words.insert(words.begin(), {"env", "SUDO_UID=65534", "SUDO_GID=65534", program()});
  const Ended ended = Process(words).wait();
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_TRUE(
      ended.out.starts_with("(65534, 65534, 65534) (65534, 65534, 65534) [65534] nobody False\n"))
      << ended.out.substr(0, 200);
  words[1] = "SUDO_UID=nobody";
  const Ended refused = Process(words).wait();
  EXPECT_EQ(refused.status, 2);
  EXPECT_NE(refused.err.find("SUDO_UID='nobody'"), std::string::npos) << refused.err;
  EXPECT_EQ(refused.out, "");
}

// The same as the program has without gilscope.
TEST_F(Exec, LeavesNoDescriptorOfItsOwn) {
  const std::string script = kLivesAWhile +
                             "import os\nfor fd in os.listdir('/proc/self/fd'):\n"
                             " try: print(fd, os.readlink('/proc/self/fd/' + fd))\n"
                             " except FileNotFoundError: pass\nprint('the end')";
  const std::string plain = Process({kPython, "-u", "-c", script}).wait().out;
  const Ended ended = run({"--out", scratch_.path("out")}, script);
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_EQ(ended.out.substr(0, ended.out.find("{")), plain);
}

// A program outlives a gilscope that a failed test has killed: each ends within a minute by itself.

// --- signals ------------------------------------------------------------------------------------

std::string writing_to(const std::string& file, const std::string& script) {
  return fmt::format(
      "import os, signal, sys, time\nsay = lambda t: print(t, file=open('{}', 'a'), "
      "flush=True)\n{}",
      file, script);
}

TEST_F(Exec, PassesOnASignalThatNoTerminalHasSent) {
  for (const int number : {SIGTERM, SIGHUP, SIGINT, SIGUSR1}) {
    const std::string said = scratch_.path(std::to_string(number));
    Process exec({[&] {
      auto words =
          line({"--quiet"}, writing_to(said, fmt::format("def end(*_): sys.exit(5)\n"
                                                         "signal.signal({}, end)\n"
                                                         "time.sleep(1); say('ready')\n"
                                                         "for i in range(6000): time.sleep(0.01)",
                                                         number)));
      words.insert(words.begin(), program());
      return words;
    }()});
    ASSERT_TRUE(says(said, "ready"));
    exec.signal(number);
    const Ended ended = exec.wait();
    EXPECT_EQ(ended.status, 5) << number << ": " << ended.err;
    EXPECT_TRUE(ended.out.starts_with("{")) << number;
  }
}

TEST_F(Exec, EndsAtTheSecondSignalAndLeavesTheProgramAlone) {
  const std::string said = scratch_.path("said"), out = scratch_.path("out");
  auto words =
      line({"--out", out}, writing_to(said,
                                      "signal.signal(signal.SIGTERM, lambda *_: say('asked'))\n"
                                      "time.sleep(1); say(f'{os.getpid()} is ready')\n"
                                      "for i in range(6000): time.sleep(0.01)"));
  words.insert(words.begin(), program());
  Process exec(words);
  ASSERT_TRUE(says(said, "ready"));
  const pid_t python = std::stoi(shell("cat " + said).out);
  exec.signal(SIGTERM);
  EXPECT_TRUE(says(said, "asked"));
  exec.signal(SIGTERM);
  const Ended ended = exec.wait();
  EXPECT_EQ(ended.status, 130);
  EXPECT_NE(ended.err.find(
                fmt::format("interrupted by SIGTERM; the command runs on as process {}", python)),
            std::string::npos)
      << ended.err;
  EXPECT_TRUE(std::filesystem::exists(out + "/report.json"));
  EXPECT_EQ(kill(python, 0), 0) << "it has been killed";
  kill(python, SIGKILL);
}

TEST_F(Exec, RunsOnWhenGilscopeIsKilled) {
  const std::string said = scratch_.path("said"), go = scratch_.path("go");
  auto words = line(
      {}, writing_to(said, fmt::format("say('ready')\n"
                                       "any(os.path.exists('{}') or "
                                       "time.sleep(0.01) for i in range(6000))\nsay('the end')",
                                       go)));
  words.insert(words.begin(), program());
  Process exec(words);
  ASSERT_TRUE(says(said, "ready"));
  exec.signal(SIGKILL);
  EXPECT_EQ(exec.wait().status, 137);
  scratch_.file("go", "");
  EXPECT_TRUE(says(said, "the end"));
}

TEST_F(Exec, RecordsForATimeAndLetsTheProgramGoOn) {
  const std::string out = scratch_.path("out"), go = scratch_.path("go");
  auto words =
      line({"--for", "100ms", "--out", out},
           fmt::format("import os, time, sys\nany(os.path.exists('{}') or "
                       "time.sleep(0.01) for i in range(6000))\nprint('the end'); sys.exit(6)",
                       go));
  words.insert(words.begin(), program());
  Process exec(words);
  EXPECT_TRUE(in_time([&] { return std::filesystem::exists(out + "/report.json"); }));
  scratch_.file("go", "");
  const Ended ended = exec.wait();
  EXPECT_EQ(ended.status, 6) << ended.err;
  EXPECT_TRUE(ended.out.starts_with("the end\n{")) << ended.out.substr(0, 100);
  EXPECT_NE(ended.err.find("/report.json; the command runs on as process"), std::string::npos)
      << ended.err;
}

TEST_F(Exec, EndsWithTheProgramAndCountsWhatItHasLeft) {
  const std::string pid = scratch_.path("pid");
  const std::string script = fmt::format(
      "import os, time\nif os.fork() == 0:\n  os.setsid()\n  for i in (0, 1, 2): os.close(i)\n"
      "  open('{0}.new', 'w').write(str(os.getpid())); os.rename('{0}.new', '{0}')\n"
      "  for i in range(6000): time.sleep(0.01)\n"
      "any(os.path.exists('{0}') or time.sleep(0.01) for i in range(6000))",
      pid);
  const Ended ended = run({}, script);
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_NE(ended.err.find("1 process that the command has left runs on"), std::string::npos)
      << ended.err;
  const pid_t left = std::stoi(shell("cat " + pid).out);
  EXPECT_EQ(kill(left, SIGKILL), 0) << "it has been ended";
}

TEST_F(Exec, RecordsWhatTheProgramHasLeftUntilTheTimeIsOver) {
  const std::string said = scratch_.path("said");
  // The daemon ends long before the time, and the recording with it.
  const std::string script =
      writing_to(said, "if os.fork() == 0:\n  time.sleep(0.3); say('the daemon ends')");
  const Ended ended = run({"--for", "1h", "--quiet"}, script);
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_NE(shell("cat " + said).out.find("the daemon ends"), std::string::npos);
}

// --- the terminal -------------------------------------------------------------------------------

// A shell with job control, or any other program, at a terminal of its own.
class Terminal {
 public:
  explicit Terminal(std::vector<std::string> words) {
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    int master = -1;
    pid_ = forkpty(&master, nullptr, nullptr, nullptr);
    if (pid_ == 0) {
      for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
      sigset_t none;
      sigemptyset(&none);
      sigprocmask(SIG_SETMASK, &none, nullptr);
      setenv("TERM", "dumb", 1);
      setenv("PS1", "prompt> ", 1);
      unsetenv("PROMPT_COMMAND");
      execvp(arguments[0], arguments.data());
      _exit(127);
    }
    master_ = Fd(master);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

  void type(const std::string& keys) const {
    EXPECT_EQ(write(master_.get(), keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }
  // Reads on until the text stands there; false after a long time, or at the end.
  bool shows(const std::string& text) {
    constexpr int kLongMs = 60'000;
    for (;;) {
      if (const size_t at = shown_.find(text, read_); at != shown_.npos) {
        read_ = at + text.size();
        return true;
      }
      pollfd more = {master_.get(), POLLIN, 0};
      char part[4096];
      if (poll(&more, 1, kLongMs) <= 0) return false;
      const ssize_t got = read(master_.get(), part, sizeof(part));
      if (got <= 0) return false;
      shown_.append(part, static_cast<size_t>(got));
    }
  }
  void resize(unsigned short rows) const {
    const winsize size = {rows, 80, 0, 0};
    EXPECT_EQ(ioctl(master_.get(), TIOCSWINSZ, &size), 0);
  }
  int exit_status() {
    while (shows("\n")) {
    }
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  void hang_up() { master_ = Fd(); }
  const std::string& shown() const { return shown_; }

 private:
  pid_t pid_ = -1;
  Fd master_;
  std::string shown_;
  size_t read_ = 0;
};

std::vector<std::string> with_program(std::vector<std::string> words) {
  words.insert(words.begin(), program());
  return words;
}

TEST_F(Exec, HasTheTerminal) {
  Terminal terminal(with_program(line(
      {"--quiet"}, kLivesAWhile +
                       "import os, signal, sys\n"
                       "print('foreground', os.tcgetpgrp(0) == os.getpgrp(), sys.stdin.isatty())\n"
                       "def resized(*_): print('rows', os.get_terminal_size().lines); sys.exit(4)\n"
                       "signal.signal(signal.SIGWINCH, resized)\n"
                       "print('read', input('name? '))\n"
                       "time.sleep(60)")));
  EXPECT_TRUE(terminal.shows("foreground True True")) << terminal.shown();
  EXPECT_TRUE(terminal.shows("name? "));
  terminal.type("somebody\n");
  EXPECT_TRUE(terminal.shows("read somebody")) << terminal.shown();
  terminal.resize(17);
  EXPECT_TRUE(terminal.shows("rows 17")) << terminal.shown();
  EXPECT_EQ(terminal.exit_status(), 4);
}

// The kernel tells only the session's leader, which is gilscope here.
TEST_F(Exec, TellsTheProgramThatTheTerminalIsGone) {
  const std::string said = scratch_.path("said");
  Terminal terminal(with_program(
      line({"--quiet"}, writing_to(said,
                                   "def end(*_): say('hung up'); sys.exit(5)\n"
                                   "signal.signal(signal.SIGHUP, end)\n"
                                   "say('ready')\nfor i in range(6000): time.sleep(0.01)"))));
  ASSERT_TRUE(says(said, "ready"));
  terminal.hang_up();
  EXPECT_TRUE(says(said, "hung up"));
}

TEST_F(Exec, LeavesTheKeysToTheProgram) {
  Terminal terminal(with_program(
      line({"--quiet"}, kLivesAWhile + "import sys, time\n"
                                       "for i in range(3):\n"
                                       "  try:\n"
                                       "    print('ready'); time.sleep(60)\n"
                                       "  except KeyboardInterrupt: print('taken', i)\n"
                                       "sys.exit(7)")));
  // As often as somebody likes: only the program ends itself.
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(terminal.shows("ready")) << terminal.shown();
    usleep(20'000);
    terminal.type("\x03");
    EXPECT_TRUE(terminal.shows("taken " + std::to_string(i))) << terminal.shown();
  }
  EXPECT_TRUE(terminal.shows("{"));
  EXPECT_EQ(terminal.exit_status(), 7);
}

TEST_F(Exec, ReportsAProgramThatAKeyHasEnded) {
  Terminal terminal(
      with_program(line({"--quiet"}, kLivesAWhile + "print('ready'); time.sleep(60)")));
  ASSERT_TRUE(terminal.shows("ready"));
  terminal.type("\x1c");
  EXPECT_TRUE(terminal.shows("{")) << terminal.shown();
  EXPECT_EQ(terminal.exit_status(), 128 + SIGQUIT);
}

TEST_F(Exec, StopsWithTheProgramAndGoesOnWithIt) {
  const std::string file = scratch_.file(
      "script.py", "import time\nprint('rea' 'dy')\ntime.sleep(0.2)\nprint('g' 'o:', input())");
  Terminal terminal({"/bin/bash", "--norc", "--noprofile", "-i"});
  terminal.type(fmt::format("{} exec --json --quiet -- {} -u {}; echo st''atus $?\n", program(),
                            kPython, file));
  ASSERT_TRUE(terminal.shows("ready")) << terminal.shown();
  usleep(20'000);
  terminal.type("\x1a");
  ASSERT_TRUE(terminal.shows("Stopped")) << terminal.shown();
  terminal.type(
      "p=$(jobs -p); for i in $p $(cat /proc/$p/task/$p/children); do grep State /proc/$i/status; "
      "done; echo look''ed\n");
  ASSERT_TRUE(terminal.shows("T (stopped)")) << terminal.shown();
  ASSERT_TRUE(terminal.shows("T (stopped)")) << "only one of two: " << terminal.shown();
  ASSERT_TRUE(terminal.shows("looked"));
  terminal.type("fg\n");
  terminal.type("again\n");
  EXPECT_TRUE(terminal.shows("go: again")) << terminal.shown();
  terminal.type("exit\n");
  terminal.exit_status();
}

}  // namespace
}  // namespace gilscope
