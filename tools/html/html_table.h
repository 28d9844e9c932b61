// A table of a page. Every number carries what it was made from, so that a script can hold it
// against the report.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/numbers.h"

namespace gilscope {

class HtmlTable {
 public:
  struct Column {
    std::string group;  // stands above the columns that share it
    std::string name;
    std::string key;  // names the number: in data-key, and in the definitions
  };
  struct Datum {
    Number shown;
    std::optional<double> value;
    std::string verdict = {};  // colours it
  };

  // The first column holds the labels. `title` says what the table is about, to screen readers too.
  HtmlTable(std::string title, std::vector<Column> columns)
      : title_(std::move(title)), columns_(std::move(columns)) {}

  // `label` is HTML; `attributes` of the row are too.
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
