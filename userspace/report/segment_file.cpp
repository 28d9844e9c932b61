#include "userspace/report/segment_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "userspace/base/file_io.h"
#include "userspace/base/quote.h"

namespace gilscope {
namespace {

constexpr size_t kBufferBytes = 1 << 20;
constexpr uint32_t kWholeSegments = 1;  // the version whose records are segments as in memory

size_t record_bytes(uint32_t version) {
  return version == kWholeSegments ? sizeof(gilscope_segment) : sizeof(SegmentRecord);
}

}  // namespace

Result<SegmentWriter> SegmentWriter::create(int directory, const std::string& name,
                                            const SegmentFileHeader& header) {
  Fd file(
      openat(directory, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!file) return fail_errno(fmt::format("cannot create the segments {}", in_quotes(name)));
  SegmentWriter writer(std::move(file), name);
  writer.whole_ = header.version == kWholeSegments;
  writer.buffer_.reserve(kBufferBytes);
  if (Status s = writer.append(&header, sizeof(header)); !s) return fail(s.error());
  return writer;
}

Status SegmentWriter::append(const void* data, size_t bytes) {
  const char* begin = static_cast<const char*>(data);
  buffer_.insert(buffer_.end(), begin, begin + bytes);
  return buffer_.size() >= kBufferBytes ? flush() : Status();
}

Status SegmentWriter::write(std::span<const gilscope_segment> segments) {
  if (whole_) return append(segments.data(), segments.size_bytes());
  for (const gilscope_segment& segment : segments) {
    const auto record = packed(segment);
    if (!record) {
      return fail(
          fmt::format("cannot write the segments {}: one of thread {} ran {} ns, or failed "
                      "too often, for a record; trace counters only",
                      in_quotes(name_), segment.thread, segment.end_ns - segment.run_ns));
    }
    if (Status s = append(&*record, sizeof(*record)); !s) return s;
  }
  return {};
}

Status SegmentWriter::flush() {
  Status status = write_all(file_.get(), {buffer_.data(), buffer_.size()},
                            fmt::format("cannot write the segments {}", in_quotes(name_)));
  buffer_.clear();
  return status;
}

Status SegmentWriter::finish() {
  if (Status s = flush(); !s) return s;
  if (fsync(file_.get())) return fail_errno(fmt::format("cannot sync {}", in_quotes(name_)));
  return {};
}

Result<SegmentReader> SegmentReader::open(int directory, const std::string& name,
                                          const std::string& origin) {
  // O_NONBLOCK: opening a pipe must not wait for a writer.
  Fd file(openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file) return fail_errno(fmt::format("cannot open {}", in_quotes(origin)));
  return of(std::move(file), origin);
}

Result<SegmentReader> SegmentReader::of(Fd file, const std::string& origin) {
  SegmentReader reader;
  reader.origin_ = origin;
  reader.file_ = std::move(file);
  struct stat about;
  if (fstat(reader.file_.get(), &about)) {
    return fail_errno(fmt::format("cannot read {}", in_quotes(origin)));
  }
  if (!S_ISREG(about.st_mode)) {
    return fail(Exit::no_data, fmt::format("{} is not a regular file", in_quotes(origin)));
  }

  const SegmentFileHeader ours;
  auto got = read_at(reader.file_.get(), 0, &reader.header_, sizeof(reader.header_),
                     fmt::format("cannot read {}", in_quotes(origin)));
  if (!got) return fail(got.error());
  const SegmentFileHeader& header = reader.header_;
  if (*got < sizeof(header) || header.magic != ours.magic) {
    return fail(Exit::no_data, fmt::format("{} is not a file of segments", in_quotes(origin)));
  }
  if (header.byte_order != ours.byte_order) {
    return fail(Exit::no_data, fmt::format("{} was written on a machine of another byte order",
                                           in_quotes(origin)));
  }
  if (header.version < kWholeSegments || header.version > ours.version ||
      header.header_bytes != ours.header_bytes ||
      header.record_bytes != record_bytes(header.version)) {
    return fail(Exit::no_data,
                fmt::format("{} is of version {}; this gilscope reads versions {} to {}",
                            in_quotes(origin), header.version, kWholeSegments, ours.version));
  }
  const uint64_t bytes = static_cast<uint64_t>(about.st_size) - sizeof(header);
  if (bytes % header.record_bytes) {
    return fail(Exit::no_data,
                fmt::format("{} is truncated: it ends within a record", in_quotes(origin)));
  }
  reader.records_ = bytes / header.record_bytes;
  return reader;
}

Result<std::span<gilscope_segment>> SegmentReader::read(uint64_t first,
                                                        std::span<gilscope_segment> into) const {
  if (first >= records_) return into.first(0);
  const std::span<gilscope_segment> wanted =
      into.first(static_cast<size_t>(std::min<uint64_t>(into.size(), records_ - first)));
  const uint64_t offset = sizeof(header_) + first * header_.record_bytes;
  const auto read = [&](void* data, size_t bytes) -> Status {
    auto got = read_at(file_.get(), offset, data, bytes,
                       fmt::format("cannot read {}", in_quotes(origin_)));
    if (!got) return fail(got.error());
    if (*got == bytes) return {};
    return fail(Exit::no_data,
                fmt::format("{} became shorter while it was read", in_quotes(origin_)));
  };
  if (header_.version == kWholeSegments) {
    if (Status s = read(wanted.data(), wanted.size_bytes()); !s) return fail(s.error());
    return wanted;
  }
  std::vector<SegmentRecord> records(wanted.size());
  if (Status s = read(records.data(), records.size() * sizeof(records[0])); !s) {
    return fail(s.error());
  }
  std::ranges::transform(records, wanted.begin(), unpacked);
  return wanted;
}

Result<SegmentFile> read_segments(const std::string& path) {
  auto reader = SegmentReader::open(AT_FDCWD, path, path);
  if (!reader) return fail(reader.error());
  SegmentFile file;
  file.header = reader->header();
  file.segments.resize(reader->records());
  if (auto read = reader->read(0, file.segments); !read) return fail(read.error());
  return file;
}

}  // namespace gilscope
