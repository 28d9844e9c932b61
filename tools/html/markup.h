// What a report says, made fit to stand in a page: nothing of it may become an element, an
// attribute or a script.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/numbers.h"

namespace gilscope {

// For text and for attributes in double quotes; control characters as \xNN.
std::string escaped(std::string_view text);
// The same of several lines, which stay lines.
std::string escaped_lines(std::string_view text);

// "12.3 us", the unit apart so that digits can be aligned.
std::string marked_up(const Number& number);

// A number as it is compared and reckoned with: all of its digits.
std::string plain(double value);

// A column's heading, or any other name of a number: linked to its definition where there is one.
std::string defined(const std::string& key, const std::string& shown);

}  // namespace gilscope
