// A program on a pseudo-terminal of its own, as a person has it before them.
#pragma once

#include <string>
#include <vector>

#include "userspace/base/fd.h"

namespace gilscope {

class Terminal {
 public:
  Terminal(const std::vector<std::string>& arguments, int columns, int lines,
           const std::string& term = "xterm");
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  int pid() const { return pid_; }
  // Whether the text comes behind what was looked for before, in a minute at most.
  bool shows(const std::string& text);
  void press(const std::string& keys);
  void resize(int columns, int lines);
  // All that has come up to now.
  const std::string& output() const { return output_; }
  // The last whole screen, its lines without escape sequences.
  std::vector<std::string> screen() const;
  // Whether lines are edited by the terminal and keys echoed, as a shell needs it.
  bool edits_lines() const;
  // Exit code, or 128 + the signal that ended it.
  int wait();

 private:
  bool read_some();

  int pid_ = -1;
  Fd terminal_;
  std::string output_;
  size_t from_ = 0;
};

}  // namespace gilscope
