// The shared libraries that the running program needs, compared with the kernel's mappings.
#include "userspace/machine/features/shared_libraries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace gilscope {
namespace {

TEST(SharedLibraries, AreNamedWhereTheProgramIsDynamic) {
  std::ifstream file("/proc/self/maps");
  const std::string maps{std::istreambuf_iterator<char>(file), {}};
  const auto libraries = shared_libraries();
  // The file of another library may have a longer name than the one requested.
  const bool dynamic = maps.find("/libc.so.6\n") != std::string::npos;
  EXPECT_EQ(dynamic, !libraries.empty());
  if (dynamic) {
    EXPECT_THAT(libraries, testing::Contains("libc.so.6"));
    EXPECT_THAT(libraries, testing::Contains(testing::StartsWith("ld-linux")));
  }
  EXPECT_THAT(libraries, testing::Not(testing::Contains("unit_tests")));
}

}  // namespace
}  // namespace gilscope
