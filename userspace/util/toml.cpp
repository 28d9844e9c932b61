#include "userspace/util/toml.h"

#include <optional>
#include <utility>

#include "userspace/util/quote.h"

namespace gilscope {
namespace {

// The library bounds how deep values nest, but not how many tables a dotted key ("a.a.a.a...")
// makes, and its destructors would run out of stack. A key ends with its line.
std::optional<size_t> line_of_dots(const std::string& text) {
  constexpr size_t kMaxDots = 200;
  size_t line = 1, dots = 0;
  for (const char c : text) {
    if (c == '\n') ++line, dots = 0;
    if (c == '.' && ++dots > kMaxDots) return line;
  }
  return {};
}

}  // namespace

Result<toml::table> parse_toml(const std::string& text, const std::string& origin) {
  if (const auto line = line_of_dots(text)) {
    return fail(
        fmt::format("{} line {}: no spec has a line of so many dots", printable(origin), *line));
  }
  toml::parse_result result = toml::parse(text);
  if (!result) {
    const auto& position = result.error().source().begin;
    return fail(fmt::format("{} line {} column {} is not TOML: {}", printable(origin),
                            position.line, position.column,
                            printable(result.error().description())));
  }
  return std::move(result).table();
}

}  // namespace gilscope
