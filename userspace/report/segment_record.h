// A segment on disk: 48 bytes, three quarters of its size in memory. docs/segments.md describes
// each field.
#pragma once

#include <cstdint>
#include <optional>

#include "bpf/contract.h"

namespace gilscope {

struct SegmentRecord {
  uint64_t end_ns;
  uint64_t run_and_thread;  // ns it ran, 48 bits; thread, 16 bits above
  uint64_t wait_and_kind;   // ns from ready to running, 48 bits, signed; above: began, ended,
                            // gil_state, seen, 4 bits each
  uint32_t waker_tid;
  uint32_t acquires;
  uint16_t cpu, previous_cpu, waker_cpu, placed_cpu;
  uint16_t contended, woken_lost, timed_out, drop_requests;
};
static_assert(sizeof(SegmentRecord) == 48);

// Empty where a value is too large for its field: 78 hours on a CPU, 65 536 threads, as many failed
// acquisitions of a kind in one segment.
std::optional<SegmentRecord> packed(const gilscope_segment& segment);
// Accepts any bytes; the reader has to notice impossible values.
gilscope_segment unpacked(const SegmentRecord& record);

}  // namespace gilscope
