// The progress line fits the terminal, however narrow it is.
#include "userspace/experiment/progress_line.h"

#include <gtest/gtest.h>

namespace gilscope {
namespace {

Progress some_progress(size_t run, size_t runs, double left) {
  Progress progress;
  progress.block = 2;
  progress.blocks = 9;
  progress.warmup = true;
  progress.run = run;
  progress.runs = runs;
  progress.seconds_left = left;
  return progress;
}

TEST(ProgressLine, LeavesTheLastColumnFree) {
  for (const Progress& progress : {some_progress(1, 6, 0), some_progress(6, 6, 59),
                                   some_progress(999'999, 1'000'000, 360'000)}) {
    std::string before;
    for (int columns = 0; columns <= 200; ++columns) {
      const std::string line = progress_line(progress, columns);
      EXPECT_TRUE(line.empty() || line.size() < static_cast<size_t>(columns)) << columns << line;
      EXPECT_GE(line.size(), before.size()) << columns << " columns show less than fewer did";
      before = line;
    }
  }
}

TEST(ProgressLine, SaysLessWhereThereIsLessRoom) {
  const Progress progress = some_progress(3, 6, 65);
  EXPECT_EQ(progress_line(progress, 80),
            "[##########..........] block 3/9 (warm-up), run 3/6, 1 min 05 s left");
  EXPECT_EQ(progress_line(progress, 60), "block 3/9 (warm-up), run 3/6, 1 min 05 s left");
  EXPECT_EQ(progress_line(progress, 40), "[#####.....] 3/6, 1 min 05 s left");
  EXPECT_EQ(progress_line(progress, 30), "3/6, 1 min 05 s left");
  EXPECT_EQ(progress_line(progress, 10), "3/6");
  EXPECT_EQ(progress_line(progress, 1), "");
  EXPECT_EQ(progress_line(progress, 0), "");
  EXPECT_EQ(progress_line(progress, -1), "");
}

TEST(ProgressLine, ALineEachBlockHasNoEscapes) {
  const Progress progress = some_progress(3, 6, 3725);
  EXPECT_EQ(block_line(progress, {}), "block 3/9 (warm-up), 1 h 02 min left");
  EXPECT_EQ(block_line(progress, 30), "block 3/9, 1 h 02 min left");
  EXPECT_EQ(block_line(progress, 20), "3/9, 1 h 02 min left");
  EXPECT_EQ(block_line(progress, 10), "3/9");
  EXPECT_EQ(block_line(progress, 1), "");
}

}  // namespace
}  // namespace gilscope
