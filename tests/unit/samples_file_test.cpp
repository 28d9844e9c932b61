// A run's latencies as a NumPy array, read back byte by byte according to the format's description
// (NEP 1).
#include "userspace/report/samples_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <fstream>
#include <sstream>
#include <vector>

#include "tests/unit/temporary_directory.h"
#include "userspace/base/fd.h"

namespace gilscope {
namespace {

using testing::HasSubstr;

std::string written(const std::vector<SampleRow>& rows) {
  const TemporaryDirectory directory;
  const Fd fd(::open((directory / "").c_str(), O_RDONLY | O_DIRECTORY));
  const Status status = write_samples(fd.get(), "a.npy", rows);
  EXPECT_TRUE(status) << status.error().message;
  std::ifstream in(directory / "a.npy", std::ios::binary);
  return (std::stringstream() << in.rdbuf()).str();
}

TEST(SamplesFile, IsAnArrayOfThreeColumns) {
  const std::vector<SampleRow> rows = {{1, 1'000, 25}, {2, 2'000, 1'234'567'890'123}};
  const std::string file = written(rows);
  ASSERT_GT(file.size(), 10u);
  EXPECT_EQ(file.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  const size_t header = static_cast<unsigned char>(file[8]) +
                        256 * static_cast<size_t>(static_cast<unsigned char>(file[9]));
  EXPECT_EQ((10 + header) % 64, 0u) << "the data are aligned";
  const std::string text = file.substr(10, header);
  EXPECT_THAT(text, HasSubstr("'shape': (2, 3)"));
  EXPECT_THAT(text, HasSubstr("'fortran_order': False"));
  EXPECT_THAT(text, HasSubstr(std::endian::native == std::endian::little ? "'<u8'" : "'>u8'"));
  EXPECT_EQ(text.back(), '\n');
  ASSERT_EQ(file.size(), 10 + header + 2 * 3 * 8);
  uint64_t values[6];
  std::memcpy(values, file.data() + 10 + header, sizeof(values));
  EXPECT_THAT(values, testing::ElementsAre(1, 1'000, 25, 2, 2'000, 1'234'567'890'123));
}

TEST(SamplesFile, MayBeEmpty) {
  EXPECT_THAT(written({}), HasSubstr("'shape': (0, 3)"));
}

TEST(SamplesFile, DoesNotTouchWhatIsThere) {
  const TemporaryDirectory directory;
  directory.write("a.npy", "mine");
  const Fd fd(::open((directory / "").c_str(), O_RDONLY | O_DIRECTORY));
  EXPECT_FALSE(write_samples(fd.get(), "a.npy", {}));
  std::ifstream in(directory / "a.npy");
  EXPECT_EQ((std::stringstream() << in.rdbuf()).str(), "mine");
}

}  // namespace
}  // namespace gilscope
