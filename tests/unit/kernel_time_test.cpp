#include "userspace/base/kernel_time.h"

#include <gtest/gtest.h>

namespace gilscope {
namespace {

TEST(KernelTime, ReadsTheOffsetOfTheMonotonicClock) {
  EXPECT_EQ(
      *parse_timens_offsets("monotonic           0         0\nboottime            5         7\n"),
      0);
  EXPECT_EQ(
      *parse_timens_offsets("monotonic        -100         0\nboottime            0         0\n"),
      -100'000'000'000);
  // -1.5 s: the kernel keeps the nanoseconds positive.
  EXPECT_EQ(*parse_timens_offsets("monotonic          -2 500000000\n"), -1'500'000'000);
  EXPECT_EQ(*parse_timens_offsets("1          86400         1\n"), 86'400'000'000'001);
}

TEST(KernelTime, BelievesNothingElse) {
  for (const char* text :
       {"", "\n", "boottime 0 0\n", "monotonic\n", "monotonic 1\n", "monotonic x 0\n",
        "monotonic 99999999999999999999 0\n", "monotonic 9223372036854775807 0\n"}) {
    EXPECT_FALSE(parse_timens_offsets(text)) << text;
  }
}

}  // namespace
}  // namespace gilscope
