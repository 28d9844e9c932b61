// The text format of Prometheus, as node_exporter's textfile collector reads it.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace gilscope {

// One metric: its name says the unit, and a counter's ends in _total.
struct MetricFamily {
  enum class Type : uint8_t { counter, gauge, histogram };

  std::string name;
  Type type = Type::counter;
  std::string help;                 // one line
  std::vector<std::string> labels;  // their names
};

class Exposition {
 public:
  // Begins a metric; its samples follow.
  void family(const MetricFamily& family);

  void sample(const std::vector<std::string>& label_values, const std::string& value);
  void bucket(const std::string& le, uint64_t count);
  void sum_and_count(const std::string& sum, uint64_t count);

  const std::string& text() const { return text_; }

 private:
  void line(const std::string& suffix,
            const std::vector<std::pair<std::string, std::string>>& labels,
            const std::string& value);

  const MetricFamily* family_ = nullptr;
  std::string text_;
};

// "12.345678901": exact, so that a sum that has not gone back does not seem to.
std::string seconds_text(uint64_t ns);

}  // namespace gilscope
