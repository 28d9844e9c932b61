// Makes text from a report safe to put into a page: none of it may become an element, an attribute
// or a script.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/analysis/numbers.h"

namespace gilscope {

// Escapes for text and for attributes in double quotes; control characters become \xNN.
std::string escaped(std::string_view text);
// The same, but keeps line breaks.
std::string escaped_lines(std::string_view text);

// "12.3 us", with the unit in an element of its own, so that digits can be aligned.
std::string number_html(const Number& number);

// A number with all of its digits, for scripts.
std::string plain(double value);

// A column's heading or another name of a number, linked to its definition if there is one.
std::string definition_link(const std::string& key, const std::string& shown);

}  // namespace gilscope
