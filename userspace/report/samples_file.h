// A run's latencies on disk, every one of them, as a NumPy array (format 1.0): `numpy.load` opens
// it, and so do most tools. One row a sample: the thread's slot, when it was sent (CLOCK_MONOTONIC,
// as in segments), and how long it took, in ns.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "userspace/util/result.h"

namespace gilscope {

struct SampleRow {
  uint64_t thread;
  uint64_t sent_ns;
  uint64_t latency_ns;
};

// Makes a new file `name` in the directory that `directory` is open on; an existing one is not
// touched. It is on the disk when this has succeeded.
Status write_samples(int directory, const std::string& name, std::span<const SampleRow> rows);

// How many rows an open file of samples has. Fails with Exit::no_data where it is no such file, or
// shorter or longer than it says. `origin` names it in errors.
Result<uint64_t> samples_in(int file, const std::string& origin);

}  // namespace gilscope
