// A command's result goes to standard output, everything else to standard error.
#pragma once

#include <optional>
#include <string_view>

#include "userspace/base/result.h"

namespace gilscope {

// Writes to standard error, unchanged. A message that cannot be written (full disk, closed pipe,
// lost terminal) is dropped, and the experiment continues.
void write_message(std::string_view text);

// Writes "gilscope: MESSAGE" as one line to standard error; returns the error's exit code.
Exit write_error(const Error& error);

// The exit code of a finished command: Exit::done, the Exit that it returned, or that of its error,
// which is written to standard error.
Exit exit_of(const Status& status);
Exit exit_of(const Result<Exit>& result);

// Writes to standard output, after anything buffered in std::cout. Fails with Exit::error if it
// cannot write all of it.
Status write_output(std::string_view text);
// The same for text already printed to std::cout.
Status flush_output();

// Whether to colour standard output: it is a terminal with escape sequences, and NO_COLOR is not
// set (no-color.org).
bool output_takes_colour();
// Whether standard error is a terminal on which a line can be overwritten. NO_COLOR does not
// matter: only the cursor moves.
bool messages_can_be_replaced();
// The same of standard output, for a screen that is drawn again and again.
bool output_can_be_replaced();
// The current width of the terminal on `fd`; empty if it is no terminal or its width is unknown.
std::optional<int> terminal_columns(int fd);

}  // namespace gilscope
