#include "tools/html/markup.h"

#include <fmt/format.h>

#include "tools/html/definitions.h"
#include "userspace/base/quote.h"

namespace gilscope {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : printable(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string escaped_lines(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    out += escaped(text.substr(0, end));
    if (end == text.size()) break;
    out += '\n';
    text.remove_prefix(end + 1);
  }
  return out;
}

std::string number_html(const Number& number) {
  if (number.unit.empty()) return escaped(number.digits);
  return fmt::format("{} <small>{}</small>", escaped(number.digits), escaped(number.unit));
}

std::string plain(double value) {
  return fmt::format("{}", value);
}

std::string definition_link(const std::string& key, const std::string& shown) {
  const std::string anchor = definition_of(key);
  if (anchor.empty()) return escaped(shown);
  return fmt::format("<a class=\"term\" href=\"#{}\">{}</a>", anchor, escaped(shown));
}

}  // namespace gilscope
