#include "tests/interpreters/contender.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "tests/interpreters/read_line.h"
#include "tests/kernel/program.h"

namespace gilscope {
namespace {

constexpr int kPatienceMs = 60'000;

}  // namespace

Contender::Contender(pid_t pid, Fd in, Fd out)
    : pid_(pid), in_(std::move(in)), out_(std::move(out)) {}

Contender::Contender(Contender&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      in_(std::move(other.in_)),
      out_(std::move(other.out_)),
      address_(std::move(other.address_)) {}

Contender::~Contender() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

std::string Contender::path() {
  return std::filesystem::absolute(std::filesystem::path(program()).parent_path() / "contend");
}

Result<Contender> Contender::start(const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {path()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  int to[2], from[2];
  if (::pipe2(to, O_CLOEXEC)) return fail_errno("cannot make a pipe");
  Fd to_read(to[0]), to_write(to[1]);
  if (::pipe2(from, O_CLOEXEC)) return fail_errno("cannot make a pipe");
  Fd from_read(from[0]), from_write(from[1]);
  const pid_t pid = ::fork();
  if (pid < 0) return fail_errno("cannot start " + words[0]);
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(to_read.get(), STDIN_FILENO);
    ::dup2(from_write.get(), STDOUT_FILENO);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  Contender contender(pid, std::move(to_write), std::move(from_read));
  from_write = Fd();
  const auto ready = contender.line();
  if (!ready) return fail(ready.error());
  if (!ready->starts_with("ready ")) return fail("the program said '" + *ready + "'");
  contender.address_ = ready->substr(6);
  return contender;
}

Result<std::string> Contender::line() {
  return read_line(out_, kPatienceMs);
}

Status Contender::say(const std::string& word) const {
  const std::string line = word + "\n";
  if (::write(in_.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    return fail_errno("cannot tell the program to " + word);
  }
  return {};
}

Result<OwnCounts> Contender::stop() {
  if (Status told = say("stop"); !told) return fail(told.error());
  const auto said = line();
  if (!said) return fail(said.error());
  OwnCounts own;
  if (std::sscanf(said->c_str(), "locks %lu failed %lu slept %lu lost %lu preempted %lu",
                  &own.locks, &own.failed, &own.slept, &own.lost, &own.preempted) != 5) {
    return fail("the program said '" + *said + "'");
  }
  return own;
}

}  // namespace gilscope
