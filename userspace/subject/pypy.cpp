#include "userspace/subject/pypy.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "userspace/base/quote.h"
#include "userspace/subject/observe.h"
#include "userspace/subject/thread_block.h"

namespace gilscope {
namespace {

// rpython/translator/c/src/thread_gil.c: rpy_fastgil, mutex_gil {locked, mutex, condition} and
// mutex_gil_stealer are static variables, which lie within that many bytes of each other.
constexpr uint64_t kNear = 256;
constexpr uint64_t kMutexBefore = GILSCOPE_MUTEX_BYTES;
constexpr uint64_t kLockedBefore = kMutexBefore + 8;
constexpr int kLooks = 2000;

bool is_condition(const Look& look, uint64_t address) {
  std::array<uint8_t, GILSCOPE_CONDITION_BYTES> bytes;
  return look.process.read(address, bytes.data(), bytes.size()) &&
         can_be_condition(bytes, look.glibc);
}

bool is_mutex(const Look& look, uint64_t address) {
  std::array<uint8_t, GILSCOPE_MUTEX_BYTES> bytes;
  return look.process.read(address, bytes.data(), bytes.size()) && can_be_mutex(bytes);
}

struct Fast {
  uint64_t address = 0;
  const ProcessThread* thread = nullptr;  // the last that was seen to have it
};

// The word near the condition that names one thread of the process and then another.
std::optional<Fast> find_fast_gil(const Look& look, uint64_t condition) {
  std::array<std::set<const ProcessThread*>, 2 * kNear / 8> holders;
  for (int i = 0; i < kLooks; ++i) {
    std::array<uint64_t, 2 * kNear / 8> words;
    if (!look.process.read(condition - kNear, words.data(), sizeof words)) return std::nullopt;
    for (size_t at = 0; at < words.size(); ++at) {
      const ProcessThread* thread = thread_of(look.process, look.threads, words[at]);
      if (!thread) continue;
      holders[at].insert(thread);
      if (holders[at].size() > 1) return Fast{condition - kNear + at * 8, thread};
    }
    const timespec pause{0, 200'000};
    ::nanosleep(&pause, nullptr);
  }
  return std::nullopt;
}

// The mutex in which those wait who are not the first: where threads sleep without a time-out.
uint64_t find_stealers(const Look& look, uint64_t condition, uint64_t fast,
                       const std::vector<SeenFutex>& futexes) {
  for (const SeenFutex& futex : futexes) {
    const bool is_near = futex.address - (condition - kNear) < 2 * kNear;
    if (is_near && futex.timed == 0 && futex.address != condition - kMutexBefore &&
        futex.address % 8 == 0 && is_mutex(look, futex.address)) {
      return futex.address;
    }
  }
  // Nobody is there while only two threads contend. Where the others lie as in PyPy's own builds
  // and Debian's, so does it.
  const uint64_t behind = condition + GILSCOPE_CONDITION_BYTES;
  return fast + 72 == condition && is_mutex(look, behind) ? behind : 0;
}

std::optional<GilPlace> around_wait(const Look& look, const SeenFutex& seen,
                                    const std::vector<SeenFutex>& futexes) {
  // A condition is aligned to 8 bytes, and the second group of its waiters to 4.
  const uint64_t condition = seen.address - seen.address % 8 - look.glibc.signals_at();
  const auto locked = look.process.get<uint64_t>(condition - kLockedBefore);
  if (!locked || (*locked & 0xff) > 1 || !is_condition(look, condition) ||
      !is_mutex(look, condition - kMutexBefore)) {
    return std::nullopt;
  }
  const auto fast = find_fast_gil(look, condition);
  if (!fast) return std::nullopt;
  GilPlace place;
  gilscope_gil& gil = place.gil;
  gil.kind = GILSCOPE_GIL_FAST;
  gil.signals_at = look.glibc.signals_at();
  gil.condition = condition;
  gil.mutex = find_stealers(look, condition, fast->address, futexes);
  gil.words = fast->address;
  gil.words_bytes = 8;
  gil.holder_at = 0;
  gil.interval_at = gil.locked_at = gil.number_at = gil.waits_at = GILSCOPE_NOWHERE;
  gil.native_at = gil.ticks_at = gil.node_at = GILSCOPE_NOWHERE;
  const auto [first, last] = std::minmax({fast->address, condition});
  if (last - first + 8 <= GILSCOPE_WORDS_BYTES) {
    gil.words = first;
    gil.words_bytes = static_cast<uint16_t>(last - first + 8);
    gil.holder_at = static_cast<uint16_t>(fast->address - first);
    gil.waits_at = static_cast<uint16_t>(condition - first);
  }
  gil.condition_at = gil.state_at = GILSCOPE_NOWHERE;
  place.object = look.object.path;
  place.offset = fast->address - look.object.start();
  place.found_by = "observation";
  place.confirmed_by = fmt::format(
      "threads were seen to have it, one of them thread {} ({}); {} of {} threads were seen to "
      "sleep "
      "for it",
      fast->thread->tid, in_quotes(fast->thread->name), seen.threads.size(), look.threads.size());
  return place;
}

}  // namespace

Status find_pypy(Look& look, Subject& subject) {
  constexpr uint32_t kEnough = 3;
  std::optional<GilPlace> found;
  std::set<uint64_t> others;
  const int ms = look.options.observation ? look.options.observe_ms : 0;
  watch_futexes(look.process, ms, [&](const std::vector<SeenFutex>& futexes) {
    for (const SeenFutex& futex : futexes) {
      if (futex.timed < kEnough || !look.object.is_in_data(futex.address) ||
          others.contains(futex.address)) {
        continue;
      }
      look.threads = look.process.threads();
      found = around_wait(look, futex, futexes);
      if (found) return true;
      others.insert(futex.address);
    }
    return false;
  });
  if (found) {
    subject.gils.push_back(std::move(*found));
    return {};
  }
  return fail(
      fmt::format("cannot find the GIL of {}, PyPy {}: it has no symbol, and {}; try again "
                  "while two threads contend",
                  shown_process(look.process.pid(), look.process.executable()), subject.version,
                  look.threads.size() > 1 ? "no threads were seen to contend for it"
                                          : "its only thread contends with nobody"));
}

}  // namespace gilscope
