#include "userspace/subject/static_gil.h"

#include <time.h>

#include <algorithm>
#include <array>

#include "userspace/base/quote.h"
#include "userspace/subject/condition_gil.h"
#include "userspace/subject/thread_block.h"

namespace gilscope {
namespace {

// Addresses; 0: not known.
struct Statics {
  uint64_t condition = 0, mutex = 0, switch_condition = 0, switch_mutex = 0;
  uint64_t holder = 0, number = 0, locked = 0, interval = 0;
};

// Looks until the last holder is a thread of the process, a tenth of a second at most.
std::optional<FoundThread> look_at_holder(Look& look, uint64_t address, int times = 50) {
  for (int i = 0; i < times; ++i) {
    const auto state = look.process.get<uint64_t>(address);
    if (!state) return std::nullopt;
    if (const auto found = find_thread_id(look.process, look.threads, *state)) return found;
    const timespec pause{0, 2'000'000};
    ::nanosleep(&pause, nullptr);
    look.threads = look.process.threads();
  }
  return std::nullopt;
}

GilPlace place_of(const Look& look, const LanguageVersion& version, const Statics& at,
                  const std::optional<FoundThread>& holder) {
  GilPlace place;
  gilscope_gil& gil = place.gil;
  gil.kind = GILSCOPE_GIL_CONDITION;
  gil.signals_at = look.glibc.signals_at();
  gil.condition = at.condition;
  gil.mutex = at.mutex;
  gil.switch_condition = at.switch_condition;
  gil.switch_mutex = at.switch_mutex;
  gil.locked = at.locked;
  const auto [first, last] = std::minmax({at.condition, at.holder, at.number});
  gil.words = first;
  gil.words_bytes = static_cast<uint16_t>(last - first + 8);
  gil.holder_at = static_cast<uint16_t>(at.holder - first);
  gil.number_at = static_cast<uint16_t>(at.number - first);
  gil.waits_at = static_cast<uint16_t>(at.condition - first);
  gil.interval_at = gil.locked_at = GILSCOPE_NOWHERE;
  gil.native_at = gil.ticks_at = gil.node_at = GILSCOPE_NOWHERE;
  gil.thread_id_at = holder ? holder->at : known_thread_id_at(version).value_or(0);
  gil.condition_at = gil.state_at = GILSCOPE_NOWHERE;
  place.object = look.object.path;
  if (holder) {
    place.confirmed_by = fmt::format("the last holder is thread {} ({})", holder->thread->tid,
                                     in_quotes(holder->thread->name));
  }
  return place;
}

bool is_condition(const Look& look, uint64_t address) {
  std::array<uint8_t, GILSCOPE_CONDITION_BYTES> bytes;
  return look.process.read(address, bytes.data(), bytes.size()) &&
         can_be_condition(bytes, look.glibc);
}

bool is_mutex(const Look& look, uint64_t address) {
  std::array<uint8_t, GILSCOPE_MUTEX_BYTES> bytes;
  return look.process.read(address, bytes.data(), bytes.size()) && can_be_mutex(bytes);
}

}  // namespace

Status find_static_gil(Look& look, const LanguageVersion& version, Subject& subject) {
  const auto address = [&](std::string_view name) {
    return look.object.address_of(name).value_or(0);
  };
  const Statics at{address("gil_cond"),        address("gil_mutex"),
                   address("switch_cond"),     address("switch_mutex"),
                   address("gil_last_holder"), address("gil_switch_number"),
                   address("gil_locked"),      address("gil_interval")};
  if (at.condition == 0 || at.mutex == 0 || at.holder == 0 || at.number == 0 || at.locked == 0) {
    return {};
  }
  const auto [first, last] = std::minmax({at.condition, at.holder, at.number});
  if (last - first + 8 > GILSCOPE_WORDS_BYTES) return {};  // no compiler was seen to do so
  const std::string shown = shown_process(look.process.pid(), look.process.executable());
  const auto locked = look.process.get<int32_t>(at.locked);
  if (!locked) return fail(fmt::format("the memory of {} cannot be read", shown));
  if (*locked == -1) {
    return fail(
        fmt::format("{}, CPython {}, has no GIL yet: it makes one when it starts its first "
                    "thread",
                    shown, version.text));
  }
  if (*locked < 0 || *locked > 1 || !is_condition(look, at.condition) ||
      !is_mutex(look, at.mutex)) {
    return fail(
        fmt::format("the symbols of {} lead to no GIL: its file is not the one that runs", shown));
  }
  GilPlace place = place_of(look, version, at, look_at_holder(look, at.holder));
  place.found_by = "symbols";
  place.symbol = "gil_cond";
  place.offset = 0;
  if (at.interval != 0) place.interval_us = look.process.get<uint64_t>(at.interval);
  if (place.interval_us) {
    place.confirmed_by = fmt::format("interval {} us{}{}", *place.interval_us,
                                     place.confirmed_by.empty() ? "" : ", ", place.confirmed_by);
  }
  subject.gils.push_back(std::move(place));
  return {};
}

std::optional<GilPlace> static_gil_at(Look& look, const LanguageVersion& version,
                                      uint64_t condition) {
  Statics at;
  at.condition = condition;
  at.holder = condition + GILSCOPE_CONDITION_BYTES;
  at.number = at.holder + 8;
  const auto holder = look_at_holder(look, at.holder, 1);
  const auto number = look.process.get<uint64_t>(at.number);
  if (!holder || !number || *number >= uint64_t{1} << 48 || !is_condition(look, condition)) {
    return std::nullopt;
  }
  // gcc lays them out so, each at 64 bytes; whether they are there shows.
  at.mutex = condition - 64;
  at.switch_condition = condition - 128;
  at.switch_mutex = condition - 192;
  if (!is_mutex(look, at.mutex)) return std::nullopt;
  if (!is_condition(look, at.switch_condition) || !is_mutex(look, at.switch_mutex)) {
    at.switch_condition = at.switch_mutex = 0;
  }
  GilPlace place = place_of(look, version, at, holder);
  place.offset = condition - look.object.start();
  return place;
}

}  // namespace gilscope
