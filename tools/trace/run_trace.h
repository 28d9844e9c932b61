// The segments of one run, checked against the report that names them: neither is trusted.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "userspace/report/model.h"
#include "userspace/report/segment_file.h"

namespace gilscope {

// The directory that holds a report's other files.
class TraceDirectory {
 public:
  // `report` is a report.json, or the directory that holds it.
  static Result<TraceDirectory> of(const std::string& report);

  const std::string& path() const { return path_; }
  int fd() const { return directory_.get(); }
  // Whether a file that the report names exists.
  bool has(const std::string& file) const;

 private:
  TraceDirectory() = default;
  Fd directory_;
  std::string path_;
};

// Opens the segment file that `run` names. Fails unless it is this run's: of this report, cell and
// block, with as many records as the report says. A failed run's records need not have been
// counted.
Result<SegmentReader> open_segments(const TraceDirectory& directory, const Report& report,
                                    const Cell& cell, const Run& run);

// Checks the records of a run; those of one thread must follow one another in time. The error says
// what is wrong.
class SegmentCheck {
 public:
  // `threads` is the number of slots of the board that the run used.
  explicit SegmentCheck(size_t threads) : ended_ns_(threads) {}
  Status visit(const gilscope_segment& segment);

 private:
  std::vector<uint64_t> ended_ns_;  // by slot
};

class RunTrace {
 public:
  // Fails with Exit::no_data if the run has no segments, or the file is not this run's.
  static Result<RunTrace> open(const TraceDirectory& directory, const Report& report,
                               const Cell& cell, const Run& run);

  const Run& run() const { return *run_; }
  const Cell& cell() const { return *cell_; }
  uint64_t records() const { return reader_.records(); }
  uint64_t dropped() const { return run_->lost ? run_->lost->segments : 0; }
  const std::string& origin() const { return reader_.origin(); }

  // Passes on the records in the order of the file, piece by piece, after checking each.
  Status each(const std::function<Status(std::span<const gilscope_segment>)>& visit) const;

 private:
  RunTrace(SegmentReader reader, const Cell& cell, const Run& run)
      : reader_(std::move(reader)), cell_(&cell), run_(&run) {}

  SegmentReader reader_;
  const Cell* cell_;
  const Run* run_;
};

}  // namespace gilscope
