// Writes rows of every kind as JSON, one object a line, behind a header line.
#pragma once

#include <string>

#include "tools/export/rows.h"
#include "userspace/base/output_file.h"

namespace gilscope {

inline constexpr const char* kRowsSchemaName = "gilscope.rows";
inline constexpr int kRowsSchemaMajor = 1, kRowsSchemaMinor = 2;

class NdjsonWriter : public RowWriter {
 public:
  explicit NdjsonWriter(OutputFile& file) : file_(file) {}

  void header(const Report& report);

  void begin(RowKind kind) override;
  void number(std::string_view column, uint64_t value) override;
  void real(std::string_view column, double value) override;
  void truth(std::string_view column, bool value) override;
  void text(std::string_view column, std::string_view value) override;
  void nothing(std::string_view column) override;
  void end() override;

  // The first failure.
  const Status& status() const { return status_; }

 private:
  void next(std::string_view column);

  OutputFile& file_;
  std::string line_;
  Status status_;
};

}  // namespace gilscope
