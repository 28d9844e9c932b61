#include "tools/export/csv.h"

#include <fmt/format.h>

#include <iterator>

namespace gilscope {
namespace {

void append_quoted(std::string& row, std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    row += text;
    return;
  }
  row += '"';
  for (const char letter : text) {
    if (letter == '"') row += '"';
    row += letter;
  }
  row += '"';
}

}  // namespace

void CsvWriter::begin(RowKind) {
  row_.clear();
  first_ = true;
}

void CsvWriter::next(std::string_view column) {
  if (!first_) row_ += ',';
  if (!named_) {
    if (!first_) columns_ += ',';
    append_quoted(columns_, column);
  }
  first_ = false;
}

void CsvWriter::number(std::string_view column, uint64_t value) {
  next(column);
  const fmt::format_int digits(value);
  row_.append(digits.data(), digits.size());
}

void CsvWriter::real(std::string_view column, double value) {
  next(column);
  fmt::format_to(std::back_inserter(row_), "{}", value);
}

void CsvWriter::truth(std::string_view column, bool value) {
  next(column);
  row_ += value ? "true" : "false";
}

void CsvWriter::text(std::string_view column, std::string_view value) {
  next(column);
  append_quoted(row_, value);
}

void CsvWriter::nothing(std::string_view column) {
  next(column);
}

void CsvWriter::end() {
  row_ += '\n';
  if (!named_) row_.insert(0, columns_ + '\n');
  named_ = true;
  if (status_) status_ = file_.write(row_);
}

}  // namespace gilscope
