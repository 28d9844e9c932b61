// The properties of a terminal that decide whether anything but text is written to it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "userspace/base/fd.h"
#include "userspace/base/output.h"

namespace gilscope {
namespace {

// Replaces one of the standard descriptors by a terminal of its own.
class Terminal {
 public:
  explicit Terminal(int fd) : fd_(fd), kept_(::dup(fd)) {
    std::fflush(nullptr);
    master_ = Fd(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    ::grantpt(master_.get());
    ::unlockpt(master_.get());
    const Fd slave(::open(::ptsname(master_.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
    ::dup2(slave.get(), fd_);
  }
  ~Terminal() { ::dup2(kept_.get(), fd_); }

  void resize(unsigned short columns) {
    const winsize size{.ws_row = 24, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    ::ioctl(master_.get(), TIOCSWINSZ, &size);
  }

 private:
  const int fd_;
  const Fd kept_;
  Fd master_;
};

class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* before = ::getenv(name)) before_ = before;
    value ? ::setenv(name, value, 1) : ::unsetenv(name);
  }
  ~Variable() { before_ ? ::setenv(name_, before_->c_str(), 1) : ::unsetenv(name_); }

 private:
  const char* name_;
  std::optional<std::string> before_;
};

TEST(Terminal, IsSentEscapesWhereItKnowsThem) {
  const Variable no_color("NO_COLOR", nullptr);
  for (const auto& [term, knows] : std::vector<std::pair<const char*, bool>>{
           {"xterm", true}, {"vt100", true}, {"dumb", false}, {"", false}, {nullptr, false}}) {
    const Variable variable("TERM", term);
    bool colour, replaced;
    {
      const Terminal out(STDOUT_FILENO), err(STDERR_FILENO);
      colour = output_takes_colour();
      replaced = messages_can_be_replaced();
    }
    EXPECT_EQ(colour, knows) << (term ? term : "unset");
    EXPECT_EQ(replaced, knows) << (term ? term : "unset");
  }
}

TEST(Terminal, IsAskedForStandardOutputAndErrorApart) {
  const Variable term("TERM", "xterm"), no_color("NO_COLOR", nullptr);
  const Fd file(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  const auto ask = [&](int terminal, int other) {
    const Fd kept(::dup(other));
    std::fflush(nullptr);
    ::dup2(file.get(), other);
    std::pair<bool, bool> answer;
    {
      const Terminal there(terminal);
      answer = {output_takes_colour(), messages_can_be_replaced()};
    }
    ::dup2(kept.get(), other);
    return answer;
  };
  EXPECT_EQ(ask(STDOUT_FILENO, STDERR_FILENO), std::pair(true, false));
  EXPECT_EQ(ask(STDERR_FILENO, STDOUT_FILENO), std::pair(false, true));
}

TEST(Terminal, HasNoColourWhereItIsNotWanted) {
  const Variable term("TERM", "xterm"), no_color("NO_COLOR", "1");
  bool colour, replaced;
  {
    const Terminal out(STDOUT_FILENO), err(STDERR_FILENO);
    colour = output_takes_colour();
    replaced = messages_can_be_replaced();
  }
  EXPECT_FALSE(colour);
  EXPECT_TRUE(replaced);
}

TEST(Terminal, IsAskedForItsWidthEachTime) {
  std::vector<std::optional<int>> columns;
  {
    Terminal err(STDERR_FILENO);
    for (const unsigned short width : {30, 10, 1, 0, 132}) {
      err.resize(width);
      columns.push_back(terminal_columns(STDERR_FILENO));
    }
  }
  EXPECT_EQ(columns, (std::vector<std::optional<int>>{30, 10, 1, std::nullopt, 132}));
  const Fd file(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  EXPECT_EQ(terminal_columns(file.get()), std::nullopt);
}

}  // namespace
}  // namespace gilscope
