// Writes rows of one kind as comma-separated values: a line with the names of the columns, then the
// rows. Quotes as RFC 4180 says; lines end in a line feed alone.
#pragma once

#include <string>

#include "tools/export/rows.h"
#include "userspace/base/output_file.h"

namespace gilscope {

class CsvWriter : public RowWriter {
 public:
  explicit CsvWriter(OutputFile& file) : file_(file) {}

  void begin(RowKind kind) override;
  void number(std::string_view column, uint64_t value) override;
  void real(std::string_view column, double value) override;
  void truth(std::string_view column, bool value) override;
  void text(std::string_view column, std::string_view value) override;
  void nothing(std::string_view column) override;
  void end() override;

  bool empty() const { return !named_; }  // no row was written, and so no names
  // The first failure.
  const Status& status() const { return status_; }

 private:
  void next(std::string_view column);

  OutputFile& file_;
  std::string columns_, row_;
  bool named_ = false;  // the columns' names have been written
  bool first_ = true;   // in its row
  Status status_;
};

}  // namespace gilscope
