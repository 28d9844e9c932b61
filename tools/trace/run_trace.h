// The segments of one run, held against the report that names them: neither is trusted.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "userspace/report/model.h"
#include "userspace/report/segment_file.h"

namespace gilscope {

// The directory in which a report's other files lie.
class TraceDirectory {
 public:
  // `report` is a report.json, or the directory that holds it.
  static Result<TraceDirectory> of(const std::string& report);

  const std::string& path() const { return path_; }
  int fd() const { return directory_.get(); }
  // Whether a file that the report names is there at all.
  bool has(const std::string& file) const;

 private:
  TraceDirectory() = default;
  Fd directory_;
  std::string path_;
};

// The file of segments that `run` names, if it is this run's: of this report, cell and block, and
// with as many records as the report says; those of a run that failed need not have been counted.
Result<SegmentReader> open_segments(const TraceDirectory& directory, const Report& report,
                                    const Cell& cell, const Run& run);

// What the records of a run may say; those of one thread must follow one another in time. Fails
// with what is wrong.
class SegmentCheck {
 public:
  // So many slots of the board did the run use.
  explicit SegmentCheck(size_t threads) : ended_ns_(threads) {}
  Status see(const gilscope_segment& segment);

 private:
  std::vector<uint64_t> ended_ns_;  // by slot
};

class RunTrace {
 public:
  // Fails with Exit::no_data where the run has no segments, or the file is not this run's: another
  // report's, another cell's or block's, or of another number of records.
  static Result<RunTrace> open(const TraceDirectory& directory, const Report& report,
                               const Cell& cell, const Run& run);

  const Run& run() const { return *run_; }
  const Cell& cell() const { return *cell_; }
  uint64_t records() const { return reader_.records(); }
  uint64_t dropped() const { return run_->lost ? run_->lost->segments : 0; }
  const std::string& origin() const { return reader_.origin(); }

  // In the order of the file, a piece at a time, each record checked before it is passed on.
  Status each(const std::function<Status(std::span<const gilscope_segment>)>& see) const;

 private:
  RunTrace(SegmentReader reader, const Cell& cell, const Run& run)
      : reader_(std::move(reader)), cell_(&cell), run_(&run) {}

  SegmentReader reader_;
  const Cell* cell_;
  const Run* run_;
};

}  // namespace gilscope
