// A table for a terminal: labels to the left, numbers to the right with their units under one
// another, headings in between. Where it gets narrow the columns of a group move together first,
// and then what does not fit goes by importance.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "tools/numbers.h"

namespace gilscope {

// How many columns a text takes; wide characters are taken for narrow ones.
size_t columns(std::string_view text);

class Table {
 public:
  struct Column {
    std::string group;  // stands above the columns that share it
    std::string name;
    int drop = 0;  // the highest is left out first where it gets narrow; 0 never
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
