// The eval loop: the results of its programs, and the places where it checks the eval-breaker word.
#include "userspace/eval/interpreter.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <new>
#include <set>
#include <thread>

#include "tests/every_policy.h"
#include "tests/unit/sanitizers.h"
#include "tests/unit/under_gil.h"
#include "userspace/eval/bytecode.h"
#include "userspace/eval/object.h"
#include "userspace/eval/object_memory.h"
#include "userspace/eval/programs.h"

namespace gilscope {
namespace {

// A GIL whose word is always set, so that it counts the loop's checks.
class Lookout : public Gil {
 public:
  explicit Lookout(Checks checks)
      : checks_(checks), always_(checks == Checks::counted_opcodes ? 0 : 1), word_(always_) {}
  void acquire(GilThread&) override {}
  void release(GilThread&) override {}
  void checkpoint(GilThread&) override {
    ++looks;
    word_ = always_;
  }
  Checks checks() const override { return checks_; }
  std::atomic<int32_t>& breaker(GilThread&) override { return word_; }

  int64_t looks = 0;

 private:
  const Checks checks_;
  const int32_t always_;
  std::atomic<int32_t> word_;
};

class Eval : public testing::TestWithParam<Gil::Checks> {
 protected:
  int64_t run(const Code& code, std::vector<int64_t> arguments) {
    return Interpreter(gil, self.thread).run(code, arguments);
  }
  int64_t looks_of(const Code& code, int64_t n) {
    gil.looks = 0;
    run(code, {n});
    return gil.looks;
  }

  Lookout gil{GetParam()};
  UnderGil self;
};

INSTANTIATE_TEST_SUITE_P(BothChecks, Eval,
                         testing::Values(Gil::Checks::counted_opcodes, Gil::Checks::back_edges),
                         [](const auto& info) {
                           return info.param == Gil::Checks::counted_opcodes ? "counted_opcodes"
                                                                             : "back_edges";
                         });

constexpr int64_t kLargest = std::numeric_limits<int64_t>::max();
constexpr int64_t kSmallest = std::numeric_limits<int64_t>::min();
constexpr int64_t kMany = GILSCOPE_UNDER_TSAN ? 20'000 : 1'000'000;

TEST_P(Eval, CountsDownToZero) {
  for (const int64_t n : {int64_t{0}, int64_t{1}, int64_t{2}, int64_t{1000}, kMany}) {
    EXPECT_EQ(run(counting_loop(), {n}), 0) << n;
  }
}

TEST_P(Eval, LeavesALoopAtOnceThatHasNothingToCount) {
  for (const int64_t n : {int64_t{-1}, kSmallest}) EXPECT_EQ(run(counting_loop(), {n}), n);
}

TEST_P(Eval, CallsTheNativeFunctionOnceAnIteration) {
  int64_t calls = 0;
  const Code code = calling_loop([&calls] { ++calls; });
  for (const int64_t n : {int64_t{0}, int64_t{1}, int64_t{2}, int64_t{12345}}) {
    calls = 0;
    EXPECT_EQ(run(code, {n}), 0);
    EXPECT_EQ(calls, n);
  }
  EXPECT_EQ(run(code, {-5}), -5);
}

TEST_P(Eval, LooksAtTheWordWhereCPythonDoes) {
  constexpr int64_t kStart = 1;
  for (const int64_t n : {0, 1, 1000}) {
    const int64_t counting = looks_of(counting_loop(), n);
    const int64_t calling = looks_of(calling_loop([] {}), n);
    if (GetParam() == Gil::Checks::counted_opcodes) {
      // Wherever 2.7 ends an opcode with DISPATCH: three per iteration, one per call, and three
      // around it.
      EXPECT_EQ(counting, kStart + 3 * n + 3);
      EXPECT_EQ(calling, kStart + 4 * n + 3);
    } else {
      EXPECT_EQ(counting, kStart + n) << "at each jump back";
      EXPECT_EQ(calling, kStart + 2 * n) << "and after each call";
    }
  }
}

TEST_P(Eval, RunsCodeOfAnyShape) {
  using enum Opcode;
  const Code difference{.instructions = {{load_fast, 0},
                                         {load_constant, 1},
                                         {pop_top},
                                         {load_fast, 1},
                                         {inplace_subtract},
                                         {return_value}},
                        .constants = {7, kLargest},
                        .locals = 2,
                        .stack = 2,
                        .natives = {}};
  EXPECT_EQ(run(difference, {44, 2}), 42);
  EXPECT_EQ(run(difference, {44}), 44) << "a missing argument is 0";
  EXPECT_EQ(run(difference, {kLargest, kLargest}), 0);
  EXPECT_EQ(run(difference, {kSmallest + kLargest, -1}), 0);
}

// A comparison by the program itself leaves on the stack what a jump pops.
TEST_P(Eval, JumpsOnlyWhereTheConditionIsFalse) {
  using enum Opcode;
  const auto greater = static_cast<uint8_t>(Comparison::greater);
  const Code larger{.instructions = {{load_fast, 0},
                                     {load_fast, 1},
                                     {compare, greater},
                                     {pop_jump_if_false, 6},
                                     {load_fast, 0},
                                     {return_value},
                                     {load_fast, 1},
                                     {return_value}},
                    .constants = {},
                    .locals = 2,
                    .stack = 2,
                    .natives = {}};
  EXPECT_EQ(run(larger, {3, 2}), 3);
  EXPECT_EQ(run(larger, {2, 3}), 3);
  EXPECT_EQ(run(larger, {3, 3}), 3);
  EXPECT_EQ(run(larger, {kSmallest, kLargest}), kLargest);
}

// The last digit may still receive a carry, so it is left out.
TEST_P(Eval, FindsTheDigitsOfPi) {
  // 03.1415926535 8979323846 2643383279 5028841971 6939937510
  EXPECT_EQ(run(pi_digits(), {9}) / 10, 31'415'926);
  EXPECT_EQ(run(pi_digits(), {20}) / 10, 89'793'238);
  EXPECT_EQ(run(pi_digits(), {50}) / 10, 69'399'375);
}

TEST_P(Eval, ServesUntilNothingIsReceived) {
  int64_t requests = 5, answers = 0;
  const Code code = serving_loop([&] { return requests--; }, [&] { return ++answers; });
  run(code, {});
  EXPECT_EQ(answers, 5);
}

TEST_P(Eval, DividesTowardsTheFloor) {
  using enum Opcode;
  const auto of = [](Opcode opcode) {
    return Code{.instructions = {{load_fast, 0}, {load_fast, 1}, {opcode}, {return_value}},
                .constants = {},
                .locals = 2,
                .stack = 2,
                .natives = {}};
  };
  EXPECT_EQ(run(of(floor_divide), {7, 2}), 3);
  EXPECT_EQ(run(of(floor_divide), {-7, 2}), -4);
  EXPECT_EQ(run(of(modulo), {-7, 2}), 1);
  EXPECT_EQ(run(of(modulo), {7, -2}), -1);
  EXPECT_EQ(run(of(binary_add), {40, 2}), 42);
  EXPECT_EQ(run(of(binary_multiply), {-6, 7}), -42);
}

TEST(EvalThreads, ShareCodeAndNoObject) {
  // Reference counts are not atomic: if two threads' runs shared an object, ThreadSanitizer would
  // report it, and without it the counts would end up wrong.
  const auto gil = make_gil("none");
  const Code code = counting_loop();
  const std::vector<int64_t> constants = code.constants;
  std::atomic<int> right{0};
  run_together(4, [&](UnderGil& self) {
    const int64_t n = kMany / 10;
    right += Interpreter(**gil, self.thread).run(code, {&n, 1}) == 0;
  });
  EXPECT_EQ(right, 4);
  EXPECT_EQ(code.constants, constants);
}

TEST(EvalPolicies, ComputeTheSame) {
  for (const std::string& policy : every_policy()) {
    const auto gil = make_gil(policy);
    UnderGil self;
    int64_t calls = 0;
    const int64_t n = 5000;
    (*gil)->acquire(self.thread);
    Interpreter interpreter(**gil, self.thread);
    EXPECT_EQ(interpreter.run(counting_loop(), {&n, 1}), 0) << policy;
    EXPECT_EQ(interpreter.run(calling_loop([&calls] { ++calls; }), {&n, 1}), 0) << policy;
    (*gil)->release(self.thread);
    EXPECT_EQ(calls, n) << policy;
  }
}

TEST_P(Eval, LeavesNoObjectBehind) {
  const auto programs = {counting_loop(), pi_digits(), calling_loop([] {}),
                         serving_loop([n = 3]() mutable { return n--; }, [] { return 1; })};
  const size_t before = object_memory::blocks_in_use();
  for (const Code& code : programs) {
    run(code, {20});
    EXPECT_EQ(object_memory::blocks_in_use(), before);
  }
}

TEST(ObjectMemory, HasASizeForEachRequest) {
  using namespace object_memory;
  for (size_t bytes = 0; bytes < 5000; ++bytes) {
    const int index = size_index(bytes);
    EXPECT_GE(block_bytes(index), bytes);
    if (index > 0) {
      EXPECT_LT(block_bytes(index - 1), bytes) << "a smaller block would have sufficed";
    }
  }
}

TEST(ObjectMemory, TakesAgainWhatWasGivenLast) {
  for (const size_t bytes : {size_t{1}, size_t{24}, size_t{33}, size_t{4000}, size_t{200'000}}) {
    void* first = take_block(bytes);
    void* second = take_block(bytes);
    EXPECT_NE(first, second);
    memset(first, 1, bytes);
    memset(second, 2, bytes);
    give_block(first, bytes);
    give_block(second, bytes);
    EXPECT_EQ(take_block(bytes), second);
    EXPECT_EQ(take_block(bytes), first);
    give_block(second, bytes);
    give_block(first, bytes);
  }
}

TEST(ObjectMemory, BlocksOfAllSizesAreApart) {
  struct Taken {
    char* at;
    size_t bytes;
  };
  std::vector<Taken> all;
  const size_t before = object_memory::blocks_in_use();
  for (size_t i = 0; i < 3000; ++i) {
    const size_t bytes = 1 + i * 37 % 3000;
    all.push_back({static_cast<char*>(take_block(bytes)), bytes});
    memset(all.back().at, int(i % 251), bytes);
  }
  EXPECT_EQ(object_memory::blocks_in_use(), before + all.size());
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(size_t(std::count(all[i].at, all[i].at + all[i].bytes, char(i % 251))), all[i].bytes);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(all[i].at) % 16, 0u);
    give_block(all[i].at, all[i].bytes);
  }
  EXPECT_EQ(object_memory::blocks_in_use(), before);
}

// One thread makes objects, another drops them, and both end: the memory serves the next threads
// and does not grow.
TEST(ObjectMemory, OfThreadsThatHaveEndedServesTheNext) {
  std::set<Object*> places;
  const auto round = [&places] {
    std::vector<Object*> made;
    std::thread([&made] {
      for (int i = 0; i < 100; ++i) made.push_back(new_integer(i));
    }).join();
    std::thread([&made] {
      Object* own = new_integer(0);
      for (Object* object : made) drop(object);
      drop(own);
    }).join();
    places.insert(made.begin(), made.end());
  };
  round();
  round();
  const size_t after_two = places.size();
  for (int i = 0; i < 50; ++i) round();
  EXPECT_LE(places.size(), after_two + 100) << "52 rounds of 100 objects";
}

// With a limited address space, glibc's allocator has no room for the threads' arenas and would map
// a page for each object. The test runs in its own process because arenas of ended threads, of
// which other tests had many, would be reused.
TEST(ObjectMemoryDeathTest, DoesNotAskTheKernelForEachObject) {
  if (GILSCOPE_UNDER_ASAN || GILSCOPE_UNDER_TSAN)
    GTEST_SKIP() << "the sanitizer's shadow memory needs the address space";
  const auto faults_of_a_thread = [] {
    rlimit limit = {};
    std::ifstream("/proc/self/statm") >> limit.rlim_cur;
    limit.rlim_cur = limit.rlim_cur * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + (40 << 20);
    limit.rlim_max = limit.rlim_cur;
    if (::setrlimit(RLIMIT_AS, &limit) != 0) ::_exit(2);
    long faults = 0;
    std::thread([&faults] {
      const auto gil = make_gil("none");
      UnderGil self;
      const int64_t n = 50'000;
      Interpreter(**gil, self.thread).run(counting_loop(), {&n, 1});
      rusage usage = {};
      ::getrusage(RUSAGE_THREAD, &usage);
      faults = usage.ru_minflt;
    }).join();
    return faults;
  };
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(::_exit(faults_of_a_thread() < 5'000 ? 0 : 1), testing::ExitedWithCode(0), "");
}

TEST(ObjectMemory, SaysWhenMemoryRunsOut) {
  if (GILSCOPE_UNDER_ASAN || GILSCOPE_UNDER_TSAN)
    GTEST_SKIP() << "the sanitizer's shadow memory needs the address space";
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit none = {1, 1};
    ::setrlimit(RLIMIT_AS, &none);
    std::set_new_handler([] { ::_exit(7); });
    for (;;) take_block(1000);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 7);
}

TEST(Objects, AreFreedWithTheirLastReference) {
  const size_t before = object_memory::blocks_in_use();
  Object* number = new_integer(41);  // AddressSanitizer reports a use after free
  EXPECT_EQ(retain(number)->references, 2);
  drop(number);
  EXPECT_EQ(number->references, 1);
  EXPECT_EQ(integer_value(number), 41);
  Object* one = new_integer(1);
  Object* difference = number->type->subtract(number, one);
  EXPECT_EQ(integer_value(difference), 40);
  EXPECT_TRUE(number->type->compare(number, difference, Comparison::greater));
  EXPECT_FALSE(number->type->compare(number, number, Comparison::greater));
  EXPECT_TRUE(number->type->truth(number));
  Object* no = new_boolean(false);
  EXPECT_FALSE(no->type->truth(no));
  EXPECT_EQ(object_memory::blocks_in_use(), before + 4);
  for (Object* object : {number, one, difference, no}) drop(object);
  EXPECT_EQ(object_memory::blocks_in_use(), before);
}

}  // namespace
}  // namespace gilscope
