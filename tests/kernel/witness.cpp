#include "tests/kernel/witness.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace gilscope::witness {
namespace {

constexpr const char* kTracing = "/sys/kernel/tracing";

void say(const char* text) {
  [[maybe_unused]] ssize_t written = write(STDERR_FILENO, text, std::strlen(text));
}

// Runs in the forked child; does not return.
[[noreturn]] void become(char* const* arguments, const std::string& output) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The test blocks its signals; the program must receive them.
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  int out = open((output + ".out").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  int err = open((output + ".err").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  if (unshare(CLONE_NEWNS) || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr)) {
    say("cannot make a mount namespace: run as root, with CAP_SYS_ADMIN\n");
    _exit(126);
  }
  if (access("/sys/kernel/tracing/events", F_OK) &&
      mount("tracefs", kTracing, "tracefs", 0, nullptr)) {
    say("cannot mount tracefs on /sys/kernel/tracing: the kernel needs CONFIG_TRACING=y\n");
    _exit(126);
  }
  execvp(arguments[0], arguments);
  say("not installed: scripts/install-deps installs it\n");
  _exit(127);
}

}  // namespace

Result<Command> Command::start(const std::vector<std::string>& arguments,
                               const std::string& output) {
  std::vector<char*> pointers;
  for (const std::string& argument : arguments) {
    pointers.push_back(const_cast<char*>(argument.c_str()));
  }
  pointers.push_back(nullptr);
  pid_t pid = fork();
  if (pid < 0) return fail_errno("cannot start " + arguments[0]);
  if (pid == 0) become(pointers.data(), output);
  return Command(pid, output);
}

Command::~Command() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  wait();
}

bool Command::running() {
  if (pid_ < 0) return false;
  int status;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return true;
  pid_ = -1;
  status_ = status;
  return false;
}

int Command::wait() {
  if (pid_ >= 0) {
    while (waitpid(pid_, &status_, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
  }
  return WIFSIGNALED(status_) ? 128 + WTERMSIG(status_) : WEXITSTATUS(status_);
}

int Command::interrupt() {
  while (running()) {
    kill(pid_, SIGINT);
    for (int i = 0; i < 100 && running(); ++i) ::usleep(10'000);
  }
  return wait();
}

std::string Command::out() const {
  return contents_of(out_path());
}

std::string Command::err() const {
  return contents_of(output_ + ".err");
}

NeverIdle::NeverIdle(const std::vector<int>& cpus) {
  for (int cpu : cpus) {
    pid_t pid = fork();
    if (pid == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      cpu_set_t set;
      CPU_ZERO(&set);
      CPU_SET(cpu, &set);
      sched_param none = {};
      if (sched_setaffinity(0, sizeof(set), &set) || sched_setscheduler(0, SCHED_IDLE, &none)) {
        _exit(1);
      }
      for (volatile unsigned turns = 0;;) turns = turns + 1;
    }
    if (pid > 0) pids_.push_back(pid);
  }
}

NeverIdle::~NeverIdle() {
  for (pid_t pid : pids_) kill(pid, SIGKILL);
  for (pid_t pid : pids_) waitpid(pid, nullptr, 0);
}

std::string contents_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace gilscope::witness
