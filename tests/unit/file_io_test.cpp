#include "userspace/base/file_io.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "tests/unit/temporary_directory.h"
#include "userspace/base/below.h"

namespace gilscope {
namespace {

class FileIo : public testing::Test {
 protected:
  Fd opened(const std::string& name, int flags = O_RDONLY) const {
    return Fd(open((directory_ / name).c_str(), flags | O_CLOEXEC, 0644));
  }
  std::string text(const std::string& name) const {
    const Fd file = opened(name);
    return read_to_end(file.get(), 1 << 20, "cannot read", "too large").value_or("?");
  }

  TemporaryDirectory directory_;
};

TEST_F(FileIo, CopiesWithTheKernelAndWithoutIt) {
  const std::string bytes = std::string(100'000, 'x') + "end";
  directory_.write("from", bytes);
  const Fd from = opened("from"), to = opened("to", O_WRONLY | O_CREAT);
  EXPECT_EQ(copy_bytes(from.get(), to.get(), bytes.size() + 5, "cannot copy").value_or(0),
            bytes.size())
      << "the count stops at the end of the file";
  EXPECT_EQ(text("to"), bytes);
  // The kernel's copy_file_range does not copy from a pipe.
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const Fd reading(ends[0]);
  {
    const Fd writing(ends[1]);
    ASSERT_TRUE(write_all(writing.get(), "through a pipe", "cannot write"));
  }
  const Fd other = opened("other", O_WRONLY | O_CREAT);
  EXPECT_EQ(copy_bytes(reading.get(), other.get(), 9, "cannot copy").value_or(0), 9u);
  EXPECT_EQ(text("other"), "through a");
}

TEST_F(FileIo, ComparesWholeFiles) {
  std::string bytes(3 << 20, 'x');
  directory_.write("a", bytes);
  directory_.write("same", bytes);
  directory_.write("longer", bytes + "x");
  bytes.back() = 'y';
  directory_.write("last", bytes);
  const Fd a = opened("a");
  EXPECT_TRUE(same_contents(a.get(), opened("same").get(), "cannot read").value());
  EXPECT_FALSE(same_contents(a.get(), opened("longer").get(), "cannot read").value());
  EXPECT_FALSE(same_contents(opened("longer").get(), a.get(), "cannot read").value());
  EXPECT_FALSE(same_contents(a.get(), opened("last").get(), "cannot read").value());
}

TEST_F(FileIo, NoMoreThanAllowedIsRead) {
  directory_.write("a", std::string(1001, 'x'));
  const auto read = read_to_end(opened("a").get(), 1000, "cannot read", "too large");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Exit::no_data);
  EXPECT_EQ(read.error().message, "too large");
}

TEST(Below, OnlyNamesThatLeadDownwards) {
  for (const char* name : {"a", "a/b", "..a/b..", ".a/b"}) EXPECT_TRUE(stays_below(name)) << name;
  for (const char* name :
       {"", "/", "/a", "a/", "a//b", ".", "./a", "..", "../a", "a/..", "a/../b"}) {
    EXPECT_FALSE(stays_below(name)) << name;
  }
  EXPECT_FALSE(stays_below(std::string_view("a\0b", 3)));
}

}  // namespace
}  // namespace gilscope
