#include "tools/text/comparison_style.h"

#include <algorithm>

#include "tools/compare/sentences.h"
#include "tools/text/paragraph.h"

namespace gilscope {
namespace {

constexpr size_t kLevelRoom = 18;

}  // namespace

ComparisonText::ComparisonText(std::ostream& to, const Comparison& of, const TextOptions& with)
    : out(to), comparison(of), options(with), names(short_names(of.axis, kLevelRoom)) {}

void ComparisonText::paragraph(const std::string& text, size_t indent) const {
  out << wrapped(text, options.width, indent);
}

std::string ComparisonText::bold(const std::string& text) const {
  return options.color ? "\033[1m" + text + "\033[0m" : text;
}

std::string ComparisonText::coloured(Verdict verdict, const std::string& text) const {
  const char* colour = verdict == Verdict::slower                             ? "\033[31m"
                       : verdict == Verdict::faster                           ? "\033[32m"
                       : verdict == Verdict::more || verdict == Verdict::less ? "\033[33m"
                                                                              : "";
  return options.color && *colour ? colour + text + "\033[0m" : text;
}

const std::string& ComparisonText::short_name(const std::string& level) const {
  const auto found = std::ranges::find(comparison.axis.levels, level);
  return names[size_t(found - comparison.axis.levels.begin())];
}

}  // namespace gilscope
