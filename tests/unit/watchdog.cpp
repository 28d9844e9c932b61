// A test of locks fails by hanging as often as by a wrong value. The watchdog then ends the program
// and names the test; no test takes nearly that long by itself.
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
    // The program ends whether or not the message can be written.
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
