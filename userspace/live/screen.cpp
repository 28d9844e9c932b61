#include "userspace/live/screen.h"

#include <signal.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "userspace/base/output.h"

namespace gilscope {
namespace {

constexpr const char* kEnter = "\033[?1049h\033[?25l";  // the alternate screen, without a cursor
constexpr const char* kLeave = "\033[?25h\033[?1049l";
constexpr const char* kHome = "\033[H";
constexpr const char* kClearLine = "\033[K";
constexpr const char* kClearBelow = "\033[J";

sigset_t changes() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGWINCH);
  sigaddset(&set, SIGCONT);
  return set;
}

}  // namespace

Screen::Screen(Screen&& other) noexcept
    : taken_(std::exchange(other.taken_, false)),
      keys_(other.keys_),
      before_(std::exchange(other.before_, std::nullopt)),
      changes_(std::move(other.changes_)) {}

Screen::~Screen() {
  give_back();
}

Result<Screen> Screen::open() {
  Screen screen;
  const sigset_t set = changes();
  if (::sigprocmask(SIG_BLOCK, &set, nullptr) != 0) return fail_errno("sigprocmask");
  screen.changes_ = Fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!screen.changes_) return fail_errno("signalfd");
  if (Status taken = screen.take_terminal(); !taken) return fail(taken.error());
  return screen;
}

Status Screen::take_terminal() {
  termios now{};
  if (::tcgetattr(STDIN_FILENO, &now) == 0) {
    if (!before_) before_ = now;
    keys_ = STDIN_FILENO;
    termios keys = *before_;
    keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    keys.c_cc[VMIN] = 0;
    keys.c_cc[VTIME] = 0;
    keys.c_cc[VSUSP] = _POSIX_VDISABLE;  // a stopped program would leave its screen behind
    if (::tcsetattr(STDIN_FILENO, TCSADRAIN, &keys) != 0) {
      return fail_errno("cannot take the terminal's keys");
    }
  }
  taken_ = true;
  return write_output(kEnter);
}

void Screen::give_back() {
  if (!taken_) return;
  taken_ = false;
  // The terminal may be gone, and nobody is left to be told.
  static_cast<void>(write_output(kLeave));
  if (before_) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &*before_);
}

ScreenSize screen_size() {
  winsize size{};
  ScreenSize result;
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return result;
  if (size.ws_col) result.columns = size.ws_col;
  if (size.ws_row) result.lines = size.ws_row;
  return result;
}

Status Screen::draw(const std::vector<std::string>& lines) {
  std::string text = kHome;
  const size_t shown = std::min(lines.size(), static_cast<size_t>(screen_size().lines));
  for (size_t i = 0; i < shown; ++i) {
    text += lines[i];
    text += kClearLine;
    if (i + 1 < shown) text += "\r\n";
  }
  return write_output(text + kClearBelow);
}

Status Screen::leave(const std::vector<std::string>& lines) {
  give_back();
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return write_output(text);
}

std::string Screen::keys() {
  char bytes[64];
  const ssize_t got = keys_ >= 0 ? ::read(keys_, bytes, sizeof(bytes)) : 0;
  if (got > 0) return {bytes, static_cast<size_t>(got)};
  keys_ = -1;
  return "";
}

void Screen::changed() {
  signalfd_siginfo info;
  bool goes_on = false;
  while (::read(changes_.get(), &info, sizeof(info)) == sizeof(info)) {
    goes_on = goes_on || info.ssi_signo == SIGCONT;
  }
  // A shell has set the terminal as it likes it in between.
  if (goes_on) static_cast<void>(take_terminal());
}

bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (!value || !*value) continue;
    const std::string text = value;
    const size_t dot = text.find('.');
    if (dot == text.npos) return false;
    const std::string charset = text.substr(dot + 1, text.find('@') - dot - 1);
    return ::strcasecmp(charset.c_str(), "UTF-8") == 0 ||
           ::strcasecmp(charset.c_str(), "utf8") == 0;
  }
  return false;
}

}  // namespace gilscope
