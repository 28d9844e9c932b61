// The two ways in which a subcommand speaks: what was asked for on standard output, what failed as
// one line on standard error.
#pragma once

#include <string_view>

#include "userspace/util/result.h"

namespace gilscope {

// Exit::done, or Exit::error where the text could not be written (a full disk, a closed pipe).
Exit write_output(std::string_view text);

// "gilscope: ..."; gives the error's exit code.
Exit write_error(const Error& error);

// Colour is for people: a pipe or a file gets none.
bool output_is_terminal();

}  // namespace gilscope
