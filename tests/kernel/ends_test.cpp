// How an experiment ends: by each signal, at a limit, and with unwritable output. It says so, keeps
// its measurements, and restores the machine.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/resource.h>

#include "tests/kernel/ends.h"

namespace gilscope {
namespace {

int exit_code(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST_F(Ends, EverySignalEndsItInOrder) {
  // 33 is a signal that glibc reserves. The crash signals come from kill(2).
  for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGALRM, SIGTERM, SIGXCPU, SIGPWR,
                           SIGIO, SIGSEGV, SIGABRT, 33, SIGRTMAX}) {
    SCOPED_TRACE(signal);
    std::filesystem::remove_all(out());
    ProcessGroup run(experiment("hotplug", 1000), [] {});
    ASSERT_TRUE(in_the_middle());
    // To every process, as a terminal does, and twice, as an impatient user does.
    run.signal_all(signal);
    run.signal_all(signal);
    EXPECT_EQ(exit_code(run.wait()), 130);
    EXPECT_NE(run.err().find("gilscope: interrupted by "), std::string::npos) << run.err();
    EXPECT_EQ(run.err().find("failed"), std::string::npos) << run.err();
    expect_as_found();
    expect_valid("interrupted");
  }
}

TEST_F(Ends, SignalsThatDoNotMeanTheEndDoNotEndIt) {
  ProcessGroup run(experiment("hotplug", 8), [] {
    ::signal(SIGHUP, SIG_IGN);  // nohup
    ::signal(SIGINT, SIG_IGN);  // a shell's background process
    ::signal(SIGQUIT, SIG_IGN);
    ::signal(SIGCHLD, SIG_IGN);  // its children would be reaped automatically
  });
  ASSERT_TRUE(in_the_middle());
  for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGXFSZ, SIGCHLD, SIGWINCH, SIGURG}) {
    run.signal_all(signal);
  }
  EXPECT_EQ(exit_code(run.wait()), 0) << run.err();
  expect_as_found();
  expect_valid("done");
  const auto report = read_report(out());
  ASSERT_TRUE(report);
  for (const auto& r : report->cells[0].runs) EXPECT_GT(r.rusage.max_rss_bytes, 0u);
}

TEST_F(Ends, MessagesThatCannotBeWrittenEndNothing) {
  const auto with_error_on = [&](const std::string& what, const std::function<void()>& prepare) {
    SCOPED_TRACE(what);
    std::filesystem::remove_all(out());
    ProcessGroup run(experiment("hotplug", 2), prepare);
    EXPECT_EQ(exit_code(run.wait_in_time()), 0);
    expect_as_found();
    expect_valid("done");
  };
  with_error_on("a full disk", [] { dup2(open("/dev/full", O_WRONLY), STDERR_FILENO); });
  with_error_on("a closed descriptor", [] { close(STDERR_FILENO); });
  with_error_on("a closed pipe", [] {
    int pipe[2];
    static_cast<void>(::pipe(pipe));
    dup2(pipe[1], STDERR_FILENO);
    close(pipe[0]);
    close(pipe[1]);
  });
  with_error_on("a pipe that nobody reads", [] {
    int pipe[2];
    static_cast<void>(::pipe(pipe));
    dup2(pipe[1], STDERR_FILENO);
    fcntl(pipe[1], F_SETFL, O_NONBLOCK);
    const std::string full(4096, 'x');
    while (write(pipe[1], full.data(), full.size()) > 0) {
    }
    fcntl(pipe[1], F_SETFL, 0);
  });
  with_error_on("a terminal that has gone", [] {
    int master, slave;
    static_cast<void>(openpty(&master, &slave, nullptr, nullptr, nullptr));
    dup2(slave, STDERR_FILENO);
    close(master);
    close(slave);
  });
}

TEST_F(Ends, ClosedDescriptorsComeToBeNoFileOfItsOwn) {
  for (int closed = 0; closed < 8; ++closed) {
    SCOPED_TRACE(closed);
    std::filesystem::remove_all(out());
    ProcessGroup run(experiment("hotplug", 2), [closed] {
      for (int fd = 0; fd < 3; ++fd) {
        if (closed & 1 << fd) close(fd);
      }
    });
    EXPECT_EQ(exit_code(run.wait()), 0) << run.err();
    expect_as_found();
    expect_valid("done");
    EXPECT_EQ(Machine().text("/run/gilscope/lock").value_or("?"), "");
  }
}

void limit(int resource, rlim_t value) {
  const rlimit limit{value, value};
  setrlimit(static_cast<__rlimit_resource>(resource), &limit);
}

TEST_F(Ends, AFileAtItsSizeLimitIsAnError) {
  ProcessGroup run(experiment("hotplug", 8), [] { limit(RLIMIT_FSIZE, 12'000); });
  EXPECT_EQ(exit_code(run.wait()), 2);
  EXPECT_NE(run.err().find("cannot write " + out() + "/report.json: File too large"),
            std::string::npos)
      << run.err();
  expect_as_found();
}

TEST_F(Ends, AWorkersFileAtItsSizeLimitFailsTheRun) {
  auto arguments = experiment("hotplug", 1);
  std::ranges::replace(arguments, "count:n=300k", "file:size=200k,seconds=100ms");
  ProcessGroup run(arguments, [] { limit(RLIMIT_FSIZE, 100'000); });
  EXPECT_EQ(exit_code(run.wait()), 2);
  EXPECT_NE(run.err().find("cannot write 200000 bytes into '/var/tmp': File too large"),
            std::string::npos)
      << run.err();
  expect_as_found();
}

TEST_F(Ends, AMemoryLimitIsAnError) {
  std::set<int> codes;
  // From too little for the program to start, to enough.
  for (rlim_t kib = 4096; kib <= 16384; kib += 1024) {
    SCOPED_TRACE(kib);
    std::filesystem::remove_all(out());
    ProcessGroup run(experiment("hotplug", 1, "1k"), [kib] { limit(RLIMIT_AS, kib << 10); });
    const int status = run.wait_in_time();
    expect_as_found();
    if (WIFSIGNALED(status) && run.err().empty() && !std::filesystem::exists(out())) continue;
    const int code = exit_code(status);
    codes.insert(code);
    EXPECT_TRUE(code == 0 || code == 2 || code == 4) << code << " " << run.err();
    EXPECT_EQ(run.err().find("terminate"), std::string::npos) << run.err();
    if (code != 0) {
      EXPECT_NE(run.err().find("gilscope: "), std::string::npos) << run.err();
    }
  }
  EXPECT_TRUE(codes.contains(0) && (codes.contains(2) || codes.contains(4)));
}

TEST_F(Ends, ALimitOfCpuTimeEndsItInOrder) {
  // Many runs, none of which comes near its own limit.
  ProcessGroup run(experiment("hotplug", 10'000, "1k"), [] { limit(RLIMIT_CPU, 1); });
  EXPECT_EQ(exit_code(run.wait_in_time()), 130) << run.err();
  EXPECT_NE(run.err().find("interrupted by SIGXCPU"), std::string::npos) << run.err();
  expect_as_found();
  expect_valid("interrupted");
}

}  // namespace
}  // namespace gilscope
