// The numbers of a report that are held against a witness: read as text, and not by the program's
// own reader.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "userspace/base/result.h"

namespace gilscope {

struct Ours {
  using Count = std::optional<uint64_t>;  // empty: null or absent
  Count opened_ns, window_ns;
  Count contended, woken_lost, timed_out, undecided, sleeps, waits_begun_again, waits_begun,
      unslept;
  Count mutex_sleeps, release_stalls, acquired_after_wait, acquires;
  uint64_t holder_preempted = 0, segments = 0;
  std::string doubt, kind, version, found_by, symbol;
  uint64_t pid = 0;
  bool has_gil = false;

  uint64_t closed_ns() const { return *opened_ns + *window_ns; }
};

// Of the cell of this process.
Result<Ours> read_ours(const std::string& report_directory, uint64_t pid);

}  // namespace gilscope
