// Text broken into lines between words.
#pragma once

#include <string>

namespace gilscope {

// Every line but the first is indented; each ends with a newline.
std::string wrapped(const std::string& text, int width, size_t indent = 0);

}  // namespace gilscope
