#include "userspace/report/out_dir.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/unit/temporary_directory.h"

namespace gilscope {
namespace {

TEST(OutDir, TakesTheUnfinishedFirstReportOfAKilledExperiment) {
  TemporaryDirectory directory;
  const std::string out = directory / "out";
  directory.write("out/.report.json.1234.0.tmp", "{");
  {
    const auto opened = OutDir::open(out);
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_FALSE(opened->earlier());
  }
  directory.write("out/notes", "mine");
  const auto refused = OutDir::open(out);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("is not empty and holds no report"), std::string::npos)
      << refused.error().message;
}

TEST(OutDir, IsOneExperimentsAtATime) {
  TemporaryDirectory directory;
  const auto first = OutDir::open(directory / "out");
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_FALSE(OutDir::open(directory / "out"));
}

}  // namespace
}  // namespace gilscope
