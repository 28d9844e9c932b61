// sharded: N locks, each of which admits one thread at a time; N threads may hold at once.
#include "userspace/gil/sharded.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/unit/under_gil.h"
#include "userspace/eval/interpreter.h"
#include "userspace/eval/programs.h"

namespace gilscope {
namespace {

constexpr uint32_t kPieces = 16;
constexpr int kThreads = 8;
constexpr int64_t kEach = GILSCOPE_UNDER_TSAN || GILSCOPE_UNDER_ASAN ? 20'000 : 100'000;

TEST(Sharded, LosesNoIncrementOfWhatAPieceGuards) {
  Sharded gil(kPieces);
  std::vector<int64_t> counters(kPieces);  // not atomic: each is under the lock of its piece
  const Crew crew = run_together(kThreads, [&](UnderGil& self) {
    const Code code = calling_loop([&] {
      int64_t& counter = counters[self.thread.piece];
      const int64_t seen = counter;
      // Yields occasionally in the middle, in case all threads share one CPU.
      if (seen % 4096 == 0) std::this_thread::yield();
      counter = seen + 1;
    });
    gil.acquire(self.thread);
    Interpreter(gil, self.thread).run(code, {&kEach, 1});
    gil.release(self.thread);
  });
  EXPECT_EQ(std::accumulate(counters.begin(), counters.end(), int64_t{0}), kThreads * kEach);

  int64_t checkpoints = 0;
  for (const auto& member : crew) {
    checkpoints += static_cast<int64_t>(member->slot.acquires) - 1;
    EXPECT_EQ(member->slot.acquires, member->slot.releases);
  }
  int64_t data = 0;
  for (uint32_t piece = 0; piece < kPieces; ++piece) {
    EXPECT_GT(gil.datum(piece), 0) << "piece " << piece << " was never used";
    data += gil.datum(piece);
  }
  EXPECT_EQ(data, checkpoints);
}

TEST(Sharded, ChecksEvery101CountedOpcodesOfEachThread) {
  Sharded gil(kPieces);
  UnderGil threads[2];
  for (UnderGil& self : threads) {
    constexpr int64_t kN = 10'000;
    gil.acquire(self.thread);
    Interpreter(gil, self.thread).run(counting_loop(), {&kN, 1});
    gil.release(self.thread);
    // Like check-interval:100, also for the second thread: its ticker is its own.
    EXPECT_EQ(self.slot.acquires, 2u + (1 + 3 * kN + 2) / 101);
  }
}

TEST(Sharded, LetsSeveralHoldAtOnce) {
  Sharded gil(4096);
  UnderGil first, second;
  gil.acquire(first.thread);
  gil.acquire(second.thread);
  EXPECT_EQ(first.slot.state, GILSCOPE_HOLDING);
  EXPECT_EQ(second.slot.state, GILSCOPE_HOLDING);
  EXPECT_NE(first.thread.piece, second.thread.piece);
  gil.release(second.thread);
  gil.release(first.thread);
}

TEST(Sharded, FailsLessOftenTheMorePiecesThereAre) {
  constexpr int kSteps = 2'000;
  uint64_t failed[2] = {};
  for (int i = 0; i < 2; ++i) {
    Sharded gil(i == 0 ? 1 : kPieces);
    for (const auto& member : run_together(kThreads, [&](UnderGil& self) {
           gil.acquire(self.thread);
           for (int step = 0; step < kSteps; ++step) {
             std::this_thread::yield();  // with the piece held: lets the others find it taken
             gil.checkpoint(self.thread);
           }
           gil.release(self.thread);
         })) {
      failed[i] += member->failed();
    }
  }
  EXPECT_LT(failed[1], failed[0]);
}

}  // namespace
}  // namespace gilscope
