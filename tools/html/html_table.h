// A table of a page. Every number carries its key and its exact value, so that a script can compare
// it with the report.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/analysis/numbers.h"

namespace gilscope {

class HtmlTable {
 public:
  struct Column {
    std::string group;  // heading above the columns that share it
    std::string name;
    std::string key;  // the number's name in data-key and in the definitions
  };
  struct Datum {
    Number shown;
    std::optional<double> value;
    std::string verdict = {};  // CSS class that colours the cell
  };

  // The first column holds the labels. Screen readers also read `title`.
  HtmlTable(std::string title, std::vector<Column> columns)
      : title_(std::move(title)), columns_(std::move(columns)) {}

  // `label` and the row's `attributes` are HTML.
  void row(const std::string& label, const std::vector<Datum>& data,
           const std::string& attributes = "");
  void note(const std::string& text);
  bool empty() const { return rows_.empty(); }
  std::string html() const;

 private:
  std::string head() const;

  std::string title_;
  std::vector<Column> columns_;
  std::string rows_;
};

}  // namespace gilscope
