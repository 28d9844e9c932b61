#include "userspace/live/exposition.h"

#include <fmt/format.h>

namespace gilscope {
namespace {

std::string escaped(const std::string& text, bool quotes) {
  std::string result;
  for (const char c : text) {
    if (c == '\\') {
      result += "\\\\";
    } else if (c == '\n') {
      result += "\\n";
    } else if (c == '"' && quotes) {
      result += "\\\"";
    } else {
      result += c;
    }
  }
  return result;
}

const char* word_of(MetricFamily::Type type) {
  switch (type) {
    case MetricFamily::Type::counter:
      return "counter";
    case MetricFamily::Type::gauge:
      return "gauge";
    case MetricFamily::Type::histogram:
      return "histogram";
  }
  return "untyped";
}

}  // namespace

void Exposition::family(const MetricFamily& family) {
  family_ = &family;
  text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", family.name, escaped(family.help, false),
                       family.name, word_of(family.type));
}

void Exposition::line(const std::string& suffix,
                      const std::vector<std::pair<std::string, std::string>>& labels,
                      const std::string& value) {
  text_ += family_->name + suffix;
  char before = '{';
  for (const auto& [name, text] : labels) {
    text_ += fmt::format("{}{}=\"{}\"", before, name, escaped(text, true));
    before = ',';
  }
  if (!labels.empty()) text_ += '}';
  text_ += fmt::format(" {}\n", value);
}

void Exposition::sample(const std::vector<std::string>& label_values, const std::string& value) {
  std::vector<std::pair<std::string, std::string>> labels;
  for (size_t i = 0; i < family_->labels.size() && i < label_values.size(); ++i) {
    labels.emplace_back(family_->labels[i], label_values[i]);
  }
  line("", labels, value);
}

void Exposition::bucket(const std::string& le, uint64_t count) {
  line("_bucket", {{"le", le}}, std::to_string(count));
}

void Exposition::sum_and_count(const std::string& sum, uint64_t count) {
  line("_sum", {}, sum);
  line("_count", {}, std::to_string(count));
}

std::string seconds_text(uint64_t ns) {
  return fmt::format("{}.{:09}", ns / 1'000'000'000, ns % 1'000'000'000);
}

}  // namespace gilscope
