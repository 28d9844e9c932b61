// The range of a segment's record on disk, bit by bit.
#include "userspace/report/segment_record.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "tests/unit/temporary_directory.h"
#include "userspace/report/segment_file.h"

namespace gilscope {
namespace {

gilscope_segment some_segment() {
  gilscope_segment segment = {};
  segment.ready_ns = 1'000'000;
  segment.run_ns = 1'000'700;
  segment.end_ns = 1'004'000;
  segment.thread = 7;
  segment.waker_tid = 4'000'000'000u;
  segment.cpu = 1, segment.previous_cpu = GILSCOPE_NO_CPU, segment.waker_cpu = 3;
  segment.placed_cpu = 65'000;
  segment.began = GILSCOPE_BEGAN_PREEMPTED, segment.ended = GILSCOPE_ENDED_EXITED;
  segment.gil_state = GILSCOPE_HOLDING;
  segment.seen = GILSCOPE_SEEN_SAME_WAIT | GILSCOPE_SEEN_MUTEX_SLEEP;
  segment.acquires = 4'294'967'295u;
  segment.contended = 65'535, segment.woken_lost = 65'534, segment.timed_out = 65'533;
  segment.drop_requests = 65'532;
  return segment;
}

void expect_kept(const gilscope_segment& segment) {
  const auto record = packed(segment);
  ASSERT_TRUE(record);
  const gilscope_segment back = unpacked(*record);
  EXPECT_EQ(std::memcmp(&segment, &back, sizeof(segment)), 0);
}

TEST(SegmentRecord, KeepsEveryField) {
  expect_kept(some_segment());
  std::mt19937_64 random(1);
  for (int i = 0; i < 10'000; ++i) {
    gilscope_segment segment = some_segment();
    segment.end_ns = random() >> 1;
    segment.run_ns = segment.end_ns - (random() >> 16);
    // If the kernel did not report a switch, a segment may begin before its waking.
    segment.ready_ns = segment.run_ns + (random() >> 17) - (uint64_t(1) << 46);
    segment.thread = uint16_t(random());
    segment.began = uint8_t(1 + random() % 2), segment.ended = uint8_t(random() % 5);
    segment.gil_state = uint8_t(random() % 3), segment.seen = uint8_t(random() % 16);
    if (i % 3 == 0) segment.began = GILSCOPE_BEGAN_ENTERED, segment.ready_ns = 0;
    segment.acquires = uint32_t(random()), segment.contended = uint16_t(random());
    expect_kept(segment);
  }
}

TEST(SegmentRecord, ThereIsNoneForWhatHasNoRoom) {
  const auto refused = [](auto change) {
    gilscope_segment segment = some_segment();
    change(segment);
    EXPECT_FALSE(packed(segment));
  };
  refused([](gilscope_segment& s) { s.thread = 65'536; });
  refused([](gilscope_segment& s) { s.contended = 65'536; });
  refused([](gilscope_segment& s) { s.woken_lost = 65'536; });
  refused([](gilscope_segment& s) { s.timed_out = 65'536; });
  refused([](gilscope_segment& s) { s.drop_requests = 65'536; });
  refused([](gilscope_segment& s) { s.seen = 16; });
  refused([](gilscope_segment& s) { s.end_ns = s.run_ns + (uint64_t(1) << 48); });
  refused([](gilscope_segment& s) { s.run_ns = s.end_ns = s.ready_ns + (uint64_t(1) << 47); });
  refused([](gilscope_segment& s) { s.began = GILSCOPE_BEGAN_ENTERED; });  // though ready_ns is set
}

TEST(SegmentRecord, AFileOfVersion1IsRead) {
  TemporaryDirectory directory;
  SegmentFileHeader header;
  header.version = 1, header.record_bytes = sizeof(gilscope_segment);
  gilscope_segment segment = some_segment();
  segment.contended = 1'000'000;  // version 1 had room for this
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof(header));
  bytes.append(reinterpret_cast<const char*>(&segment), sizeof(segment));
  directory.write("old.bin", bytes);
  const auto file = read_segments(directory / "old.bin");
  ASSERT_TRUE(file) << file.error().message;
  ASSERT_EQ(file->segments.size(), 1u);
  EXPECT_EQ(std::memcmp(&file->segments[0], &segment, sizeof(segment)), 0);
}

}  // namespace
}  // namespace gilscope
