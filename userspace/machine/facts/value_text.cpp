#include "userspace/machine/facts/value_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <variant>

namespace gilscope {
namespace {

struct ValueText {
  std::string operator()(std::monostate) const { return "-"; }
  std::string operator()(bool value) const { return value ? "yes" : "no"; }
  std::string operator()(int64_t value) const { return std::to_string(value); }
  std::string operator()(double value) const { return fmt::format("{}", value); }
  std::string operator()(const std::string& text) const { return text; }
  std::string operator()(const std::vector<int64_t>& values) const {
    return values.empty() ? "none" : fmt::format("{}", fmt::join(values, " "));
  }
  std::string operator()(const std::vector<std::string>& texts) const {
    if (texts.empty()) return "none";
    // Texts that are lists themselves, or have several words, need another separator.
    const bool plain = std::all_of(texts.begin(), texts.end(), [](const std::string& text) {
      return text.find_first_of(" ,") == text.npos;
    });
    return fmt::format("{}", fmt::join(texts, plain ? " " : "; "));
  }
};

}  // namespace

std::string value_text(const Fact& fact) {
  return std::visit(ValueText(), fact.value);
}

}  // namespace gilscope
