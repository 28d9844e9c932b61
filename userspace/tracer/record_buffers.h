// The reading side of the CPUs' buffers of records: all that has been written since the last time,
// in one order.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "bpf/counters.h"
#include "userspace/base/result.h"

namespace gilscope {

class RecordBuffers {
 public:
  using Sink = std::function<Status(std::span<const gilscope_segment>)>;

  RecordBuffers() = default;
  // `records` holds a buffer of `per_cpu` records for each of the first CPUs; `cpus` says how far
  // each is filled.
  RecordBuffers(std::span<const gilscope_segment> records, std::span<gilscope_cpu> cpus,
                size_t per_cpu)
      : records_(records), cpus_(cpus), per_cpu_(per_cpu) {}

  // Hands segments that ended by `until_ns`, a time in the past, to the sink in the order of
  // end_ns, and frees their places even if the sink fails; returns how many there were, or the
  // sink's first failure. The limit keeps a thread's records in order: CPUs are looked at one after
  // the other, and a thread may move from one already looked at to one still to come.
  Result<uint64_t> take(uint64_t until_ns, const Sink& sink);
  // Frees the places of all records that are there, unread.
  void skip();

 private:
  struct Buffer {
    size_t cpu;
    uint64_t next, written;
  };
  const gilscope_segment& at(const Buffer& buffer) const {
    return records_[buffer.cpu * per_cpu_ + buffer.next % per_cpu_];
  }
  bool has_record(const Buffer& buffer, uint64_t until_ns) const {
    return buffer.next != buffer.written && at(buffer).end_ns <= until_ns;
  }
  std::vector<Buffer> buffers_with_records(uint64_t until_ns) const;

  std::span<const gilscope_segment> records_;
  std::span<gilscope_cpu> cpus_;
  size_t per_cpu_ = 0;
};

}  // namespace gilscope
