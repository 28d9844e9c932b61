#include "userspace/base/toml.h"

#include <optional>
#include <utility>

#include "userspace/base/quote.h"

namespace gilscope {
namespace {

// The library bounds the nesting of values, but not the number of tables that a dotted key
// ("a.a.a.a...") makes, and its destructors would overflow the stack. A key ends with its line.
constexpr size_t kMaxDots = 200;

std::optional<size_t> line_of_dots(const std::string& text) {
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
    return fail(fmt::format("{} line {} has more than {} dots, which no spec needs",
                            printable(origin), *line, kMaxDots));
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
