// A run's segments on disk: a header, then a record for each segment
// (userspace/report/segment_record.h), ordered by end_ns up to a few us between CPUs, in the byte
// order of the machine that wrote them. Files of version 1, whose records are gilscope_segment of
// bpf/contract.h, are read too. docs/segments.md describes each field.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bpf/contract.h"
#include "userspace/base/fd.h"
#include "userspace/base/result.h"
#include "userspace/report/segment_record.h"

namespace gilscope {

inline constexpr uint32_t kSegmentFileVersion = 2;

struct SegmentFileHeader {
  std::array<char, 8> magic = {'G', 'I', 'L', 'S', 'E', 'G', 'S', '\n'};
  uint32_t version = kSegmentFileVersion;
  uint32_t byte_order = 0x01020304;
  uint32_t header_bytes = sizeof(SegmentFileHeader);
  uint32_t record_bytes = sizeof(SegmentRecord);
  uint32_t cell = 0;  // index into the report's cells
  uint32_t block = 0;
  std::array<char, 40> report_id = {};  // the report's UUID, padded with zeros
};
static_assert(sizeof(SegmentFileHeader) == 72);

class SegmentWriter {
 public:
  // Makes a new file `name` in the open directory, and leaves an existing one alone.
  static Result<SegmentWriter> create(int directory, const std::string& name,
                                      const SegmentFileHeader& header);

  // Fails at a segment with a field too large for a record.
  Status write(std::span<const gilscope_segment> segments);
  // On success everything is on the disk.
  Status finish();

 private:
  SegmentWriter(Fd file, std::string name) : file_(std::move(file)), name_(std::move(name)) {}
  Status append(const void* data, size_t bytes);
  Status flush();

  Fd file_;
  std::string name_;
  bool whole_ = false;  // version 1, which only tests still write
  std::vector<char> buffer_;
};

// Reads a file of segments piece by piece, so that memory does not grow with the file.
class SegmentReader {
 public:
  // Opens `name` below the open directory; `origin` names the file in errors. Refuses a file of
  // another kind, version or byte order, and one that ends within a record.
  static Result<SegmentReader> open(int directory, const std::string& name,
                                    const std::string& origin);
  // The same for a file that is open already.
  static Result<SegmentReader> of(Fd file, const std::string& origin);

  const SegmentFileHeader& header() const { return header_; }
  uint64_t records() const { return records_; }
  const std::string& origin() const { return origin_; }
  int fd() const { return file_.get(); }

  // Reads records from `first` on, as many as `into` holds or the file has.
  Result<std::span<gilscope_segment>> read(uint64_t first, std::span<gilscope_segment> into) const;

 private:
  SegmentReader() = default;

  Fd file_;
  std::string origin_;
  SegmentFileHeader header_;
  uint64_t records_ = 0;
};

struct SegmentFile {
  SegmentFileHeader header;
  std::vector<gilscope_segment> segments;
};

// Reads a whole file, for files known to be small.
Result<SegmentFile> read_segments(const std::string& path);

}  // namespace gilscope
