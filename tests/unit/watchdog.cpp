// A test of locks fails by hanging as often as by a wrong value. This ends the program then, and
// says which test it was; no test takes anything near so long by itself.
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

namespace gilscope {
namespace {

constexpr unsigned kSeconds = 900;

class Watchdog : public testing::EmptyTestEventListener {
 private:
  void OnTestStart(const testing::TestInfo& test) override {
    std::snprintf(message, sizeof(message), "\n%s.%s hangs\n", test.test_suite_name(), test.name());
    std::signal(SIGALRM, bark);
    alarm(kSeconds);
  }
  void OnTestEnd(const testing::TestInfo&) override { alarm(0); }

  static void bark(int) {
    // Whether it can be written or not, this is the end.
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, message, std::strlen(message));
    _exit(1);
  }

  static inline char message[256];
};

[[maybe_unused]] const bool kInstalled = [] {
  testing::UnitTest::GetInstance()->listeners().Append(new Watchdog);
  return true;
}();

}  // namespace
}  // namespace gilscope
