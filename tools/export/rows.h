// A report and its segments as rows, one for each run, CPU, thread, segment, or
// share of a thread's waiting (tools/export/wait_rows.h). The columns are
// named here and in bpf/numbers.def, once for every format; docs/export.md describes each.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bpf/contract.h"
#include "tools/export/runs.h"

namespace gilscope {

enum class RowKind : uint8_t { run, cpu, thread, wait, segment };

// One format of rows.
class RowWriter {
 public:
  virtual ~RowWriter() = default;

  virtual void begin(RowKind kind) = 0;
  virtual void number(std::string_view column, uint64_t value) = 0;
  virtual void real(std::string_view column, double value) = 0;
  virtual void truth(std::string_view column, bool value) = 0;
  virtual void text(std::string_view column, std::string_view value) = 0;
  virtual void nothing(std::string_view column) = 0;  // not captured, or it does not apply
  virtual void end() = 0;
};

// The names of the workloads' own results, which differ between workloads.
std::set<std::string> workload_results(const std::vector<ExportedRun>& runs);

void write_run_row(RowWriter& writer, const ExportedRun& exported,
                   const std::set<std::string>& results);
void write_cpu_row(RowWriter& writer, const ExportedRun& exported, const CpuTrace& cpu);
void write_thread_row(RowWriter& writer, const ExportedRun& exported, size_t slot);
void write_segment_row(RowWriter& writer, const ExportedRun& exported,
                       const gilscope_segment& segment);

}  // namespace gilscope
