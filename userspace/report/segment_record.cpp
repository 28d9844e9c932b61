#include "userspace/report/segment_record.h"

#include <algorithm>

namespace gilscope {
namespace {

constexpr int kTimeBits = 48;
constexpr uint64_t kTimeMask = (uint64_t(1) << kTimeBits) - 1;
constexpr int kBeganShift = kTimeBits, kEndedShift = kTimeBits + 4, kStateShift = kTimeBits + 8,
              kSeenShift = kTimeBits + 12;
constexpr uint64_t kKindMask = 0xf;

int64_t sign_extended(uint64_t time) {
  return static_cast<int64_t>(time << (64 - kTimeBits)) >> (64 - kTimeBits);
}

}  // namespace

std::optional<SegmentRecord> packed(const gilscope_segment& segment) {
  // A segment that began by entering has no ready time.
  const bool entered = segment.began == GILSCOPE_BEGAN_ENTERED;
  const uint64_t run = segment.end_ns - segment.run_ns;
  const uint64_t wait = entered ? 0 : segment.run_ns - segment.ready_ns;
  const bool small = std::max({segment.thread, segment.contended, segment.woken_lost,
                               segment.timed_out, segment.drop_requests}) <= UINT16_MAX;
  if (!small || run > kTimeMask || uint64_t(sign_extended(wait & kTimeMask)) != wait ||
      segment.began > kKindMask || segment.ended > kKindMask || segment.gil_state > kKindMask ||
      segment.seen > kKindMask || (entered && segment.ready_ns != 0)) {
    return {};
  }
  SegmentRecord record = {};
  record.end_ns = segment.end_ns;
  record.run_and_thread = run | uint64_t(segment.thread) << kTimeBits;
  record.wait_and_kind = (wait & kTimeMask) | uint64_t(segment.began) << kBeganShift |
                         uint64_t(segment.ended) << kEndedShift |
                         uint64_t(segment.gil_state) << kStateShift |
                         uint64_t(segment.seen) << kSeenShift;
  record.waker_tid = segment.waker_tid;
  record.acquires = segment.acquires;
  record.cpu = segment.cpu;
  record.previous_cpu = segment.previous_cpu;
  record.waker_cpu = segment.waker_cpu;
  record.placed_cpu = segment.placed_cpu;
  record.contended = uint16_t(segment.contended);
  record.woken_lost = uint16_t(segment.woken_lost);
  record.timed_out = uint16_t(segment.timed_out);
  record.drop_requests = uint16_t(segment.drop_requests);
  return record;
}

gilscope_segment unpacked(const SegmentRecord& record) {
  gilscope_segment segment = {};
  segment.end_ns = record.end_ns;
  segment.run_ns = record.end_ns - (record.run_and_thread & kTimeMask);
  segment.thread = uint32_t(record.run_and_thread >> kTimeBits);
  segment.began = uint8_t(record.wait_and_kind >> kBeganShift & kKindMask);
  segment.ended = uint8_t(record.wait_and_kind >> kEndedShift & kKindMask);
  segment.gil_state = uint8_t(record.wait_and_kind >> kStateShift & kKindMask);
  segment.seen = uint8_t(record.wait_and_kind >> kSeenShift & kKindMask);
  if (segment.began != GILSCOPE_BEGAN_ENTERED) {
    segment.ready_ns = segment.run_ns - uint64_t(sign_extended(record.wait_and_kind & kTimeMask));
  }
  segment.waker_tid = record.waker_tid;
  segment.acquires = record.acquires;
  segment.cpu = record.cpu;
  segment.previous_cpu = record.previous_cpu;
  segment.waker_cpu = record.waker_cpu;
  segment.placed_cpu = record.placed_cpu;
  segment.contended = record.contended;
  segment.woken_lost = record.woken_lost;
  segment.timed_out = record.timed_out;
  segment.drop_requests = record.drop_requests;
  return segment;
}

}  // namespace gilscope
