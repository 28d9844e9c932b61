// The directory that a run writes: DIR/report.json, DIR/segments/*.bin and DIR/samples/*.npy. One
// experiment holds it at a time; nothing that was measured is deleted or overwritten.
#pragma once

#include <optional>
#include <string>

#include "userspace/report/model.h"
#include "userspace/report/samples_file.h"
#include "userspace/report/segment_file.h"
#include "userspace/util/fd.h"
#include "userspace/util/result.h"

namespace gilscope {

class OutDir {
 public:
  // Makes the directory, or takes one that is empty or holds a report. Refuses a symbolic link, a
  // directory with other things in it, and one that another gilscope is writing.
  static Result<OutDir> open(const std::string& path);

  const std::string& path() const { return path_; }
  // What an earlier run left here.
  const std::optional<Report>& earlier() const { return earlier_; }

  Status write(const Report& report) const;

  // A new file of segments, and the name that the report gives it.
  Result<std::pair<SegmentWriter, std::string>> new_segments(const SegmentFileHeader& header) const;

  // Writes a run's samples, and gives the name that the report gives them. `trace` tells the traced
  // run of a block from its untraced twin.
  Result<std::string> write_samples(size_t cell, int block, const std::string& trace,
                                    std::span<const SampleRow> rows) const;

 private:
  std::string path_;
  Fd directory_;  // locked while it is open
  Fd segments_;
  std::optional<Report> earlier_;
};

}  // namespace gilscope
