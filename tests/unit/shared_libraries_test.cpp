// Which shared libraries the running program needs, held against what the kernel has mapped.
#include "userspace/experiment/shared_libraries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace gilscope {
namespace {

TEST(SharedLibraries, AreThoseThatAreMapped) {
  std::ifstream file("/proc/self/maps");
  const std::string maps{std::istreambuf_iterator<char>(file), {}};
  const auto libraries = shared_libraries();
  for (const std::string& library : libraries) {
    EXPECT_THAT(maps, testing::HasSubstr("/" + library + "\n"));
  }
  const bool dynamic = maps.find("/libc.so.6\n") != std::string::npos;
  EXPECT_EQ(dynamic, !libraries.empty());
  if (dynamic) {
    EXPECT_THAT(libraries, testing::Contains("libc.so.6"));
  }
}

}  // namespace
}  // namespace gilscope
