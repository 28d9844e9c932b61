// Text from a user or a file, made fit for one line on a terminal: an error message must not be
// able to move the cursor, and a report must stay valid UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace gilscope {

// Control characters, those that turn the direction of writing, and bytes that are not UTF-8, as
// \xNN.
std::string printable(std::string_view text);

// The same in single quotes, cut where it is too long to be read.
std::string in_quotes(std::string_view text);

}  // namespace gilscope
