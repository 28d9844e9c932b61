// Changes that a process makes to itself, tested in forked children.
#include "userspace/base/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <new>
#include <stdexcept>
#include <thread>

#include "tests/unit/temporary_directory.h"
#include "userspace/base/exceptions.h"
#include "userspace/base/interrupt.h"
#include "userspace/base/output.h"

namespace gilscope {
namespace {

// The exit code of a child that runs `body`, or 128 + the signal that ended it. A background shell
// makes the tests ignore two signals; the child gets their default handling back.
int in_child(const std::function<int()>& body) {
  const pid_t pid = fork();
  if (pid == 0) {
    signal(SIGINT, SIG_DFL);
    signal(SIGQUIT, SIG_DFL);
    _exit(body());
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST(StandardDescriptors, AreTakenInEveryCombination) {
  for (int closed = 0; closed < 8; ++closed) {
    EXPECT_EQ(in_child([closed] {
                for (int fd = 0; fd < 3; ++fd) {
                  if (closed & 1 << fd) close(fd);
                }
                take_standard_descriptors();
                char byte = 'x';
                for (int fd = 0; fd < 3; ++fd) {
                  if (fcntl(fd, F_GETFD) < 0) return 1;
                  if ((closed & 1 << fd) == 0) continue;
                  if (fd == 0 && read(fd, &byte, 1) != 0) return 2;
                  if (fd > 0 && write(fd, &byte, 1) != 1) return 3;
                }
                return open("/dev/null", O_RDONLY) < 3 ? 4 : 0;
              }),
              0)
        << closed;
  }
}

TEST(SignalDispositions, MakeErrorsOfWhatWouldKill) {
  TemporaryDirectory directory;
  EXPECT_EQ(in_child([&] {
              signal(SIGCHLD, SIG_IGN);
              set_signal_dispositions();
              int ends[2];
              if (pipe(ends) != 0) return 1;
              close(ends[0]);
              if (write(ends[1], "x", 1) >= 0 || errno != EPIPE) return 2;
              const rlimit none{0, 0};
              setrlimit(RLIMIT_FSIZE, &none);
              const int file = open((directory / "file").c_str(), O_WRONLY | O_CREAT, 0600);
              if (write(file, "x", 1) >= 0 || errno != EFBIG) return 3;
              return in_child([] { return 7; }) == 7 ? 0 : 4;
            }),
            0);
}

// Sends every signal to a child that watches for those that end a process.
TEST(Interrupt, IsEverySignalThatWouldEndTheProcess) {
  for (int number = 1; number <= 64; ++number) {
    if (number == SIGKILL || number == SIGSTOP || number == SIGTSTP || number == SIGTTIN ||
        number == SIGTTOU) {
      continue;
    }
    const bool ends_nothing = number == SIGCHLD || number == SIGCONT || number == SIGURG ||
                              number == SIGWINCH || number == SIGPIPE || number == SIGXFSZ;
    EXPECT_EQ(in_child([&] {
                set_signal_dispositions();
                auto interrupt = Interrupt::watch();
                if (!interrupt || interrupt->requested()) return 1;
                kill(getpid(), number);
                kill(getpid(), number);
                pollfd readable{interrupt->fd(), POLLIN, 0};
                if (poll(&readable, 1, 0) != (ends_nothing ? 0 : 1)) return 2;
                if (interrupt->requested() == ends_nothing) return 3;
                return interrupt->requested() == ends_nothing ? 4 : 0;  // and stays that way
              }),
              0)
        << number;
  }
}

TEST(Interrupt, NamesTheFirstSignal) {
  EXPECT_EQ(in_child([] {
              auto interrupt = Interrupt::watch();
              if (!interrupt) return 1;
              kill(getpid(), SIGQUIT);
              return interrupt->requested() && interrupt->signal_name() == "SIGQUIT" ? 0 : 2;
            }),
            0);
}

TEST(Interrupt, LeavesIgnoredWhatWasIgnored) {
  EXPECT_EQ(in_child([] {
              signal(SIGHUP, SIG_IGN);
              signal(SIGINT, SIG_IGN);
              auto interrupt = Interrupt::watch();
              if (!interrupt) return 1;
              kill(getpid(), SIGHUP);
              kill(getpid(), SIGINT);
              if (interrupt->requested()) return 2;
              kill(getpid(), SIGTERM);
              return interrupt->requested() ? 0 : 3;
            }),
            0);
}

// A child of the watching process leaves the group's signals to its parent, but a crash is its own.
TEST(Interrupt, IsLeftToTheParent) {
  const auto child_with = [](int number) {
    return in_child([number] {
      auto interrupt = Interrupt::watch();
      if (!interrupt) return 1;
      return in_child([&] {
        signal(number, SIG_DFL);  // sanitizers install handlers of their own
        interrupt->ignore_terminal_signals();
        kill(getpid(), number);
        return 0;
      });
    });
  };
  for (const int number : {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGRTMIN}) {
    EXPECT_EQ(child_with(number), 0) << number;
  }
  for (const int number : {SIGSEGV, SIGABRT, SIGXCPU}) {
    EXPECT_EQ(child_with(number), 128 + number);
  }
}

TEST(Interrupt, ComesBeforeALimitOfCpuTimeKills) {
  EXPECT_EQ(in_child([] {
              const rlimit second{1, 1};
              setrlimit(RLIMIT_CPU, &second);
              auto interrupt = Interrupt::watch();
              if (!interrupt) return 1;
              while (!interrupt->requested()) {
              }
              return interrupt->signal_name() == "SIGXCPU" ? 0 : 2;
            }),
            0);
}

TEST(Message, IsNotWaitedForWhereNobodyReads) {
  EXPECT_EQ(in_child([] {
              int ends[2];
              if (pipe(ends) != 0) return 1;
              dup2(ends[1], STDERR_FILENO);
              // Many times what a pipe holds: blocking writes would never return.
              for (int i = 0; i < 100'000; ++i) write_message("a message that nobody reads\n");
              return 0;
            }),
            0);
}

TEST(Message, ThatCannotBeWrittenIsDropped) {
  EXPECT_EQ(in_child([] {
              dup2(open("/dev/full", O_WRONLY), STDERR_FILENO);
              write_message("x");
              close(STDERR_FILENO);
              write_message("x");
              return 0;
            }),
            0);
}

TEST(Exceptions, BecomeErrors) {
  EXPECT_TRUE(catch_exceptions([]() -> Status { return {}; }));
  const Status own = catch_exceptions([]() -> Status { return fail(Exit::no_data, "mine"); });
  ASSERT_FALSE(own);
  EXPECT_EQ(own.error().code, Exit::no_data);
  const Status memory = catch_exceptions([]() -> Status { throw std::bad_alloc(); });
  ASSERT_FALSE(memory);
  EXPECT_EQ(memory.error().code, Exit::unable);
  EXPECT_NE(memory.error().message.find("raise `ulimit -v`"), std::string::npos);
  const Status other = catch_exceptions([]() -> Status { throw std::runtime_error("why"); });
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().message.find("why"), std::string::npos);
  EXPECT_FALSE(catch_exceptions([]() -> Status { throw 1; }));
}

TEST(Exceptions, ThatNobodyCatchesEndAProcessInItsOwnWay) {
  EXPECT_EQ(in_child([] {
              end_on_exception([](const Error& error) {
                _exit(error.message.find("raise `ulimit -v`") != std::string::npos ? 7 : 8);
              });
              std::thread([] { throw std::bad_alloc(); }).join();
              return 0;
            }),
            7);
}

}  // namespace
}  // namespace gilscope
