#include "tests/kernel/program.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace gilscope {
namespace {

Fd unnamed_file() {
  return Fd(memfd_create("output", MFD_CLOEXEC));
}

std::string contents(const Fd& file) {
  std::string text;
  char part[4096];
  ssize_t got;
  for (off_t at = 0; (got = pread(file.get(), part, sizeof(part), at)) > 0; at += got) {
    text.append(part, static_cast<size_t>(got));
  }
  return text;
}

}  // namespace

std::string program() {
  const char* given = std::getenv("GILSCOPE");
  return given ? given : "build/gilscope";
}

Process::Process(const std::vector<std::string>& arguments)
    : out_(unnamed_file()), err_(unnamed_file()) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  pid_ = fork();
  if (pid_ == 0) {
    dup2(out_.get(), STDOUT_FILENO);
    dup2(err_.get(), STDERR_FILENO);
    // The program must not inherit the signals that the test process has blocked.
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    execvp(argv[0], argv.data());
    _exit(127);
  }
}

Process::~Process() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
}

void Process::signal(int number) const {
  kill(pid_, number);
}

Ended Process::wait() {
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), contents(out_),
          contents(err_)};
}

Ended gilscope_run(const std::vector<std::string>& arguments) {
  std::vector<std::string> all = {program()};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return Process(all).wait();
}

Ended shell(const std::string& command) {
  return Process({"/bin/sh", "-c", command}).wait();
}

Scratch::Scratch() {
  char name[] = "/tmp/gilscope-test-XXXXXX";
  if (mkdtemp(name)) directory_ = name;
}

Scratch::~Scratch() {
  std::error_code error;
  std::filesystem::remove_all(directory_, error);
}

std::string Scratch::file(const std::string& name, const std::string& text) const {
  std::ofstream(path(name)) << text;
  return path(name);
}

}  // namespace gilscope
