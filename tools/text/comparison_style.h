// The style that every part of a comparison's text shares.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "tools/compare/comparison.h"
#include "tools/text/report.h"

namespace gilscope {

struct ComparisonText {
  ComparisonText(std::ostream& to, const Comparison& of, const TextOptions& with);

  void paragraph(const std::string& text, size_t indent = 0) const;
  std::string bold(const std::string& text) const;
  std::string coloured(Verdict verdict, const std::string& text) const;
  // A level's name, short enough to head a column.
  const std::string& short_name(const std::string& level) const;

  std::ostream& out;
  const Comparison& comparison;
  const TextOptions& options;
  std::vector<std::string> names;  // of the levels, as short_name() gives them
};

}  // namespace gilscope
