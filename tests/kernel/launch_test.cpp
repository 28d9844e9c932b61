// A command that gilscope starts is the program that the user's shell would have started: the same
// user, environment, descriptors, signals and limits; and it executes only when it is told to.
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <sstream>

#include "tests/kernel/program.h"
#include "userspace/base/interrupt.h"
#include "userspace/base/process.h"
#include "userspace/recording/child.h"
#include "userspace/recording/target.h"
#include "userspace/recording/user.h"
#include "userspace/recording/window.h"

namespace gilscope {
namespace {

const User kSomebody = {.uid = 1234,
                        .gid = 2345,
                        .groups = {2345, 3456, 4567},
                        .name = "somebody",
                        .home = "/home/of/somebody",
                        .shell = "/bin/shell"};

std::string contents(const Fd& file) {
  std::string text(static_cast<size_t>(lseek(file.get(), 0, SEEK_END)), '\0');
  EXPECT_EQ(pread(file.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  return text;
}

std::vector<std::string> sh(const std::string& script) {
  return {"/bin/sh", "-c", script};
}

ChildOptions options_of_this_process() {
  auto inherited = Inherited::look();
  EXPECT_TRUE(inherited) << inherited.error().message;
  return {.in_child = [] { return Status(); }, .user = {}, .inherited = *inherited};
}

// Starts, releases and waits for a command whose output is kept.
struct Ran {
  Status released = {};
  int status = -1;
  std::string out;
};

// The kernel keeps these for whom it takes all others from.
Status add_inheritable_capability() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct held[2] = {};
  if (syscall(SYS_capget, &header, held)) return fail_errno("capget");
  held[0].inheritable |= 1U << CAP_KILL;
  if (syscall(SYS_capset, &header, held)) return fail_errno("capset");
  return {};
}

Ran run_as(const std::vector<std::string>& command, std::optional<User> user = {}) {
  const Fd out(memfd_create("out", MFD_CLOEXEC));
  ChildOptions options = options_of_this_process();
  options.user = std::move(user);
  options.in_child = [&]() -> Status {
    if (dup2(out.get(), STDOUT_FILENO) < 0) return fail_errno("dup2");
    return add_inheritable_capability();
  };
  Ran ran;
  auto child = Child::start(command, options);
  if (!child) {
    ran.released = fail(child.error());
    return ran;
  }
  ran.released = child->release();
  if (ran.released) ran.status = child->wait().exit_status();
  ran.out = contents(out);
  return ran;
}

bool has_children() {
  return waitpid(-1, nullptr, WNOHANG) >= 0 || errno != ECHILD;
}

TEST(Launch, ExecutesNothingBeforeItIsReleased) {
  const Scratch scratch;
  auto child = Child::start({"/bin/touch", scratch.path("there")}, options_of_this_process());
  ASSERT_TRUE(child) << child.error().message;
  usleep(20'000);
  EXPECT_FALSE(std::filesystem::exists(scratch.path("there")));
  ASSERT_TRUE(child->release());
  EXPECT_EQ(child->wait().exit_status(), 0);
  EXPECT_TRUE(std::filesystem::exists(scratch.path("there")));
}

TEST(Launch, ExecutesNothingIfItIsNotReleased) {
  const Scratch scratch;
  { ASSERT_TRUE(Child::start({"/bin/touch", scratch.path("there")}, options_of_this_process())); }
  EXPECT_FALSE(has_children());
  EXPECT_FALSE(std::filesystem::exists(scratch.path("there")));
}

TEST(Launch, ExecutesNothingIfTheHookFails) {
  const Scratch scratch;
  ChildOptions options = options_of_this_process();
  options.in_child = [] { return fail(Exit::unable, "no program can be run"); };
  const auto child = Child::start({"/bin/touch", scratch.path("there")}, options);
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().code, Exit::unable);
  EXPECT_EQ(child.error().message, "no program can be run");
  EXPECT_FALSE(has_children());
  EXPECT_FALSE(std::filesystem::exists(scratch.path("there")));
}

TEST(Launch, RunsTheHookInTheProcessThatExecutes) {
  pid_t* const shared = static_cast<pid_t*>(
      mmap(nullptr, sizeof(pid_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(shared, MAP_FAILED);
  ChildOptions options = options_of_this_process();
  options.user = kSomebody;
  uid_t uid = 1;
  options.in_child = [&] {
    *shared = getuid() == 0 ? getpid() : -1;
    uid = 0;
    return Status();
  };
  auto child = Child::start({"/bin/true"}, options);
  ASSERT_TRUE(child) << child.error().message;
  EXPECT_EQ(*shared, child->pid()) << "it had lowered itself before";
  EXPECT_EQ(uid, 1u);
  ASSERT_TRUE(child->release());
  EXPECT_EQ(child->wait().exit_status(), 0);
  munmap(shared, sizeof(pid_t));
}

TEST(Launch, EndsAsTheCommandDoes) {
  EXPECT_EQ(run_as(sh("exit 0")).status, 0);
  EXPECT_EQ(run_as(sh("exit 3")).status, 3);
  EXPECT_EQ(run_as(sh("kill -TERM $$")).status, 143);
  EXPECT_EQ(run_as(sh("kill -KILL $$")).status, 137);
}

// By env(1) itself: `env COMMAND` and a release fail by the same status.
TEST(Launch, FailsToExecuteAsEnvDoes) {
  const Scratch scratch;
  chmod(scratch.file("not executable", "#!/bin/sh\n").c_str(), 0644);
  chmod(scratch.file("no interpreter", "#!/no/such\n").c_str(), 0755);
  chmod(scratch.file("plain script", "exit 0\n").c_str(), 0755);
  chmod(scratch
            .file("no program",
                  "\x7f"
                  "ELF\n")
            .c_str(),
        0755);
  for (const std::string& command :
       {std::string("/no/such"), std::string("nosuchcommand"), std::string(""), std::string("/"),
        std::string("/etc/passwd/x"), scratch.path("not executable"),
        scratch.path("no interpreter"), scratch.path("plain script")}) {
    const int env = Process({"env", command}).wait().status;
    const Ran ran = run_as({command});
    const int status = ran.released ? ran.status : static_cast<int>(ran.released.error().code);
    EXPECT_EQ(status, env) << command;
    if (!ran.released) {
      EXPECT_NE(ran.released.error().message.find("'" + command + "'"), std::string::npos)
          << ran.released.error().message;
    }
  }
  EXPECT_FALSE(has_children());
}

TEST(Launch, IsTheUsersAndNoLongerRoots) {
  const Ran ran = run_as(sh("grep -E '^(Uid|Gid|Groups|Cap(Inh|Prm|Eff|Amb)|NoNewPrivs)' "
                            "/proc/self/status"),
                         kSomebody);
  ASSERT_TRUE(ran.released) << ran.released.error().message;
  const std::string none = "0000000000000000\n";
  EXPECT_EQ(ran.out,
            "Uid:\t1234\t1234\t1234\t1234\nGid:\t2345\t2345\t2345\t2345\n"
            "Groups:\t2345 3456 4567 \nCapInh:\t" +
                none + "CapPrm:\t" + none + "CapEff:\t" + none + "CapAmb:\t" + none +
                "NoNewPrivs:\t0\n");
}

// As in the user's own shell; with no_new_privs it would not.
TEST(Launch, MayExecuteASetuidProgram) {
  const Scratch scratch;
  struct statvfs file_system {};
  ASSERT_EQ(statvfs(scratch.path("").c_str(), &file_system), 0);
  if (file_system.f_flag & ST_NOSUID) GTEST_SKIP() << "mounted nosuid";
  chmod(scratch.path("").c_str(), 0755);
  std::filesystem::copy_file("/usr/bin/id", scratch.path("id"));
  chmod(scratch.path("id").c_str(), 04755);
  EXPECT_EQ(run_as({scratch.path("id"), "-u"}, kSomebody).out, "0\n");
}

TEST(Launch, HasTheUsersEnvironment) {
  const char* const before[] = {"PATH=/opt/bin:/bin", "HOME=/root",     "MAIL=/var/mail/root",
                                "SUDO_UID=1234",      "SUDO_COMMAND=x", "SUDO_GID=2345",
                                "SUDO_USER=y",        "USER=root",      "LOGNAME=root",
                                "SHELL=/bin/zsh",     "USERS=many",     "LANG=C.UTF-8",
                                "HOMELESS=1",         nullptr};
  EXPECT_EQ(environment_of(kSomebody, before),
            std::vector<std::string>({"PATH=/opt/bin:/bin", "MAIL=/var/mail/somebody", "USERS=many",
                                      "LANG=C.UTF-8", "HOMELESS=1", "HOME=/home/of/somebody",
                                      "LOGNAME=somebody", "SHELL=/bin/shell", "USER=somebody"}));
  const Ran ran = run_as(sh("echo $HOME $USER"), kSomebody);
  EXPECT_EQ(ran.out, "/home/of/somebody somebody\n");
}

class SudoVariables : public ::testing::Test {
 protected:
  void SetUp() override { clear(); }
  void TearDown() override { clear(); }
  static void clear() {
    unsetenv("SUDO_UID");
    unsetenv("SUDO_GID");
  }
  static Result<std::optional<User>> with(const char* uid, const char* gid = nullptr) {
    clear();
    if (uid) setenv("SUDO_UID", uid, 1);
    if (gid) setenv("SUDO_GID", gid, 1);
    return user_of_sudo();
  }
};

TEST_F(SudoVariables, NameAUserOfThisMachine) {
  const auto nobody = with("65534", "65534");
  ASSERT_TRUE(nobody) << nobody.error().message;
  ASSERT_TRUE(*nobody);
  EXPECT_EQ((*nobody)->name, "nobody");
  EXPECT_EQ((*nobody)->uid, 65534u);
  EXPECT_EQ((*nobody)->groups, std::vector<gid_t>({65534}));
  for (const auto& nothing : {with(nullptr), with(nullptr, "1"), with("0"), with("0", "0")}) {
    ASSERT_TRUE(nothing) << nothing.error().message;
    EXPECT_FALSE(*nothing);
  }
}

TEST_F(SudoVariables, AreReadStrictly) {
  for (const char* uid : {"", " 65534", "+65534", "-1", "65534 ", "0x1", "65534x", "4294967295",
                          "4294967296", "99999999999999999999", "4294967294", "nobody"}) {
    EXPECT_FALSE(with(uid)) << uid;
  }
  for (const char* gid : {"", "x", "-1", "0", "4294967295", "1"}) {
    EXPECT_FALSE(with("65534", gid)) << gid;
  }
}

TEST_F(SudoVariables, AreRootsMatterOnly) {
  const pid_t pid = fork();
  if (pid == 0) {
    if (setresuid(1234, 1234, 1234)) _exit(9);
    const auto user = with("65534", "65534");
    _exit(user && !*user ? 0 : 1);
  }
  int status = -1;
  waitpid(pid, &status, 0);
  EXPECT_EQ(status, 0);
}

// All that a process hands on, seen by a program that was started by a plain fork and exec, and by
// one that was started as gilscope starts one, in the same unusual state. A shell clears its signal
// mask, so that cat(1) looks at that.
const std::vector<std::string> kCat = {"/bin/cat", "/proc/self/status", "/proc/self/limits",
                                       "/proc/self/oom_score_adj"};
const std::vector<std::string> kShell =
    sh("pwd; nice; env | sort; ls -l /proc/self/fd | sed -n 's@/proc/.*@@; s/.* \\([02-9][0-9]* "
       "->\\)/\\1/p'; cut -d' ' -f5-8 /proc/$$/stat");

void make_unusual() {
  sigset_t some;
  sigemptyset(&some);
  for (const int number : {SIGUSR1, SIGHUP, SIGRTMAX - 1}) sigaddset(&some, number);
  sigprocmask(SIG_SETMASK, &some, nullptr);
  for (const int number : {SIGPIPE, SIGXFSZ, SIGINT}) signal(number, SIG_DFL);
  signal(SIGTERM, SIG_IGN);
  signal(SIGCHLD, SIG_IGN);
  const rlimit files = {123, 234}, locked = {1 << 16, 1 << 17};
  setrlimit(RLIMIT_NOFILE, &files);
  setrlimit(RLIMIT_MEMLOCK, &locked);
  umask(027);
  static_cast<void>(chdir("/usr"));
  static_cast<void>(nice(3));
  cpu_set_t first;
  CPU_ZERO(&first);
  CPU_SET(0, &first);
  sched_setaffinity(0, sizeof(first), &first);
  dup2(STDERR_FILENO, 47);  // without FD_CLOEXEC, as a shell's 47>&2
  close(STDIN_FILENO);
}

// The lines of /proc/self/status that differ between any two processes.
bool is_its_own(const std::string& line) {
  for (const char* key :
       {"Pid", "Tgid", "FDSize", "NSpid", "NStgid", "PPid", "Vm", "Rss", "Hugetlb",
        "voluntary_ctxt", "nonvoluntary_ctxt", "SigQ", "Mems_allowed:", "Threads"}) {
    if (line.starts_with(key)) return true;
  }
  return false;
}

std::string handed_on(const std::vector<std::string>& command, bool by_gilscope) {
  const Fd out(memfd_create("out", MFD_CLOEXEC));
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(out.get(), STDOUT_FILENO);
    close_range(3, ~0U, 0);
    make_unusual();
    if (!by_gilscope) {
      std::vector<char*> arguments;
      for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
      arguments.push_back(nullptr);
      execv(arguments[0], arguments.data());
      _exit(127);
    }
    take_standard_descriptors();
    set_signal_dispositions();
    const ChildOptions options = options_of_this_process();
    auto interrupt = Interrupt::watch();
    const rlimit more = {234, 234}, unlocked = {RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_NOFILE, &more);
    setrlimit(RLIMIT_MEMLOCK, &unlocked);
    dup2(STDERR_FILENO, 50);  // one of gilscope's own that somebody forgot to mark
    auto child = Child::start(command, options);
    _exit(child && child->release() ? child->wait().exit_status() : 126);
  }
  int status = -1;
  waitpid(pid, &status, 0);
  EXPECT_EQ(status, 0);
  std::string kept;
  std::istringstream lines(contents(out));
  for (std::string line; std::getline(lines, line);) {
    if (!is_its_own(line)) kept += line + "\n";
  }
  return kept;
}

TEST(Launch, HandsOnWhatGilscopeWasGiven) {
  const std::string state = handed_on(kCat, false);
  EXPECT_NE(state.find("SigBlk:\t4000000000000201"), std::string::npos) << state;
  EXPECT_EQ(handed_on(kCat, true), state);
  const std::string rest = handed_on(kShell, false);
  EXPECT_NE(rest.find("\n47 ->"), std::string::npos) << rest;
  EXPECT_EQ(handed_on(kShell, true), rest);
}

// Gilscope dies; the command does not notice.
TEST(Launch, OutlivesWhoStartedIt) {
  const Scratch scratch;
  const std::string there = scratch.path("there");
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const Fd from(ends[0]);
  Fd to(ends[1]);
  const pid_t parent = fork();
  if (parent == 0) {
    ChildOptions options = options_of_this_process();
    auto child = Child::start(sh("exec 3>&- ; sleep 0.2; touch " + there), options);
    if (!child || !child->release()) _exit(1);
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  waitpid(parent, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_FALSE(std::filesystem::exists(there));
  for (int i = 0; i < 2000 && !std::filesystem::exists(there); ++i) usleep(5'000);
  EXPECT_TRUE(std::filesystem::exists(there));
}

// Gilscope dies before it has released the command.
TEST(Launch, EndsUnexecutedIfWhoStartedItDies) {
  const Scratch scratch;
  pid_t* const waiting = static_cast<pid_t*>(
      mmap(nullptr, sizeof(pid_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(waiting, MAP_FAILED);
  const pid_t parent = fork();
  if (parent == 0) {
    auto child = Child::start({"/bin/touch", scratch.path("there")}, options_of_this_process());
    if (child) *waiting = child->pid();
    kill(getpid(), SIGKILL);
  }
  waitpid(parent, nullptr, 0);
  ASSERT_GT(*waiting, 0);
  for (int i = 0; i < 2000; ++i) {
    const auto target = look_at(*waiting);
    if (!target) break;
    usleep(5'000);
  }
  EXPECT_FALSE(look_at(*waiting));
  EXPECT_FALSE(std::filesystem::exists(scratch.path("there")));
  munmap(waiting, sizeof(pid_t));
}

TEST(Launch, SignalsReachTheProcessAlone) {
  auto child = Child::start({"/bin/sleep", "1000"}, options_of_this_process());
  ASSERT_TRUE(child);
  ASSERT_TRUE(child->release());
  child->signal(SIGUSR1);
  EXPECT_EQ(child->wait().exit_status(), 128 + SIGUSR1);
  child->signal(SIGKILL);  // it has ended: nobody is hit
}

}  // namespace
}  // namespace gilscope
