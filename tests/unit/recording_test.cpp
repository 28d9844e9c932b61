// Words of the command line of `exec` and `attach`, and signals told apart by their senders.
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "userspace/base/interrupt.h"
#include "userspace/recording/target.h"
#include "userspace/recording/window.h"

namespace gilscope {
namespace {

TEST(Window, IsWrittenAsADuration) {
  for (const auto& [text, ns] :
       std::vector<std::pair<const char*, uint64_t>>{{"10s", 10'000'000'000},
                                                     {"500ms", 500'000'000},
                                                     {"2m", 120'000'000'000},
                                                     {"1.5m", 90'000'000'000},
                                                     {"0.5h", 1'800'000'000'000},
                                                     {"1ms", 1'000'000},
                                                     {"720h", 2'592'000'000'000'000},
                                                     {"010s", 10'000'000'000}}) {
    const auto window = parse_window_ns(text);
    ASSERT_TRUE(window) << text;
    EXPECT_EQ(*window, ns) << text;
  }
  for (const char* text : {"0",
                           "0s",
                           "0ms",
                           "0m",
                           "0.0h",
                           "999us",
                           "1ns",
                           "721h",
                           "1000000h",
                           "99999999999999999999m",
                           "5124095576030431h",
                           "",
                           "m",
                           "s",
                           "-1s",
                           "+1s",
                           "1 s",
                           " 1s",
                           "1d",
                           "1M",
                           "10",
                           "1mm",
                           "1ms2",
                           "1e3s",
                           "nan",
                           "infs"}) {
    EXPECT_FALSE(parse_window_ns(text)) << text;
  }
  EXPECT_NE(parse_window_ns("0").error().message.find("sees nothing"), std::string::npos);
}

TEST(Pid, IsAPositiveNumber) {
  EXPECT_EQ(*parse_pid("1"), 1);
  EXPECT_EQ(*parse_pid("2147483647"), 2147483647);
  for (const char* text :
       {"", "0", "-1", "+1", " 1", "1 ", "1x", "x", "2147483648", "0x10", "1.0", "self"}) {
    EXPECT_FALSE(parse_pid(text)) << text;
  }
}

TEST(CommandText, IsOneLineOfAReadableLength) {
  EXPECT_EQ(command_text({}), "");
  EXPECT_EQ(command_text({"python3", "app.py", "--fast"}), "python3 app.py --fast");
  EXPECT_EQ(command_text({"sh", "-c", "a b", ""}), "sh -c 'a b' ''");
  EXPECT_EQ(command_text({"a\nb", "\x1b[2J"}), "'a\\x0ab' \\x1b[2J");
  const std::string long_text = command_text({std::string(119, 'x') + "\xc3\xa4\xc3\xa4"});
  EXPECT_EQ(long_text, std::string(119, 'x') + "...");
}

TEST(Arrived, SaysWhoSentIt) {
  auto interrupt = Interrupt::watch();
  ASSERT_TRUE(interrupt);
  EXPECT_FALSE(interrupt->next());
  kill(getpid(), SIGUSR1);
  const auto from_us = interrupt->next();
  ASSERT_TRUE(from_us);
  EXPECT_EQ(from_us->number, SIGUSR1);
  EXPECT_EQ(from_us->from, Arrived::From::somebody);

  itimerval soon = {{0, 0}, {0, 1000}};
  setitimer(ITIMER_REAL, &soon, nullptr);
  pollfd arrived = {interrupt->fd(), POLLIN, 0};
  poll(&arrived, 1, -1);
  const auto from_kernel = interrupt->next();
  ASSERT_TRUE(from_kernel);
  EXPECT_EQ(from_kernel->number, SIGALRM);
  EXPECT_EQ(from_kernel->from, Arrived::From::kernel);

  sigevent event = {};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGXCPU;
  timer_t timer;
  ASSERT_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
  const itimerspec at_once = {{0, 0}, {0, 1}};
  timer_settime(timer, 0, &at_once, nullptr);
  poll(&arrived, 1, -1);
  const auto from_itself = interrupt->next();
  timer_delete(timer);
  ASSERT_TRUE(from_itself);
  EXPECT_EQ(from_itself->number, SIGXCPU);
  EXPECT_EQ(from_itself->from, Arrived::From::itself);
  EXPECT_FALSE(interrupt->next());
  EXPECT_EQ(interrupt->signal_name(), "SIGUSR1");
  EXPECT_TRUE(interrupt->requested());
}

}  // namespace
}  // namespace gilscope
