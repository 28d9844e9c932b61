// The two ways in which a command speaks: its result on standard output, everything else on
// standard error.
#pragma once

#include <optional>
#include <string_view>

#include "userspace/util/result.h"

namespace gilscope {

// To standard error, as it is. A message that cannot be written (a full disk, a closed pipe, a
// terminal that has gone) changes nothing: the experiment that it tells of goes on.
void write_message(std::string_view text);

// "gilscope: MESSAGE", as one line on standard error; returns the error's exit code.
Exit write_error(const Error& error);

// How a command ends: Exit::done (or the Exit that it returns), or its error on standard error and
// the exit code of that.
Exit exit_of(const Status& status);
Exit exit_of(const Result<Exit>& result);

// To standard output, together with what std::cout holds. Exit::error where it does not take it
// all.
Status write_output(std::string_view text);
// The same for what has been printed to std::cout.
Status flush_output();

// Whether standard output is shown in colour: it is a terminal that knows escape sequences, and
// NO_COLOR is not set (no-color.org).
bool output_takes_colour();
// The same of standard error, for what moves the cursor; colour is not asked for.
bool messages_can_be_replaced();
// How many columns the terminal on this descriptor has at present; empty: no terminal, or one that
// does not know.
std::optional<int> terminal_columns(int fd);

}  // namespace gilscope
