// Makes text from a user or a file safe to print on one line of a terminal: an error message must
// not move the cursor, and a report must stay valid UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace gilscope {

// Escapes control characters, bidirectional controls and bytes that are not UTF-8 as \xNN.
std::string printable(std::string_view text);

// The same in single quotes, cut to a readable length.
std::string in_quotes(std::string_view text);

}  // namespace gilscope
