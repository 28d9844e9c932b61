// The reading side of the CPUs' buffers of records: all that has been written since the last time,
// in one order.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "bpf/counters.h"
#include "userspace/base/result.h"

namespace gilscope {

class Rows {
 public:
  using Sink = std::function<Status(std::span<const gilscope_segment>)>;

  Rows() = default;
  // `records` holds a buffer of `per_core` records for each of the first CPUs; `cores` says how far
  // each is filled.
  Rows(std::span<const gilscope_segment> records, std::span<gilscope_core> cores, size_t per_core)
      : records_(records), cores_(cores), per_core_(per_core) {}

  // Hands segments that ended by `until_ns`, a time in the past, to the sink in the order of
  // end_ns, and frees their places even if the sink fails; returns how many there were, or the
  // sink's first failure. The limit keeps a thread's records in order: CPUs are looked at one after
  // the other, and a thread may move from one already looked at to one still to come.
  Result<uint64_t> take(uint64_t until_ns, const Sink& sink);

 private:
  struct Row {
    size_t core;
    uint64_t next, written;
  };
  const gilscope_segment& at(const Row& row) const {
    return records_[row.core * per_core_ + row.next % per_core_];
  }
  bool comes(const Row& row, uint64_t until_ns) const {
    return row.next != row.written && at(row).end_ns <= until_ns;
  }
  std::vector<Row> rows_with_records(uint64_t until_ns) const;

  std::span<const gilscope_segment> records_;
  std::span<gilscope_core> cores_;
  size_t per_core_ = 0;
};

}  // namespace gilscope
