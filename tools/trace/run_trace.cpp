#include "tools/trace/run_trace.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <string_view>

#include "userspace/base/below.h"
#include "userspace/base/quote.h"

namespace gilscope {
namespace {

constexpr size_t kPiece = 4096;  // records

std::string_view id_of(const SegmentFileHeader& header) {
  const std::string_view id(header.report_id.data(), header.report_id.size());
  return id.substr(0, id.find('\0'));
}

Status belongs(const SegmentReader& reader, const Report& report, const Cell& cell,
               const Run& run) {
  const SegmentFileHeader& header = reader.header();
  const auto index = static_cast<uint32_t>(&cell - report.cells.data());
  const std::string what = in_quotes(reader.origin());
  if (id_of(header) != report.id) {
    return fail(Exit::no_data,
                fmt::format("{} belongs to the report {}, not to this one, {}", what,
                            in_quotes(std::string(id_of(header))), in_quotes(report.id)));
  }
  if (header.cell != index || header.block != static_cast<uint32_t>(run.block)) {
    return fail(Exit::no_data,
                fmt::format("{} is of cell {}, block {}; the report names it for cell {}, block {}",
                            what, header.cell, header.block, index, run.block));
  }
  return {};
}

}  // namespace

Result<TraceDirectory> TraceDirectory::of(const std::string& report) {
  TraceDirectory result;
  struct stat status {};
  if (::stat(report.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
    result.path_ = report;
  } else {
    const size_t slash = report.rfind('/');
    result.path_ = slash == std::string::npos ? "." : report.substr(0, std::max<size_t>(slash, 1));
  }
  result.directory_ = Fd(::open(result.path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!result.directory_) return fail_errno("cannot open " + in_quotes(result.path_));
  return result;
}

bool TraceDirectory::has(const std::string& file) const {
  return stays_below(file) && ::faccessat(fd(), file.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

Status SegmentCheck::visit(const gilscope_segment& s) {
  if (s.thread >= ended_ns_.size()) {
    return fail(Exit::no_data,
                fmt::format("it is of thread {}, but the run had {}", s.thread, ended_ns_.size()));
  }
  if (s.began > GILSCOPE_BEGAN_PREEMPTED || s.ended > GILSCOPE_ENDED_EXITED ||
      s.gil_state > GILSCOPE_HOLDING) {
    return fail(Exit::no_data, fmt::format("it has the beginning {}, end {} and GIL state {}",
                                           s.began, s.ended, s.gil_state));
  }
  if (s.end_ns < s.run_ns || s.run_ns < s.ready_ns) {
    return fail(Exit::no_data, fmt::format("it was ready at {}, ran at {} and ended at {} ns",
                                           s.ready_ns, s.run_ns, s.end_ns));
  }
  uint64_t& ended_ns = ended_ns_[s.thread];
  if (s.end_ns < ended_ns) {
    return fail(Exit::no_data, "it ended before its thread's previous record");
  }
  ended_ns = s.end_ns;
  return {};
}

Result<SegmentReader> open_segments(const TraceDirectory& directory, const Report& report,
                                    const Cell& cell, const Run& run) {
  if (!stays_below(run.segments_file)) {
    return fail(Exit::no_data, fmt::format("the report names {} for its segments, which is not "
                                           "beside it",
                                           in_quotes(run.segments_file)));
  }
  const std::string origin = directory.path() + "/" + run.segments_file;
  auto file = open_below(directory.fd(), run.segments_file, origin);
  if (!file) return fail(file.error());
  auto reader = SegmentReader::of(std::move(*file), origin);
  if (!reader) return reader;
  if (Status s = belongs(*reader, report, cell, run); !s) return fail(s.error());
  // A failed run's records may not have been counted.
  const bool counted = run.status == "done" || run.segment_records != 0;
  if (counted && reader->records() != run.segment_records) {
    return fail(Exit::no_data,
                fmt::format("{} holds {} records, but the report says {}: it is "
                            "truncated, or not this run's",
                            in_quotes(reader->origin()), reader->records(), run.segment_records));
  }
  return reader;
}

Result<RunTrace> RunTrace::open(const TraceDirectory& directory, const Report& report,
                                const Cell& cell, const Run& run) {
  if (run.segments_file.empty()) {
    return fail(Exit::no_data,
                fmt::format("block {} of {} has no segments: to keep them, use `gilscope run "
                            "--trace full --out DIR`",
                            run.block, cell.policy));
  }
  auto reader = open_segments(directory, report, cell, run);
  if (!reader) return fail(reader.error());
  if (reader->records() != run.segment_records) {
    return fail(Exit::no_data,
                fmt::format("block {} of {} failed, and the segments that it left were not "
                            "counted",
                            run.block, cell.policy));
  }
  return RunTrace(std::move(*reader), cell, run);
}

Status RunTrace::each(const std::function<Status(std::span<const gilscope_segment>)>& visit) const {
  std::vector<gilscope_segment> piece(kPiece);
  SegmentCheck check(run_->threads.size());
  for (uint64_t first = 0; first < records();) {
    auto read = reader_.read(first, piece);
    if (!read) return fail(read.error());
    for (size_t i = 0; i < read->size(); ++i) {
      if (Status s = check.visit((*read)[i]); !s) {
        return fail(Exit::no_data, fmt::format("{}: record {} is damaged: {}", in_quotes(origin()),
                                               first + i, s.error().message));
      }
    }
    if (Status s = visit(*read); !s) return s;
    first += read->size();
  }
  return {};
}

}  // namespace gilscope
