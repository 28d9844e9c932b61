// All latencies of a run on disk, as a NumPy array (format 1.0) that `numpy.load` and most tools
// open. One row a sample: the thread's slot, when it was sent (CLOCK_MONOTONIC, as in segments),
// and how long it took, in ns.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "userspace/base/result.h"

namespace gilscope {

struct SampleRow {
  uint64_t thread;
  uint64_t sent_ns;
  uint64_t latency_ns;
};

// Makes a new file `name` in the open directory, and leaves an existing one alone. On success the
// file is on the disk.
Status write_samples(int directory, const std::string& name, std::span<const SampleRow> rows);

// Counts the rows of an open file of samples. Fails with Exit::no_data where it is not such a file,
// or its length differs from what its header says. `origin` names it in errors.
Result<uint64_t> sample_count(int file, const std::string& origin);

}  // namespace gilscope
