// The output directory of an experiment: DIR/report.json, DIR/segments/*.bin and DIR/samples/*.npy.
// One experiment at a time holds it. Nothing measured is ever deleted or overwritten.
#pragma once

#include <optional>
#include <string>

#include "userspace/base/fd.h"
#include "userspace/base/result.h"
#include "userspace/report/model.h"
#include "userspace/report/samples_file.h"
#include "userspace/report/segment_file.h"

namespace gilscope {

class OutDir {
 public:
  // Creates the directory, or opens one that is empty or holds a report. Refuses a symbolic link, a
  // directory with other contents, and one that another gilscope is writing to.
  static Result<OutDir> open(const std::string& path);

  const std::string& path() const { return path_; }
  // The report of an earlier run, if there is one.
  const std::optional<Report>& earlier() const { return earlier_; }

  Status write(const Report& report) const;

  // Creates a segment file; returns its writer and the name under which the report lists it.
  Result<std::pair<SegmentWriter, std::string>> new_segments(const SegmentFileHeader& header) const;

  // Writes a run's samples; returns the name under which the report lists them. `trace`
  // distinguishes a block's traced run from its untraced twin.
  Result<std::string> write_samples(size_t cell, int block, const std::string& trace,
                                    std::span<const SampleRow> rows) const;

 private:
  std::string path_;
  Fd directory_;  // locked while open
  Fd segments_;
  std::optional<Report> earlier_;
};

}  // namespace gilscope
