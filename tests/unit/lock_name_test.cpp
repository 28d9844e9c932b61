// How --lock names a lock, and what its words must be.
#include "userspace/subject/lock_name.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "userspace/subject/lock_words.h"
#include "userspace/subject/observe.h"

namespace gilscope {
namespace {

TEST(LockName, TakesASymbolAnAddressOrAuto) {
  const auto symbol = parse_lock("mutex@LOCK_open");
  ASSERT_TRUE(symbol);
  EXPECT_EQ(symbol->kind, "mutex");
  EXPECT_EQ(symbol->symbol, "LOCK_open");
  EXPECT_EQ(symbol->object, "");
  EXPECT_EQ(symbol->offset, 0u);

  const auto all = parse_lock("rwlock@/usr/lib/libx.so.1:table+0x98");
  ASSERT_TRUE(all);
  EXPECT_EQ(all->kind, "rwlock");
  EXPECT_EQ(all->object, "/usr/lib/libx.so.1");
  EXPECT_EQ(all->symbol, "table");
  EXPECT_EQ(all->offset, 0x98u);
  EXPECT_EQ(all->gil_kind(), GILSCOPE_LOCK_RWLOCK);

  const auto address = parse_lock("cond@0x55d0c0ffee00");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->address, 0x55d0c0ffee00u);
  EXPECT_EQ(address->type(), "pthread_cond_t");

  const auto automatic = parse_lock("mutex:auto");
  ASSERT_TRUE(automatic);
  EXPECT_TRUE(automatic->automatic);
}

TEST(LockName, RefusesTheRestInOneLine) {
  for (const char* text :
       {"", "mutex", "mutex@", "spin@x", "mutex:", "mutex:most", "mutex@0x", "mutex@0xg",
        "mutex@0x1 ", "mutex@:x", "mutex@x+", "mutex@x+y", "mutex@x y", "mutex@x+99999999999999",
        "@x", "MUTEX@x", "mutex@0x12345678901234567"}) {
    const auto parsed = parse_lock(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, Exit::error) << text;
    EXPECT_NE(parsed.error().message.find("mutex@SYMBOL"), std::string::npos) << text;
    EXPECT_EQ(parsed.error().message.find('\n'), std::string::npos) << text;
  }
  EXPECT_NE(parse_lock("mutex@0x1001").error().message.find("multiple of 8"), std::string::npos);
  EXPECT_NE(parse_lock("mutex@a::b").error().message.find("nm"), std::string::npos);
  EXPECT_NE(parse_lock("rwlock:auto").error().message.find("mutex:auto"), std::string::npos);
}

class LockWords : public ::testing::Test {
 protected:
  std::string judged(const std::string& lock, const std::array<uint32_t, 14>& words) {
    std::array<uint8_t, kMostLockBytes> bytes;
    std::memcpy(bytes.data(), words.data(), sizeof words);
    const auto seen = judge_lock(*parse_lock(lock + "@x"), bytes, Glibc{2, 36});
    if (!seen) return "no: " + seen.error().message;
    return seen->sort + (seen->held ? ", held by " + std::to_string(seen->owner) : "");
  }
};

TEST_F(LockWords, NameEachSortOfMutex) {
  EXPECT_EQ(judged("mutex", {}), "a normal mutex");
  EXPECT_EQ(judged("mutex", {2, 0, 77, 1, 3}), "an adaptive mutex, held by 77");
  EXPECT_EQ(judged("mutex", {1, 5, 77, 1, 1}), "a recursive mutex, held by 77");
  EXPECT_EQ(judged("mutex", {0, 0, 0, 0, 2}), "an error-checking mutex");
  EXPECT_EQ(judged("mutex", {0, 0, 0, 0, 0x80}), "a normal mutex shared between processes");
  EXPECT_EQ(judged("mutex", {77, 0, 77, 1, 0x10, 0, 9, 9}), "a normal, robust mutex, held by 77");
  EXPECT_EQ(judged("mutex", {0, 0, 0, 0, 0x20}), "a normal, priority-inheriting mutex");
}

TEST_F(LockWords, SayWhatIsNoMutexOrCannotBeFollowed) {
  EXPECT_NE(judged("mutex", {0, 0, 0, 0, ~0u}).find("destroyed"), std::string::npos);
  EXPECT_NE(judged("mutex", {0, 0, 0, 0, 0x40}).find("priority-protected"), std::string::npos);
  EXPECT_NE(judged("mutex", {17}).find("no pthread_mutex_t"), std::string::npos);
  EXPECT_NE(judged("mutex", {0, 0, 0, 0, 0x1000}).find("kind"), std::string::npos);
  EXPECT_NE(judged("mutex", {0, 0, 0, 0, 0, 0, 1}).find("no pthread_mutex_t"), std::string::npos);
  EXPECT_NE(judged("rwlock", {0, 0, 0, 0, 1}).find("no pthread_rwlock_t"), std::string::npos);
  EXPECT_NE(judged("cond", {4, 0, 8, 0}).find("no pthread_cond_t"), std::string::npos);
}

TEST_F(LockWords, KnowRwlocksAndConditions) {
  EXPECT_EQ(judged("rwlock", {3, 0, 0, 0, 0, 0, 77, 0}), "an rwlock, held by 77");
  EXPECT_EQ(judged("rwlock", {1 << 3, 0, 0, 0, 0, 0, 0, 1}),
            "an rwlock shared between processes, held by 0");
  EXPECT_EQ(judged("cond", {6, 0, 2, 0}), "a condition");
}

TEST(FutexWait, IsOneForAMutexByItsValueOrCall) {
  const auto as_mutex = [](const char* text) {
    const auto wait = parse_futex_wait(text);
    return wait && wait->as_mutex;
  };
  EXPECT_TRUE(as_mutex("202 0x7f00 0x80 0x2 0x0 0x0 0x0 0x0 0x0"));
  EXPECT_TRUE(as_mutex("202 0x7f00 0x86 0x0 0x0 0x0 0x0 0x0 0x0"));         // FUTEX_LOCK_PI
  EXPECT_TRUE(as_mutex("202 0x7f00 0x80 0x8000004d 0x0 0x0 0x0 0x0 0x0"));  // a robust one
  EXPECT_FALSE(as_mutex("202 0x7f00 0x189 0x0 0x0 0x0 0xffffffff 0x0 0x0"));
  EXPECT_FALSE(as_mutex("202 0x7f00 0x80 0x1 0x0 0x0 0x0 0x0 0x0"));
}

}  // namespace
}  // namespace gilscope
