#include "tools/text/paragraph.h"

#include <algorithm>

#include "tools/text/table.h"

namespace gilscope {

std::string wrapped(const std::string& text, int width, size_t indent) {
  const size_t room = size_t(std::max(width, 20));
  std::string out, line;
  size_t from = 0;
  while (from < text.size()) {
    size_t to = text.find(' ', from + 1);
    if (to == std::string::npos) to = text.size();
    const std::string word = text.substr(from, to - from);
    if (!line.empty() && columns(line) + columns(word) > room) {
      out += line + "\n";
      line = std::string(indent, ' ') + word.substr(word.find_first_not_of(' '));
    } else {
      line += word;
    }
    from = to;
  }
  return out + line + "\n";
}

}  // namespace gilscope
