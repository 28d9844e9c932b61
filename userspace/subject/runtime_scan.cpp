#include "userspace/subject/runtime_scan.h"

#include <time.h>

#include <algorithm>
#include <cstring>

#include "userspace/subject/search.h"

namespace gilscope {
namespace {

constexpr uint64_t kMostBytes = uint64_t{64} << 20;
constexpr int kPasses = 25;
constexpr long kBetweenPassesNs = 4'000'000;
constexpr size_t kMostInterpreters = 1024;
// In 3.12's PyInterpreterState.
constexpr uint64_t kNextAt = 0, kIdAt = 8;

uint64_t word_at(std::span<const uint8_t> bytes, size_t at) {
  uint64_t word;
  std::memcpy(&word, bytes.data() + at, sizeof word);
  return word;
}

// One pass; `possible` is the first that may be one.
std::optional<ScannedGil> pass(Look& look, std::span<const MappedRange> ranges,
                               std::optional<ScannedGil>& possible) {
  std::optional<ScannedGil> certain;
  search_memory(
      look.process, ranges, GilLayout::bytes, kMostBytes, [&](uint64_t address, auto piece) {
        for (size_t at = 0; at + GilLayout::bytes <= piece.size(); at += 8) {
          const SeenGil seen = judge_gil(look.process, look.threads, look.glibc,
                                         piece.subspan(at, GilLayout::bytes));
          if (seen.likeness == Likeness::none) continue;
          if (seen.likeness == Likeness::certain) {
            certain = ScannedGil{address + at, seen};
            return true;
          }
          const bool may_be = seen.interval_us == kDefaultIntervalUs && seen.locked >= 0 &&
                              (seen.holder == 0 || look.readable(seen.holder));
          if (!possible && may_be) possible = ScannedGil{address + at, seen};
        }
        return false;
      });
  return certain;
}

// The states of a list of interpreters, which ends at the main one; empty if it is no such list.
std::vector<uint64_t> interpreters_from(const Memory& memory, uint64_t head, uint64_t main) {
  std::vector<uint64_t> states;
  for (uint64_t state = head; states.size() < kMostInterpreters;) {
    const auto next = memory.get<uint64_t>(state + kNextAt);
    const auto id = memory.get<int64_t>(state + kIdAt);
    if (!next || !id || *id < 0 || (*id == 0) != (state == main)) return {};
    states.push_back(state);
    if (state == main) return *next == 0 ? states : std::vector<uint64_t>{};
    state = *next;
  }
  return {};
}

}  // namespace

std::optional<ScannedGil> scan_for_gil(Look& look, std::span<const MappedRange> ranges) {
  std::optional<ScannedGil> possible;
  for (int i = 0; i < kPasses; ++i) {
    if (auto certain = pass(look, ranges, possible)) return certain;
    // Its last holder may be a thread that has ended, until another takes it.
    const timespec pause{0, kBetweenPassesNs};
    ::nanosleep(&pause, nullptr);
    look.threads = look.process.threads();
  }
  return possible;
}

std::vector<ScannedGil> gils_of_sub_interpreters(Look& look, std::span<const MappedRange> runtime,
                                                 uint64_t gil) {
  std::vector<ScannedGil> found;
  const auto in_runtime = [&](uint64_t address) {
    return std::ranges::any_of(runtime, [&](const MappedRange& r) { return r.has(address); });
  };
  const std::vector<uint64_t> pointers = find_word(look.process, runtime, gil);
  search_memory(look.process, runtime, 16, kMostBytes, [&](uint64_t, auto piece) {
    for (size_t at = 0; at + 16 <= piece.size(); at += 8) {
      // struct pyinterpreters {mutex, head, main, next_id}
      const uint64_t head = word_at(piece, at), main = word_at(piece, at + 8);
      if (head == 0 || head % 8 != 0 || !in_runtime(main) || main >= gil) continue;
      const auto states = interpreters_from(look.process, head, main);
      const auto uses = std::ranges::find_if(pointers, [&](uint64_t p) { return p > main; });
      if (states.empty() || uses == pointers.end()) continue;
      for (const uint64_t state : states) {
        const auto own = look.process.get<uint64_t>(state + (*uses - main));
        if (state == main || !own || *own == gil) continue;
        const SeenGil seen = look_at_gil(look, *own, 1);
        if (seen.likeness != Likeness::none) found.push_back({*own, seen});
      }
      return true;
    }
    return false;
  });
  return found;
}

}  // namespace gilscope
