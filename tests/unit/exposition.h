// A reader of Prometheus' text format that refuses what the format does not allow.
#pragma once

#include <gtest/gtest.h>

#include <cctype>
#include <charconv>
#include <map>
#include <set>
#include <sstream>
#include <string>

namespace gilscope {

struct ParsedMetrics {
  std::map<std::string, std::string> types;  // by family
  std::map<std::string, double> samples;     // by name and labels, as they stand
  std::string problem;                       // empty: the text is sound

  double value(const std::string& sample) const {
    const auto found = samples.find(sample);
    return found == samples.end() ? -1 : found->second;
  }
  // Counters and histograms, whose samples never go back.
  bool only_grows(const std::string& sample) const {
    const std::string name = sample.substr(0, sample.find('{'));
    for (const auto& [family, type] : types) {
      if (name == family && type == "counter") return true;
      if (type == "histogram" && name.starts_with(family + "_")) return true;
    }
    return false;
  }
};

class ExpositionReader {
 public:
  explicit ExpositionReader(const std::string& text) : text_(text) {}

  ParsedMetrics read() {
    if (!text_.ends_with('\n')) refuse("the last line has no end");
    std::istringstream lines(text_);
    for (std::string line; std::getline(lines, line);) {
      line_ = line;
      if (line.starts_with("# HELP ")) {
        begin(line.substr(7));
      } else if (line.starts_with("# TYPE ")) {
        type(line.substr(7));
      } else {
        sample(line);
      }
    }
    check_histograms();
    return std::move(result_);
  }

 private:
  void refuse(const std::string& why) {
    if (result_.problem.empty()) result_.problem = why + ": " + line_;
  }

  static bool is_name(const std::string& name, bool of_label) {
    if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0]))) return false;
    for (const char c : name) {
      const bool letter = std::isalnum(static_cast<unsigned char>(c)) || c == '_';
      if (!letter && (of_label || c != ':')) return false;
    }
    return true;
  }

  void begin(const std::string& rest) {
    family_ = rest.substr(0, rest.find(' '));
    if (!is_name(family_, false)) refuse("no name");
    if (rest.size() <= family_.size() + 1) refuse("no help");
    if (result_.types.contains(family_)) refuse("a family stands twice");
    result_.types[family_] = "";
  }

  void type(const std::string& rest) {
    const std::string name = rest.substr(0, rest.find(' '));
    if (name != family_ || !result_.types[family_].empty()) refuse("a type of another family");
    const std::string word = rest.substr(std::min(name.size() + 1, rest.size()));
    if (word != "counter" && word != "gauge" && word != "histogram") refuse("no type");
    if (word == "counter" && !name.ends_with("_total")) refuse("a counter is no _total");
    for (const char* unit : {"_ns", "_ms", "_percent", "_ratio", "_share"}) {
      if (name.find(unit) != name.npos) refuse("no base unit");
    }
    result_.types[family_] = word;
  }

  bool labels(const std::string& line, size_t& at) {
    std::set<std::string> seen;
    while (at < line.size() && line[at] != '}') {
      const size_t equals = line.find("=\"", at);
      if (equals == line.npos) return false;
      const std::string name = line.substr(at, equals - at);
      if (!is_name(name, true) || !seen.insert(name).second) return false;
      at = equals + 2;
      while (at < line.size() && line[at] != '"') {
        if (line[at] == '\\') {
          ++at;
          if (at >= line.size() || (line[at] != '\\' && line[at] != '"' && line[at] != 'n')) {
            return false;
          }
        }
        ++at;
      }
      if (at++ >= line.size()) return false;
      if (at < line.size() && line[at] == ',') ++at;
    }
    return at++ < line.size();
  }

  void sample(const std::string& line) {
    size_t at = line.find_first_of("{ ");
    if (at == line.npos) return refuse("no sample");
    const std::string name = line.substr(0, at);
    if (!is_name(name, false)) return refuse("no name");
    const std::string& of = result_.types[family_];
    const bool part = of == "histogram" && (name == family_ + "_bucket" ||
                                            name == family_ + "_sum" || name == family_ + "_count");
    if (of.empty() || (name != family_ && !part)) return refuse("a sample without its family");
    if (line[at] == '{' && !labels(line, ++at)) return refuse("no labels");
    if (at >= line.size() || line[at] != ' ') return refuse("no value");
    const std::string number = line.substr(at + 1);
    double value = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (error != std::errc() || end != number.data() + number.size()) return refuse("no number");
    if (value < 0) refuse("below 0");
    if (!result_.samples.emplace(line.substr(0, at), value).second) refuse("a sample twice");
    order_.push_back(line.substr(0, at));
  }

  void check_histograms() {
    for (const auto& [family, type] : result_.types) {
      if (type != "histogram") continue;
      double last = 0;
      bool infinite = false;
      for (const std::string& name : order_) {
        if (!name.starts_with(family + "_bucket")) continue;
        line_ = name;
        if (result_.samples[name] < last) refuse("buckets are not cumulative");
        last = result_.samples[name];
        infinite = name == family + "_bucket{le=\"+Inf\"}";
      }
      if (!infinite || last != result_.value(family + "_count")) refuse("no bucket of all");
    }
  }

  const std::string& text_;
  std::string family_, line_;
  std::vector<std::string> order_;
  ParsedMetrics result_;
};

inline ParsedMetrics parse_metrics(const std::string& text) {
  return ExpositionReader(text).read();
}

// The first counter that stands below an earlier value, or is gone; empty: none. Brings `before` up
// to date.
inline std::string went_back(std::map<std::string, double>& before, const ParsedMetrics& now) {
  for (const auto& [sample, value] : before) {
    const auto found = now.samples.find(sample);
    if (found == now.samples.end()) return sample + " is gone";
    if (found->second < value) return sample;
  }
  for (const auto& [sample, value] : now.samples) {
    if (now.only_grows(sample)) before[sample] = value;
  }
  return "";
}

}  // namespace gilscope
