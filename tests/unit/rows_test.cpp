// The reader of the CPUs' buffers: it delivers every record once, in one order, and frees its
// space.
#include "userspace/tracer/rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace gilscope {
namespace {

class RowsTest : public testing::Test {
 protected:
  static constexpr size_t kCores = 3, kPerCore = 8;

  // Mimics the BPF programs.
  void write(size_t core, uint64_t end_ns) {
    gilscope_core& of = cores_[core];
    if (of.written - of.taken >= kPerCore) {
      of.records_dropped += 1;
      return;
    }
    gilscope_segment& record = records_[core * kPerCore + of.written % kPerCore];
    record = {};
    record.end_ns = end_ns, record.cpu = uint16_t(core);
    of.written += 1;
  }

  std::vector<uint64_t> take(uint64_t until_ns = 1'000'000) {
    std::vector<uint64_t> ends;
    const auto taken = rows_.take(until_ns, [&](std::span<const gilscope_segment> segments) {
      for (const gilscope_segment& segment : segments) ends.push_back(segment.end_ns);
      return Status();
    });
    EXPECT_TRUE(taken);
    EXPECT_EQ(taken.value_or(0), ends.size());
    return ends;
  }

  std::vector<gilscope_segment> records_{kCores * kPerCore};
  std::vector<gilscope_core> cores_{kCores + 1};  // the last one has no buffer
  Rows rows_{records_, cores_, kPerCore};
};

TEST_F(RowsTest, ComeByTheirEnds) {
  write(0, 10), write(0, 40), write(1, 20), write(1, 30), write(2, 5), write(2, 50);
  EXPECT_EQ(take(), (std::vector<uint64_t>{5, 10, 20, 30, 40, 50}));
  EXPECT_TRUE(take().empty());
}

TEST_F(RowsTest, WhatEndedLaterWaitsForTheNextTime) {
  write(0, 10), write(0, 40), write(1, 20), write(1, 60);
  EXPECT_EQ(take(20), (std::vector<uint64_t>{10, 20}));
  EXPECT_EQ(take(59), std::vector<uint64_t>{40});
  EXPECT_EQ(take(60), std::vector<uint64_t>{60});
}

TEST_F(RowsTest, AFullRowDropsUntilItIsTaken) {
  for (uint64_t i = 0; i < kPerCore + 3; ++i) write(1, i);
  EXPECT_EQ(cores_[1].records_dropped, 3u);
  EXPECT_EQ(take().size(), kPerCore);
  write(1, 100);
  EXPECT_EQ(cores_[1].records_dropped, 3u);
  EXPECT_EQ(take(), std::vector<uint64_t>{100});
}

TEST_F(RowsTest, GoRoundAndRound) {
  std::mt19937 random(1);
  uint64_t now = 0, seen = 0;
  for (int round = 0; round < 1000; ++round) {
    for (int i = 0; i < 5; ++i) write(random() % kCores, ++now);
    const auto ends = take();
    EXPECT_TRUE(std::ranges::is_sorted(ends));
    seen += ends.size();
  }
  EXPECT_EQ(seen, now);
}

TEST_F(RowsTest, ASinkThatFailsIsSaidAndTheRowsAreEmptiedAllTheSame) {
  write(0, 1), write(2, 2);
  const auto taken =
      rows_.take(10, [](std::span<const gilscope_segment>) -> Status { return fail("full"); });
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().message, "full");
  EXPECT_TRUE(take().empty());
}

TEST_F(RowsTest, ACoreWithoutARowIsNotLookedAt) {
  cores_[kCores].written = 5;
  EXPECT_TRUE(take().empty());
}

}  // namespace
}  // namespace gilscope
