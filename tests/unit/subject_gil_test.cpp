// The finder on bytes that may be a GIL, and on CPython's own table of offsets.
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <vector>

#include "tests/unit/memory_image.h"
#include "userspace/subject/condition_gil.h"
#include "userspace/subject/debug_offsets.h"
#include "userspace/subject/python2.h"
#include "userspace/subject/ruby_layout.h"
#include "userspace/subject/search.h"
#include "userspace/subject/semaphore_looks.h"
#include "userspace/subject/thread_block.h"

namespace gilscope {
namespace {

constexpr uint64_t kStart = 0x7f0000000000;
constexpr uint64_t kGil = kStart + 0x100, kState = kStart + 0x1000, kBlock = kStart + 0x2000;
constexpr uint16_t kThreadIdAt = 152;
const std::vector<ProcessThread> kThreads = {{1234, 12, "python3"}, {1235, 13, "other"}};
const Glibc kOld{2, 36}, kNew{2, 41};

// A GIL that thread 1234 holds, its thread state, and its control block of glibc's.
MemoryImage process(const Glibc& glibc = kOld) {
  MemoryImage memory(kStart, 0x3000);
  memory.put<uint64_t>(kGil + GilLayout::interval, 5000);
  memory.put<uint64_t>(kGil + GilLayout::holder, kState);
  memory.put<int32_t>(kGil + GilLayout::locked, 1);
  memory.put<uint64_t>(kGil + GilLayout::number, 77);
  memory.put<uint64_t>(kGil + GilLayout::condition, 40);      // waits
  memory.put<uint64_t>(kGil + GilLayout::condition + 8, 38);  // of the older group
  memory.put<uint32_t>(kGil + GilLayout::condition + glibc.signals_at() - 4, 1 << 3 | 2);
  memory.put<uint64_t>(kState + kThreadIdAt, kBlock);
  memory.put<uint64_t>(kBlock, kBlock);
  memory.put<uint64_t>(kBlock + 16, kBlock);
  memory.put<int32_t>(kBlock + 720, 12);
  return memory;
}

SeenGil judge(MemoryImage& memory, const Glibc& glibc = kOld) {
  return judge_gil(memory, kThreads, glibc,
                   std::span(memory.bytes()).subspan(kGil - kStart, GilLayout::bytes));
}

TEST(Gil, IsCertainWhereAThreadHoldsIt) {
  for (const Glibc& glibc : {kOld, kNew}) {
    MemoryImage memory = process(glibc);
    const SeenGil seen = judge(memory, glibc);
    EXPECT_EQ(seen.likeness, Likeness::certain);
    EXPECT_EQ(seen.interval_us, 5000U);
    EXPECT_EQ(seen.thread_id_at, kThreadIdAt);
    ASSERT_TRUE(seen.thread);
    EXPECT_EQ(seen.thread->tid, 1234);
    EXPECT_EQ(what_agrees(seen), "interval 5000 us, the holder is thread 1234 ('python3')");
  }
}

TEST(Gil, MayHaveAnyInterval) {
  for (const uint64_t interval : {1U, 1000U, 5001U, 1'000'000'000U}) {
    MemoryImage memory = process();
    memory.put<uint64_t>(kGil + GilLayout::interval, interval);
    EXPECT_EQ(judge(memory).likeness, Likeness::certain) << interval;
  }
}

TEST(Gil, IsPossibleWhereItsHolderIsNoThread) {
  MemoryImage memory = process();
  memory.put<int32_t>(kBlock + 720, 99);  // of a thread that has ended
  EXPECT_EQ(judge(memory).likeness, Likeness::possible);
  memory = process();
  memory.put<uint64_t>(kBlock + 16, kBlock + 8);
  EXPECT_EQ(judge(memory).likeness, Likeness::possible);
  memory = process();
  memory.put<uint64_t>(kGil + GilLayout::holder, 0);
  EXPECT_EQ(judge(memory).likeness, Likeness::possible);
  memory = process();
  memory.put<uint64_t>(kGil + GilLayout::holder, 0x1000000);  // not mapped
  EXPECT_EQ(judge(memory).likeness, Likeness::possible);
}

TEST(Gil, IsNoneWhereAWordContradicts) {
  const std::vector<std::pair<uint64_t, uint64_t>> words = {
      {GilLayout::interval, 0},
      {GilLayout::interval, 1'000'000'001},
      {GilLayout::holder, kState + 4},
      {GilLayout::locked, 2},
      {GilLayout::locked, 0xfffffffe},
      {GilLayout::number, uint64_t{1} << 48},
      {GilLayout::condition, uint64_t{1} << 50},
      {GilLayout::condition + 8, 44},                  // more than waits were begun
      {GilLayout::condition + 32, uint64_t{1} << 32},  // shared with other processes
      {GilLayout::mutex, 3},
      {GilLayout::mutex + 16, 1},  // a recursive one
      {GilLayout::mutex + 24, 8},
      {GilLayout::switch_condition + 8, 2},
      {GilLayout::switch_mutex, uint64_t{5} << 32}};
  for (const auto& [at, word] : words) {
    MemoryImage memory = process();
    memory.put<uint64_t>(kGil + at, word);
    EXPECT_EQ(judge(memory).likeness, Likeness::none) << at << " " << word;
  }
}

TEST(Gil, IsNotInZerosOrAtTheEnd) {
  MemoryImage memory(kStart, 0x3000);
  EXPECT_EQ(judge(memory).likeness, Likeness::none);
  MemoryImage there = process();
  EXPECT_EQ(judge_gil(there, kThreads, kOld,
                      std::span(there.bytes()).subspan(kGil - kStart, GilLayout::bytes - 1))
                .likeness,
            Likeness::none);
}

TEST(ThreadId, IsFoundAtTheEndOfWhatIsMapped) {
  MemoryImage memory(kStart, 0x3000);
  memory.put<uint64_t>(kBlock, kBlock);
  memory.put<uint64_t>(kBlock + 16, kBlock);
  memory.put<int32_t>(kBlock + 720, 13);
  const uint64_t state = kStart + 0x3000 - 128;
  memory.put<uint64_t>(state + 48, kBlock);
  const auto found = find_thread_id(memory, kThreads, state);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->at, 48);
  EXPECT_EQ(found->thread->tid, 1235);
  EXPECT_FALSE(find_thread_id(memory, kThreads, 0));
  EXPECT_FALSE(find_thread_id(memory, kThreads, state + 1));
  EXPECT_FALSE(find_thread_id(memory, kThreads, ~uint64_t{7}));
}

// The table of 3.13.0, and with threads_main that of 3.14 and 3.15.
MemoryImage offsets_of(uint64_t version, bool free_threaded, uint64_t own = 7000) {
  std::vector<uint64_t> words = {version, free_threaded,
                                 600'000, 10,
                                 632,  // runtime
                                 400'000, 8,
                                 16,      24};       // interpreter
  if (version >> 16 >= 0x030e) words.push_back(32);  // threads_main
  for (const uint64_t word :
       {uint64_t{40}, uint64_t{48}, uint64_t{56}, uint64_t{64}, uint64_t{72}, own, uint64_t{0},
        own + (free_threaded ? 24 : 16), own + (free_threaded ? 16 : 8)}) {
    words.push_back(word);
  }
  MemoryImage memory(kStart, 1024);
  std::memcpy(memory.bytes().data(), "xdebugpy", 8);
  for (size_t i = 0; i < words.size(); ++i) memory.put<uint64_t>(kStart + 8 + i * 8, words[i]);
  return memory;
}

TEST(DebugOffsets, AreThoseOfEachVersion) {
  for (const uint64_t version : {0x030d00f0, 0x030d0bf0, 0x030e00f0, 0x030f00a1}) {
    for (const bool free_threaded : {false, true}) {
      const auto offsets = read_debug_offsets(offsets_of(version, free_threaded), kStart);
      ASSERT_TRUE(offsets) << version;
      EXPECT_EQ(offsets->major, 3);
      EXPECT_EQ(static_cast<uint64_t>(offsets->minor), version >> 16 & 0xff);
      EXPECT_EQ(offsets->free_threaded, free_threaded);
      EXPECT_EQ(offsets->interpreters_head, 632U);
      EXPECT_EQ(offsets->id, 8U);
      EXPECT_EQ(offsets->next, 16U);
      EXPECT_EQ(offsets->threads_head, 24U);
      EXPECT_EQ(offsets->ceval_gil, 72U);
      EXPECT_EQ(offsets->gil_enabled, 0U);
      EXPECT_EQ(offsets->gil_holder, free_threaded ? 16U : 8U);
    }
  }
}

TEST(DebugOffsets, AreRefusedWhereTheyContradictThemselves) {
  EXPECT_FALSE(read_debug_offsets(offsets_of(0x030c00f0, false), kStart));
  EXPECT_FALSE(read_debug_offsets(offsets_of(0x031000f0, false), kStart));
  EXPECT_FALSE(read_debug_offsets(offsets_of(0x030d00f0, false), kStart + 8));
  EXPECT_FALSE(read_debug_offsets(offsets_of(0x030d00f0, false), kStart + 1000));
  MemoryImage memory = offsets_of(0x030d00f0, false);
  memory.put<uint64_t>(kStart + 8 + 4 * 8, uint64_t{1} << 40);  // interpreters_head
  EXPECT_FALSE(read_debug_offsets(memory, kStart));
  memory = offsets_of(0x030d00f0, false);
  memory.put<uint64_t>(kStart + 8 + 17 * 8, 6000);  // the holder before the structure
  EXPECT_FALSE(read_debug_offsets(memory, kStart));
}

TEST(Semaphore, IsTakenOrFree) {
  std::array<uint8_t, 32> bytes{};
  EXPECT_TRUE(can_be_lock(bytes));
  bytes[0] = 1;
  bytes[4] = 3;  // who wait
  EXPECT_TRUE(can_be_lock(bytes));
  bytes[0] = 2;
  EXPECT_FALSE(can_be_lock(bytes));
  bytes = {};
  bytes[8] = 128;  // shared with other processes
  EXPECT_FALSE(can_be_lock(bytes));
}

SemaphoreLooks looks_at(int times, std::vector<std::array<bool, 3>> looks) {
  SemaphoreLooks seen;
  for (int i = 0; i < times; ++i) {
    for (const auto& [free, before, after] : looks) seen.add(free, before, after);
  }
  return seen;
}

TEST(SemaphoreLooks, CanBeOfTheGilWhereItIsTakenByTheCurrentThread) {
  // Most of the time free, or never seen free without a change of the current state.
  EXPECT_TRUE(looks_at(5, {{false, true, true}, {true, false, false}}).can_be_gil());
  EXPECT_TRUE(looks_at(5, {{false, true, true}, {true, true, false}}).can_be_gil());
  EXPECT_FALSE(looks_at(4, {{false, true, true}, {true, false, false}}).can_be_gil());
  // Wrong now and then: it was given up and taken again between two reads.
  SemaphoreLooks seen = looks_at(15, {{false, true, true}});
  EXPECT_EQ(seen.taken_share(), 1);
  for (int i = 0; i < 4; ++i) seen.add(true, true, true);
  EXPECT_FALSE(seen.can_be_gil()) << "too seldom free";
  seen.add(true, true, true);
  EXPECT_EQ(seen.taken_share(), 0.75);
  EXPECT_TRUE(seen.can_be_gil());
  seen.add(true, true, true);
  EXPECT_FALSE(seen.can_be_gil());
}

TEST(SemaphoreLooks, CannotBeOfTheGilWhereItIsFreeBesideACurrentThread) {
  // One that threads take while they have the GIL, for a moment.
  EXPECT_FALSE(
      looks_at(10, {{true, true, true}, {false, true, true}, {true, false, false}}).can_be_gil());
  // One that never changes, and one at which nobody was current.
  EXPECT_FALSE(looks_at(10, {{true, true, true}, {true, false, false}}).can_be_gil());
  EXPECT_FALSE(looks_at(10, {{false, true, true}, {false, false, false}}).can_be_gil());
  EXPECT_FALSE(looks_at(10, {{false, false, true}, {true, false, false}}).can_be_gil());
  EXPECT_EQ(SemaphoreLooks().taken_share(), 0);
}

TEST(Search, FindsWhatLiesAcrossPieces) {
  constexpr size_t kMegabyte = 1 << 20;
  MemoryImage memory(kStart, 3 * kMegabyte);
  MappedRange range;
  range.start = kStart;
  range.end = kStart + 3 * kMegabyte;
  memory.put<uint64_t>(kStart + kMegabyte - 8, 42);
  memory.put<uint64_t>(kStart + 2 * kMegabyte, 42);
  EXPECT_EQ(find_word(memory, std::span(&range, 1), 42),
            (std::vector<uint64_t>{kStart + kMegabyte - 8, kStart + 2 * kMegabyte}));
  EXPECT_EQ(find_word(memory, std::span(&range, 1), 42, 1).size(), 1U);
  const std::string text = "across";
  std::copy(text.begin(), text.end(), memory.bytes().begin() + kMegabyte - 3);
  bool found = false;
  search_memory(memory, std::span(&range, 1), 8, 3 * kMegabyte, [&](uint64_t, auto piece) {
    found |=
        std::string_view(reinterpret_cast<const char*>(piece.data()), piece.size()).find(text) !=
        std::string_view::npos;
    return false;
  });
  EXPECT_TRUE(found);
}

// Whatever a process has in its memory, nothing but an answer comes of looking at it.
TEST(Finder, SurvivesAnyMemory) {
  std::mt19937_64 random(3);
  const LanguageVersion old{3, 1, "3.1.2"}, newer{3, 3, "3.3.8"};
  for (int i = 0; i < 300; ++i) {
    MemoryImage memory(kStart, 0x2000);
    for (uint64_t at = 0; at < 0x2000; at += 8) {
      // Pointers into itself, small numbers, and anything.
      const uint64_t word = random() % 3 == 0   ? kStart + (random() % 0x2000 & ~uint64_t{7})
                            : random() % 2 == 0 ? random() % 3
                                                : random();
      memory.put<uint64_t>(kStart + at, word);
    }
    for (uint64_t at = 0; at + GilLayout::bytes <= 0x2000; at += 64) {
      judge_gil(memory, kThreads, kOld, std::span(memory.bytes()).subspan(at, GilLayout::bytes));
      read_debug_offsets(memory, kStart + at);
      find_thread_id(memory, kThreads, kStart + at);
      if (const auto vm = ruby_vm_at(memory, kStart + at)) {
        ruby_ractors(memory, *vm);
        for (const LanguageVersion& version : {old, newer}) {
          ruby_lock_in(memory, kOld, *vm, version, vm->main_ractor);
          ruby_thread_at(memory, kOld, kThreads, version, vm->main_thread);
        }
      }
    }
  }
}

}  // namespace
}  // namespace gilscope
