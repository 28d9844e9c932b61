// `gilscope top` before a person, in a pipe, and however it ends: the terminal is given back, and
// the process does not notice.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>

#include "tests/kernel/program.h"
#include "tests/kernel/real_program.h"
#include "tests/kernel/terminal.h"
#include "tools/text/table.h"

namespace gilscope {
namespace {

constexpr const char* kWorks =
    "import threading, time\n"
    "def work():\n  while True: sum(range(1000))\n"
    "for i in range(2): threading.Thread(target=work, daemon=True).start()\n"
    "while True: time.sleep(0.001)";

constexpr const char* kOwnScreen = "\033[?1049h";
constexpr const char* kEarlierScreen = "\033[?1049l";

class Top : public WithPython {
 protected:
  static bool works(const Process& python) {
    return in_time([&] {
      return lines_of(shell(fmt::format("ls /proc/{}/task", python.pid())).out).size() == 3;
    });
  }
  static std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (size_t at = 0; at < text.size();) {
      const size_t end = std::min(text.find('\n', at), text.size());
      lines.push_back(text.substr(at, end - at));
      at = end + 1;
    }
    return lines;
  }
  static std::vector<std::string> command(const Process& python) {
    return {program(), "top", std::to_string(python.pid())};
  }
};

TEST_F(Top, DrawsOnATerminalAndObeysItsKeys) {
  Process python({kPython, "-c", kWorks});
  ASSERT_TRUE(works(python));
  Terminal terminal(command(python), 80, 24);
  ASSERT_TRUE(terminal.shows(kOwnScreen)) << terminal.output();
  ASSERT_TRUE(terminal.shows("held by")) << terminal.output();
  ASSERT_TRUE(terminal.shows("*waited/s"));
  ASSERT_TRUE(terminal.shows("q quit"));
  EXPECT_FALSE(terminal.edits_lines());
  terminal.press("s");
  EXPECT_TRUE(terminal.shows("*on-CPU"));
  terminal.press("p");
  EXPECT_TRUE(terminal.shows("paused"));
  terminal.press("\033[A");  // an arrow, which means nothing
  terminal.resize(60, 16);
  terminal.press("pss");
  EXPECT_TRUE(terminal.shows("*wasted/s"));
  EXPECT_TRUE(terminal.shows("q quit"));
  const auto screen = terminal.screen();
  EXPECT_LE(screen.size(), 16u);
  for (const std::string& line : screen) EXPECT_LE(columns(line), 60u) << line;
  terminal.press("q");
  EXPECT_EQ(terminal.wait(), 0) << terminal.output();
  const size_t left = terminal.output().rfind(kEarlierScreen);
  ASSERT_NE(left, std::string::npos);
  // The last picture stays, as plain lines.
  EXPECT_NE(terminal.output().find("own CPU time", left), std::string::npos);
  EXPECT_EQ(terminal.output().find('\033', left + 1), std::string::npos);
  EXPECT_TRUE(terminal.edits_lines());
  EXPECT_EQ(kill(python.pid(), 0), 0);
}

TEST_F(Top, GivesTheTerminalBackAtASignal) {
  Process python({kPython, "-c", kWorks});
  ASSERT_TRUE(works(python));
  Terminal terminal(command(python), 80, 24);
  ASSERT_TRUE(terminal.shows("q quit")) << terminal.output();
  kill(terminal.pid(), SIGTERM);
  EXPECT_EQ(terminal.wait(), 130) << terminal.output();
  EXPECT_NE(terminal.output().find(kEarlierScreen), std::string::npos);
  EXPECT_NE(terminal.output().find("interrupted by SIGTERM"), std::string::npos);
  EXPECT_TRUE(terminal.edits_lines());
}

TEST_F(Top, EndsWithTheProcessAndLeavesALastPicture) {
  Process python({kPython, "-c", kWorks});
  ASSERT_TRUE(works(python));
  Terminal terminal(command(python), 80, 24, "dumb");
  ASSERT_TRUE(terminal.shows("held by")) << terminal.output();
  python.signal(SIGKILL);
  EXPECT_EQ(terminal.wait(), 0) << terminal.output();
  EXPECT_NE(terminal.output().find("ended"), std::string::npos) << terminal.output();
  EXPECT_EQ(terminal.output().find('\033'), std::string::npos) << terminal.output();
}

TEST_F(Top, WritesPlainLinesIntoAPipe) {
  const Ended ended =
      gilscope_run({"top", "--", kPython, "-c",
                    std::string("import time, threading\nend = time.time() + 2.5\n") +
                        "def work():\n  while time.time() < end: sum(range(1000))\n"
                        "for i in range(2): threading.Thread(target=work).start()\n"
                        "print('lost')"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_EQ(ended.err, "");
  EXPECT_EQ(ended.out.find('\033'), std::string::npos);
  EXPECT_EQ(ended.out.find("lost\n"), std::string::npos);
  EXPECT_NE(ended.out.find("held by"), std::string::npos) << ended.out;
  EXPECT_NE(ended.out.find("\n\nprocess "), std::string::npos) << ended.out;
}

TEST_F(Top, RefusesWhatItCannotWatch) {
  const auto expect_refused = [](const std::vector<std::string>& arguments, int status,
                                 const std::string& named) {
    const Ended ended = gilscope_run(arguments);
    EXPECT_EQ(ended.status, status) << ended.err;
    EXPECT_NE(ended.err.find(named), std::string::npos) << ended.err;
    EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
    EXPECT_EQ(ended.out, "");
  };
  expect_refused({"top"}, 2, "COMMAND");
  expect_refused({"top", "1", "--", "true"}, 2, "not both: '1' and 'true'");
  expect_refused({"top", "99999999999"}, 2, "99999999999");
  expect_refused({"top", "--", "/no/such/program"}, 127, "/no/such/program");
  Process python({kPython, "-c", kWorks});
  ASSERT_TRUE(works(python));
  Terminal small(command(python), 30, 5);
  EXPECT_EQ(small.wait(), 2);
  EXPECT_NE(small.output().find("30 columns and 5 lines"), std::string::npos) << small.output();
  EXPECT_TRUE(small.edits_lines());
}

}  // namespace
}  // namespace gilscope
