// The witness is worth what it says: glibc's own count of waits, and take_gil's entry where it has
// a symbol, agree with the probes that it goes by.
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "tests/interpreters/subjects.h"
#include "tests/interpreters/witness.h"
#include "userspace/base/fd.h"
#include "userspace/subject/subject.h"

namespace gilscope::witness {
namespace {

// How many waits have ever begun, by the first word of glibc's condition.
uint64_t waits_begun(pid_t pid, const gilscope_gil& gil) {
  const Fd memory(::open(fmt::format("/proc/{}/mem", pid).c_str(), O_RDONLY | O_CLOEXEC));
  uint64_t word = 0;
  const auto at = static_cast<off_t>(gil.condition);
  EXPECT_EQ(::pread(memory.get(), &word, sizeof(word), at), ssize_t{sizeof(word)});
  return word >> 1;
}

void expect_truth(const Installed& interpreter) {
  auto at_work = AtWork::start(interpreter, "echo.py", {"3"});
  ASSERT_TRUE(at_work) << at_work.error().message;
  const auto subject = find_subject(at_work->pid());
  // One that is found by watching threads contend is not found at a closed gate.
  if (!subject || subject->gils.front().gil.kind != GILSCOPE_GIL_CONDITION) return;
  const gilscope_gil& gil = subject->gils.front().gil;
  auto witness = GilWitness::attach(at_work->pid(), gil);
  ASSERT_TRUE(witness) << witness.error().message;
  const uint64_t before = waits_begun(at_work->pid(), gil);
  ASSERT_TRUE(at_work->go(0.5));
  ASSERT_TRUE(at_work->done());
  ::usleep(20'000);
  const uint64_t after = waits_begun(at_work->pid(), gil);
  const auto events = witness->end();
  EXPECT_EQ(witness->lost(), 0u);
  const Seen seen = add_up(events, gil, 0, UINT64_MAX);
  EXPECT_GT(seen.waits, 0u);
  EXPECT_EQ(seen.waits, after - before);
  EXPECT_EQ(seen.kinds.sum(), seen.waits);
  // Where a part of its calls was inlined, there are fewer entries than releases.
  const auto count = [&](uint32_t what) {
    return std::ranges::count(events, what, &witness_event::what);
  };
  if (!witness->sees_take_gil() || count(WITNESS_TAKE) < count(WITNESS_SIGNAL)) return;
  EXPECT_EQ(seen.by_take_gil.contended, seen.kinds.contended);
  EXPECT_EQ(seen.by_take_gil.woken_lost, seen.kinds.woken_lost);
  EXPECT_EQ(seen.by_take_gil.timed_out, seen.kinds.timed_out);
}

TEST(GilWitness, AgreesWithTheCondition) {
  for (const Installed& interpreter : installed()) {
    if (!interpreter.name.starts_with("python")) continue;
    SCOPED_TRACE(interpreter.name);
    expect_truth(interpreter);
  }
}

TEST(Interpreters, AreThere) {
  if (!installed().empty()) return;
  if (std::getenv("GILSCOPE_MUST_TRACE"))
    FAIL() << "no interpreter is here: no python3, and none was fetched";
  GTEST_SKIP() << "no interpreter is here: install python3, or run scripts/fetch-interpreters";
}

}  // namespace
}  // namespace gilscope::witness
