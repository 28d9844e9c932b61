// A terminal's whole screen, drawn again and again, and its keys. The terminal is as it was before
// once the object is gone. No library: those that know every terminal need a database of them,
// which a test machine may not have, and four sequences of ECMA-48 are enough.
#pragma once

#include <termios.h>

#include <optional>
#include <string>
#include <vector>

#include "userspace/base/fd.h"
#include "userspace/base/result.h"

namespace gilscope {

struct ScreenSize {
  int columns = 80, lines = 24;
};

class Screen {
 public:
  // Takes the terminal on standard output, and the keys of the one on standard input if it is one.
  // From here on SIGWINCH and SIGCONT are taken from fd().
  static Result<Screen> open();
  ~Screen();
  Screen(Screen&& other) noexcept;
  Screen& operator=(Screen&&) = delete;

  // Lines beyond the terminal's are not drawn.
  Status draw(const std::vector<std::string>& lines);
  // Leaves the screen, and the lines in the terminal's own history.
  Status leave(const std::vector<std::string>& lines);

  // Readable when a key has been pressed; -1: there are none.
  int keys_fd() const { return keys_; }
  // The keys that have been pressed since. At the end of the terminal there are none ever more.
  std::string keys();
  // Readable when the terminal's size has changed, or this process was stopped and goes on.
  int changes_fd() const { return changes_.get(); }
  // Takes the changes.
  void changed();

 private:
  Screen() = default;
  Status take_terminal();
  void give_back();

  bool taken_ = false;
  int keys_ = -1;
  std::optional<termios> before_;
  Fd changes_;
};

// The terminal's on standard output.
ScreenSize screen_size();

// Whether the locale's characters are UTF-8, as the environment says.
bool locale_is_utf8();

}  // namespace gilscope
