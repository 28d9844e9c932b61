// A table for a terminal: labels on the left, numbers aligned by digits and units, headings in
// between. Where it gets narrow, the columns of a group first move together, and then the least
// important columns are left out.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "tools/analysis/numbers.h"

namespace gilscope {

// The columns that a text takes, with every character counted as one.
size_t columns(std::string_view text);

class Table {
 public:
  struct Column {
    std::string group;  // heading above the columns that share it
    std::string name;
    int drop = 0;  // the highest is left out first; 0 is never left out
  };

  // The first column holds the labels.
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  void heading(std::string text) { rows_.push_back({std::move(text), {}, true}); }
  void row(std::string label, std::vector<Number> numbers) {
    rows_.push_back({std::move(label), std::move(numbers), false});
  }
  void note(std::string text) { rows_.push_back({std::move(text), {}, false}); }
  bool empty() const { return rows_.empty(); }

  void print(std::ostream& out, int width) const;

 private:
  struct Row {
    std::string label;
    std::vector<Number> numbers;
    bool heading = false;
  };
  struct Layout;

  Layout lay_out(size_t width) const;
  void measure(Layout& layout) const;
  void fit_groups(Layout& layout) const;
  void print_groups(std::ostream& out, const Layout& layout) const;

  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

}  // namespace gilscope
