// The reading side of the cores' rows of records: what has been written since the last time, of all
// cores, in one order.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "bpf/contract.h"
#include "userspace/util/result.h"

namespace gilscope {

class Rows {
 public:
  using Sink = std::function<Status(std::span<const gilscope_segment>)>;

  Rows() = default;
  // `records` holds a row of `per_core` for each of the first cores; `cores` says what is in them.
  Rows(std::span<const gilscope_segment> records, std::span<gilscope_core> cores, size_t per_core)
      : records_(records), cores_(cores), per_core_(per_core) {}

  // Hands what ended by `until_ns`, a time that has come already, to the sink by end_ns, and makes
  // room for more, even where the sink fails: its first failure is returned. Returns how many there
  // were. The limit keeps a thread's records in order: cores are looked at one after the other, and
  // a thread may have gone from one that has been to one that is still to be looked at.
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
