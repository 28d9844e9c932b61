// The reader of the CPUs' buffers: it delivers every record once, in one order, and frees its
// space.
#include "userspace/tracer/record_buffers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace gilscope {
namespace {

class RecordBuffersTest : public testing::Test {
 protected:
  static constexpr size_t kCpus = 3, kPerCpu = 8;

  // Mimics the BPF programs.
  void write(size_t cpu, uint64_t end_ns) {
    gilscope_cpu& of = cpus_[cpu];
    if (of.written - of.taken >= kPerCpu) {
      of.records_dropped += 1;
      return;
    }
    gilscope_segment& record = records_[cpu * kPerCpu + of.written % kPerCpu];
    record = {};
    record.end_ns = end_ns, record.cpu = uint16_t(cpu);
    of.written += 1;
  }

  std::vector<uint64_t> take(uint64_t until_ns = 1'000'000) {
    std::vector<uint64_t> ends;
    const auto taken = buffers_.take(until_ns, [&](std::span<const gilscope_segment> segments) {
      for (const gilscope_segment& segment : segments) ends.push_back(segment.end_ns);
      return Status();
    });
    EXPECT_TRUE(taken);
    EXPECT_EQ(taken.value_or(0), ends.size());
    return ends;
  }

  std::vector<gilscope_segment> records_{kCpus * kPerCpu};
  std::vector<gilscope_cpu> cpus_{kCpus + 1};  // the last one has no buffer
  RecordBuffers buffers_{records_, cpus_, kPerCpu};
};

TEST_F(RecordBuffersTest, ComeByTheirEnds) {
  write(0, 10), write(0, 40), write(1, 20), write(1, 30), write(2, 5), write(2, 50);
  EXPECT_EQ(take(), (std::vector<uint64_t>{5, 10, 20, 30, 40, 50}));
  EXPECT_TRUE(take().empty());
}

TEST_F(RecordBuffersTest, WhatEndedLaterWaitsForTheNextTime) {
  write(0, 10), write(0, 40), write(1, 20), write(1, 60);
  EXPECT_EQ(take(20), (std::vector<uint64_t>{10, 20}));
  EXPECT_EQ(take(59), std::vector<uint64_t>{40});
  EXPECT_EQ(take(60), std::vector<uint64_t>{60});
}

TEST_F(RecordBuffersTest, AFullBufferDropsUntilItIsTaken) {
  for (uint64_t i = 0; i < kPerCpu + 3; ++i) write(1, i);
  EXPECT_EQ(cpus_[1].records_dropped, 3u);
  EXPECT_EQ(take().size(), kPerCpu);
  write(1, 100);
  EXPECT_EQ(cpus_[1].records_dropped, 3u);
  EXPECT_EQ(take(), std::vector<uint64_t>{100});
}

TEST_F(RecordBuffersTest, GoRoundAndRound) {
  std::mt19937 random(1);
  uint64_t now = 0, seen = 0;
  for (int round = 0; round < 1000; ++round) {
    for (int i = 0; i < 5; ++i) write(random() % kCpus, ++now);
    const auto ends = take();
    EXPECT_TRUE(std::ranges::is_sorted(ends));
    seen += ends.size();
  }
  EXPECT_EQ(seen, now);
}

TEST_F(RecordBuffersTest, ASinkThatFailsIsReportedAndTheBuffersAreEmptied) {
  write(0, 1), write(2, 2);
  const auto taken =
      buffers_.take(10, [](std::span<const gilscope_segment>) -> Status { return fail("full"); });
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().message, "full");
  EXPECT_TRUE(take().empty());
}

TEST_F(RecordBuffersTest, ACpuWithoutABufferIsNotLookedAt) {
  cpus_[kCpus].written = 5;
  EXPECT_TRUE(take().empty());
}

}  // namespace
}  // namespace gilscope
