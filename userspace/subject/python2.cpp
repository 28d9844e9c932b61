#include "userspace/subject/python2.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <set>

#include "userspace/base/quote.h"
#include "userspace/subject/observe.h"
#include "userspace/subject/search.h"
#include "userspace/subject/semaphore_looks.h"
#include "userspace/subject/thread_block.h"

namespace gilscope {
namespace {

constexpr std::string_view kLock = "interpreter_lock";
constexpr std::string_view kCurrent = "_PyThreadState_Current";
// Include/pystate.h of 2.7: tick_counter, gilstate_counter, async_exc, thread_id.
constexpr uint16_t kThreadIdAt = 144;
constexpr uint16_t kTicksBefore = 16;
constexpr long kBetweenLooksNs = 1'000'000;
constexpr uint64_t kMostData = uint64_t{64} << 20;  // bytes of the object's data that are looked at

void wait_a_moment() {
  const timespec pause{0, kBetweenLooksNs};
  ::nanosleep(&pause, nullptr);
}

// The thread to whose state `current` points; none while the GIL is free.
std::optional<FoundThread> look_at_current(Look& look, uint64_t current) {
  for (int i = 0; i < 200; ++i) {
    const auto state = look.process.get<uint64_t>(current);
    if (!state) return std::nullopt;
    if (const auto found = find_thread_id(look.process, look.threads, *state)) return found;
    if (i % 20 == 19) look.threads = look.process.threads();
    wait_a_moment();
  }
  return std::nullopt;
}

bool is_lock(const Look& look, uint64_t address) {
  std::array<uint8_t, GILSCOPE_SEMAPHORE_BYTES> bytes;
  return address % 8 == 0 && look.process.read(address, bytes.data(), bytes.size()) &&
         can_be_lock(bytes);
}

// Without its symbol: the static that points to one thread state and then to another.
std::optional<uint64_t> find_current(Look& look) {
  std::map<uint64_t, std::set<uint64_t>> states;  // of a static
  const auto is_state = [&](uint64_t value) {
    if (value == 0 || value % 16 != 0 || !look.readable(value)) return false;
    const auto thread = look.process.get<uint64_t>(value + kThreadIdAt);
    return thread && thread_of(look.process, look.threads, *thread) != nullptr;
  };
  std::vector<uint64_t> statics;
  for (int i = 0; i < 500; ++i) {
    if (i % 50 == 0) {
      search_memory(look.process, look.object.data, 0, kMostData,
                    [&](uint64_t address, auto piece) {
                      for (size_t at = 0; at + 8 <= piece.size(); at += 8) {
                        uint64_t word;
                        std::memcpy(&word, piece.data() + at, sizeof word);
                        if (is_state(word)) states[address + at].insert(word);
                      }
                      return false;
                    });
    }
    for (auto& [address, seen] : states) {
      const auto word = look.process.get<uint64_t>(address);
      if (word && *word != *seen.begin() && is_state(*word)) seen.insert(*word);
      if (seen.size() > 1) return address;
    }
    wait_a_moment();
  }
  return std::nullopt;
}

GilPlace place_of(const Look& look, uint64_t lock, uint64_t current,
                  const std::optional<FoundThread>& holder) {
  GilPlace place;
  gilscope_gil& gil = place.gil;
  gil.kind = GILSCOPE_GIL_SEMAPHORE;
  gil.signals_at = look.glibc.signals_at();
  gil.condition = lock;
  gil.current = current;
  gil.interval_at = gil.holder_at = gil.locked_at = gil.number_at = gil.waits_at = GILSCOPE_NOWHERE;
  gil.native_at = gil.node_at = GILSCOPE_NOWHERE;
  gil.thread_id_at = holder ? holder->at : kThreadIdAt;
  gil.ticks_at = static_cast<uint16_t>(gil.thread_id_at - kTicksBefore);
  gil.condition_at = gil.state_at = GILSCOPE_NOWHERE;
  place.object = look.object.path;
  if (holder) {
    place.confirmed_by = fmt::format("a semaphore, the current thread state is of thread {} ({})",
                                     holder->thread->tid, in_quotes(holder->thread->name));
  } else {
    place.confirmed_by = "a semaphore";
  }
  return place;
}

// A semaphore to which a static points, and what was seen of it.
struct Candidate {
  uint64_t address = 0;
  uint64_t pointer = 0;  // the static
  SemaphoreLooks looks;
};

std::vector<Candidate> candidate_locks(const Look& look) {
  std::map<uint64_t, uint64_t> pointers;  // by address of the semaphore
  search_memory(look.process, look.object.data, 0, kMostData, [&](uint64_t address, auto piece) {
    for (size_t at = 0; at + 8 <= piece.size(); at += 8) {
      uint64_t word;
      std::memcpy(&word, piece.data() + at, sizeof word);
      if (word == 0 || word % 8 != 0 || pointers.contains(word)) continue;
      if (look.readable(word) && is_lock(look, word)) pointers.emplace(word, address + at);
    }
    return false;
  });
  std::vector<Candidate> found;
  for (const auto& [address, pointer] : pointers) found.push_back({address, pointer, {}});
  return found;
}

void look_once(const Look& look, uint64_t current, Candidate& candidate) {
  const auto before = look.process.get<uint64_t>(current);
  const auto value = look.process.get<uint32_t>(candidate.address);
  const auto after = look.process.get<uint64_t>(current);
  if (before && value && after) candidate.looks.add(*value != 0, *before != 0, *after != 0);
}

// Looks at all of them, and longer at those that change. The GIL, once that is clear.
const Candidate* look_at_all(const Look& look, uint64_t current, std::vector<Candidate>& locks) {
  constexpr size_t kLooks = 100;
  const Candidate* best = nullptr;
  for (Candidate& candidate : locks) {
    for (size_t i = 0; i < 1 + kLooks / locks.size(); ++i) look_once(look, current, candidate);
    if (!candidate.looks.seen_both_ways()) continue;
    for (size_t i = 0; i < kLooks; ++i) look_once(look, current, candidate);
    if (!best || candidate.looks.taken_share() > best->looks.taken_share()) best = &candidate;
  }
  return best && best->looks.can_be_gil() ? best : nullptr;
}

// A semaphore on which several threads sleep without a time-out, and to which a static points.
const Candidate* slept_for(const std::vector<SeenFutex>& futexes,
                           const std::vector<Candidate>& locks) {
  constexpr uint32_t kEnough = 5;
  for (const SeenFutex& futex : futexes) {
    if (futex.times < kEnough || futex.timed != 0 || futex.threads.size() < 2) continue;
    const auto lock = std::ranges::find(locks, futex.address, &Candidate::address);
    if (lock != locks.end()) return &*lock;
  }
  return nullptr;
}

// The semaphore that is taken whenever a thread state is current, or for which threads sleep.
std::optional<GilPlace> observe(Look& look, uint64_t current) {
  std::vector<Candidate> locks = candidate_locks(look);
  std::optional<GilPlace> found;
  watch_futexes(look.process, look.options.observe_ms, [&](const std::vector<SeenFutex>& futexes) {
    const Candidate* changes = look_at_all(look, current, locks);
    const Candidate* lock = changes ? changes : slept_for(futexes, locks);
    if (!lock) return false;
    const auto holder = look_at_current(look, current);
    if (!changes && !holder) return false;
    found = place_of(look, lock->address, current, holder);
    found->offset = lock->pointer - look.object.start();
    found->found_by = "observation";
    found->confirmed_by +=
        changes ? fmt::format(
                      ", a static points to it, it was taken at {} of {} looks at a thread "
                      "that was current",
                      lock->looks.taken_with_current(), lock->looks.with_current())
                : ", a static points to it, threads were seen to sleep for it";
    return true;
  });
  return found;
}

}  // namespace

std::span<const std::string_view> python2_symbols() {
  static constexpr std::array kSymbols{kLock, kCurrent};
  return kSymbols;
}

// sysdeps/nptl/internaltypes.h: struct new_sem {value and waiters, private}.
bool can_be_lock(std::span<const uint8_t, GILSCOPE_SEMAPHORE_BYTES> bytes) {
  uint32_t words[3];
  std::memcpy(words, bytes.data(), sizeof words);
  return words[0] <= 1 && words[1] <= 1 << 20 && words[2] == 0;
}

Status find_python2(Look& look, const LanguageVersion& version, Subject& subject) {
  const std::string shown = fmt::format(
      "{}, CPython {}", shown_process(look.process.pid(), look.process.executable()), version.text);
  const auto symbol = look.object.address_of(kLock);
  auto current = look.object.address_of(kCurrent);
  if (symbol && current) {
    const auto lock = look.process.get<uint64_t>(*symbol);
    if (!lock) return fail(fmt::format("the memory of {} cannot be read", shown));
    if (*lock == 0) {
      return fail(
          fmt::format("{}, has no GIL yet: it makes one when it starts its first thread", shown));
    }
    if (!is_lock(look, *lock)) {
      return fail(fmt::format("the GIL of {}, is no semaphore of glibc's", shown));
    }
    GilPlace place = place_of(look, *lock, *current, look_at_current(look, *current));
    place.symbol = kLock;
    place.found_by = "symbols";
    subject.gils.push_back(std::move(place));
    return {};
  }
  std::optional<GilPlace> place;
  if (look.options.observation && look.threads.size() > 1) {
    if (!current) current = find_current(look);
    if (current) place = observe(look, *current);
  }
  if (place) {
    subject.gils.push_back(std::move(*place));
    return {};
  }
  return fail(
      fmt::format("cannot find the GIL of {}: it has no symbol for it, and {}; try again "
                  "while two threads contend",
                  shown,
                  look.threads.size() > 1 ? "no threads were seen to contend for it"
                                          : "its only thread contends with nobody"));
}

}  // namespace gilscope
