// A run's segments on disk: one header, then records of bpf/contract.h's gilscope_segment in the
// order in which the ring handed them over (by end_ns up to a few us between cores), in the byte
// order of the box that wrote them. docs/segments.md describes each field.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bpf/contract.h"
#include "userspace/util/fd.h"
#include "userspace/util/result.h"

namespace gilscope {

inline constexpr uint32_t kSegmentFileVersion = 1;

struct SegmentFileHeader {
  std::array<char, 8> magic = {'G', 'I', 'L', 'S', 'E', 'G', 'S', '\n'};
  uint32_t version = kSegmentFileVersion;
  uint32_t byte_order = 0x01020304;
  uint32_t header_bytes = sizeof(SegmentFileHeader);
  uint32_t record_bytes = sizeof(gilscope_segment);
  uint32_t cell = 0;  // index into the report's cells
  uint32_t block = 0;
  std::array<char, 40> report_id = {};  // the report's UUID, padded with zeros
};
static_assert(sizeof(SegmentFileHeader) == 72);

class SegmentWriter {
 public:
  // Makes a new file `name` in the directory that `directory` is open on; an existing one is not
  // touched.
  static Result<SegmentWriter> create(int directory, const std::string& name,
                                      const SegmentFileHeader& header);

  Status write(std::span<const gilscope_segment> segments);
  // Everything is on the disk when this has succeeded.
  Status finish();

 private:
  SegmentWriter(Fd file, std::string name) : file_(std::move(file)), name_(std::move(name)) {}
  Status append(const void* data, size_t bytes);
  Status flush();

  Fd file_;
  std::string name_;
  std::vector<char> buffer_;
};

struct SegmentFile {
  SegmentFileHeader header;
  std::vector<gilscope_segment> segments;
};

// Refuses what is not such a file, is of another version or byte order, or ends within a record.
Result<SegmentFile> read_segments(const std::string& path);

}  // namespace gilscope
