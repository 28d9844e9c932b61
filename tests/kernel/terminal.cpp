#include "tests/kernel/terminal.h"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cctype>
#include <cstdlib>

namespace gilscope {

Terminal::Terminal(const std::vector<std::string>& arguments, int columns, int lines,
                   const std::string& term) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  winsize size{};
  size.ws_col = static_cast<unsigned short>(columns);
  size.ws_row = static_cast<unsigned short>(lines);
  int terminal = -1;
  pid_ = forkpty(&terminal, nullptr, nullptr, &size);
  if (pid_ == 0) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    setenv("TERM", term.c_str(), 1);
    execvp(argv[0], argv.data());
    _exit(127);
  }
  terminal_ = Fd(terminal);
}

Terminal::~Terminal() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
}

bool Terminal::read_some() {
  pollfd ready = {terminal_.get(), POLLIN, 0};
  if (poll(&ready, 1, 100) <= 0) return true;
  char bytes[4096];
  const ssize_t got = read(terminal_.get(), bytes, sizeof(bytes));
  if (got <= 0) return false;  // nobody has it open any more
  output_.append(bytes, static_cast<size_t>(got));
  return true;
}

bool Terminal::shows(const std::string& text) {
  for (int i = 0; i < 600; ++i) {
    const size_t at = output_.find(text, from_);
    if (at != output_.npos) {
      from_ = at + text.size();
      return true;
    }
    if (!read_some()) break;
  }
  return output_.find(text, from_) != output_.npos;
}

void Terminal::press(const std::string& keys) {
  (void)!write(terminal_.get(), keys.data(), keys.size());
}

void Terminal::resize(int columns, int lines) {
  winsize size{};
  size.ws_col = static_cast<unsigned short>(columns);
  size.ws_row = static_cast<unsigned short>(lines);
  ioctl(terminal_.get(), TIOCSWINSZ, &size);
}

std::vector<std::string> Terminal::screen() const {
  const size_t end = output_.rfind("\033[J");
  const size_t begin = end == output_.npos ? end : output_.rfind("\033[H", end);
  if (begin == output_.npos) return {};
  std::vector<std::string> lines(1);
  for (size_t i = begin; i < end; ++i) {
    if (output_[i] == '\033') {
      while (i < end && !std::isalpha(static_cast<unsigned char>(output_[i]))) ++i;
    } else if (output_[i] == '\n') {
      lines.emplace_back();
    } else if (output_[i] != '\r') {
      lines.back() += output_[i];
    }
  }
  return lines;
}

bool Terminal::edits_lines() const {
  termios now{};
  return tcgetattr(terminal_.get(), &now) == 0 && (now.c_lflag & ICANON) && (now.c_lflag & ECHO);
}

int Terminal::wait() {
  while (read_some()) {
    siginfo_t info{};
    if (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        info.si_pid == pid_) {
      break;
    }
  }
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  pollfd ready = {terminal_.get(), POLLIN, 0};
  while (poll(&ready, 1, 0) > 0 && read_some()) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace gilscope
