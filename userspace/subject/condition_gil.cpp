#include "userspace/subject/condition_gil.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "userspace/base/quote.h"
#include "userspace/subject/thread_block.h"

namespace gilscope {
namespace {

constexpr long kBetweenLooksNs = 2'000'000;

template <typename T>
T word_at(std::span<const uint8_t> bytes, size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

bool synchronizes(std::span<const uint8_t> bytes, const Glibc& glibc) {
  return can_be_condition(bytes.subspan<GilLayout::condition, GILSCOPE_CONDITION_BYTES>(), glibc) &&
         can_be_mutex(bytes.subspan<GilLayout::mutex, GILSCOPE_MUTEX_BYTES>()) &&
         can_be_condition(bytes.subspan<GilLayout::switch_condition, GILSCOPE_CONDITION_BYTES>(),
                          glibc) &&
         can_be_mutex(bytes.subspan<GilLayout::switch_mutex, GILSCOPE_MUTEX_BYTES>());
}

}  // namespace

SeenGil judge_gil(const Memory& memory, std::span<const ProcessThread> threads, const Glibc& glibc,
                  std::span<const uint8_t> bytes) {
  SeenGil seen;
  if (bytes.size() < GilLayout::bytes) return seen;
  seen.interval_us = word_at<uint64_t>(bytes, GilLayout::interval);
  seen.holder = word_at<uint64_t>(bytes, GilLayout::holder);
  seen.locked = word_at<int32_t>(bytes, GilLayout::locked);
  const auto number = word_at<uint64_t>(bytes, GilLayout::number);
  if (seen.interval_us == 0 || seen.interval_us > GILSCOPE_LONGEST_INTERVAL || seen.locked < -1 ||
      seen.locked > 1 || seen.holder % 8 != 0 || number >= uint64_t{1} << 48 ||
      !synchronizes(bytes, glibc)) {
    return seen;
  }
  const auto holder = find_thread_id(memory, threads, seen.holder);
  if (holder) {
    seen.likeness = Likeness::certain;
    seen.thread_id_at = holder->at;
    seen.thread = holder->thread;
  } else {
    seen.likeness = Likeness::possible;
  }
  return seen;
}

SeenGil look_at_gil(Look& look, uint64_t address, int looks) {
  SeenGil seen;
  for (int i = 0; i < looks; ++i) {
    std::array<uint8_t, GilLayout::bytes> bytes;
    if (!look.process.read(address, bytes.data(), bytes.size())) return {};
    seen = judge_gil(look.process, look.threads, look.glibc, bytes);
    if (seen.likeness == Likeness::certain) return seen;
    // The holder may have started since, or be one that has ended: then another will come.
    const timespec pause{0, kBetweenLooksNs};
    ::nanosleep(&pause, nullptr);
    look.threads = look.process.threads();
  }
  return seen;
}

// Include/pystate.h and Include/cpython/pystate.h of each.
std::optional<uint16_t> known_thread_id_at(const LanguageVersion& version) {
  if (version.major != 3) return std::nullopt;
  switch (version.minor) {
    case 6:
    case 11:
      return 152;
    case 7:
    case 8:
    case 9:
    case 10:
      return 176;
    case 12:
      return 136;
    default:
      return std::nullopt;
  }
}

GilPlace place_of(const Look& look, const LanguageVersion& version, uint64_t address,
                  const SeenGil& seen) {
  GilPlace place;
  gilscope_gil& gil = place.gil;
  gil.kind = GILSCOPE_GIL_CONDITION;
  gil.signals_at = look.glibc.signals_at();
  gil.condition = address + GilLayout::condition;
  gil.mutex = address + GilLayout::mutex;
  gil.switch_condition = address + GilLayout::switch_condition;
  gil.switch_mutex = address + GilLayout::switch_mutex;
  gil.words = address;
  gil.words_bytes = GilLayout::condition + 8;
  gil.interval_at = GilLayout::interval;
  gil.holder_at = GilLayout::holder;
  gil.locked_at = GilLayout::locked;
  gil.number_at = GilLayout::number;
  gil.waits_at = GilLayout::condition;
  gil.thread_id_at = seen.thread_id_at.value_or(known_thread_id_at(version).value_or(0));
  gil.native_at = gil.ticks_at = gil.node_at = GILSCOPE_NOWHERE;
  gil.condition_at = gil.state_at = GILSCOPE_NOWHERE;
  place.object = look.object.path;
  place.confirmed_by = what_agrees(seen);
  place.interval_us = seen.interval_us;
  return place;
}

std::string what_agrees(const SeenGil& seen) {
  std::string text = fmt::format("interval {} us", seen.interval_us);
  if (seen.thread) {
    text += fmt::format(", {} holder is thread {} ({})", seen.locked == 1 ? "the" : "the last",
                        seen.thread->tid, in_quotes(seen.thread->name));
  }
  return text;
}

}  // namespace gilscope
