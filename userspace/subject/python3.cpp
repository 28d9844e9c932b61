#include "userspace/subject/python3.h"

#include <algorithm>
#include <array>

#include "userspace/base/quote.h"
#include "userspace/subject/condition_gil.h"
#include "userspace/subject/debug_offsets.h"
#include "userspace/subject/observe.h"
#include "userspace/subject/runtime_scan.h"
#include "userspace/subject/search.h"
#include "userspace/subject/static_gil.h"
#include "userspace/subject/thread_block.h"

namespace gilscope {
namespace {

constexpr uint64_t kRuntimeAtMost = 1 << 21;  // sizeof(_PyRuntime): 1.5 KB in 3.7, 600 KB in 3.12
constexpr size_t kMostInterpreters = 1024;
constexpr std::string_view kRuntime = "_PyRuntime";

std::string shown(const Look& look) {
  return shown_process(look.process.pid(), look.process.executable());
}

// Where the GIL lies, for a reader.
void say_where(const Look& look, GilPlace& place, uint64_t address, uint64_t runtime) {
  place.symbol = runtime != 0 ? std::string(kRuntime) : "";
  place.offset = address - (runtime != 0 ? runtime : look.object.start());
}

// The states of all interpreters, of which the last is the main one.
std::vector<uint64_t> interpreters(const Look& look, const DebugOffsets& offsets,
                                   uint64_t runtime) {
  std::vector<uint64_t> states;
  auto state = look.process.get<uint64_t>(runtime + offsets.interpreters_head);
  while (state && *state != 0 && states.size() < kMostInterpreters) {
    states.push_back(*state);
    state = look.process.get<uint64_t>(*state + offsets.next);
  }
  return states;
}

// Where threads' ids lie in their states, if none is seen to hold the GIL: any thread of the
// interpreter shows that.
std::optional<FoundThread> any_thread(const Look& look, const DebugOffsets& offsets,
                                      uint64_t interpreter) {
  const auto state = look.process.get<uint64_t>(interpreter + offsets.threads_head);
  return state ? find_thread_id(look.process, look.threads, *state) : std::nullopt;
}

// The GIL that an interpreter uses, by the table that CPython has for tools. `main` is that of the
// main interpreter, in whose threads' states ids lie at the same place.
std::optional<GilPlace> by_offsets(Look& look, const LanguageVersion& version,
                                   const DebugOffsets& offsets, uint64_t gil, uint64_t interpreter,
                                   const GilPlace* main) {
  const uint64_t address = gil + offsets.gil_holder - GilLayout::holder;
  SeenGil seen = look_at_gil(look, address, main ? 1 : kLooksAtGil);
  if (seen.likeness == Likeness::none) return std::nullopt;
  std::string also;
  if (!seen.thread_id_at && main) seen.thread_id_at = main->gil.thread_id_at;
  if (!seen.thread_id_at) {
    const auto found = any_thread(look, offsets, interpreter);
    if (!found) return std::nullopt;
    seen.thread_id_at = found->at;
    also = fmt::format(", thread {} ({}) belongs to it", found->thread->tid,
                       in_quotes(found->thread->name));
  }
  GilPlace place = place_of(look, version, address, seen);
  place.interpreter = interpreter;
  place.found_by = "debug offsets";
  place.confirmed_by = fmt::format("cookie {}, {}{}", kDebugCookie, place.confirmed_by, also);
  return place;
}

Status find_by_offsets(Look& look, const LanguageVersion& version, const DebugOffsets& offsets,
                       uint64_t runtime, bool symbol, Subject& subject) {
  std::vector<uint64_t> states = interpreters(look, offsets, runtime);
  if (states.empty()) {
    return fail(fmt::format("{} has not started its interpreter yet; try again", shown(look)));
  }
  std::ranges::reverse(states);
  uint64_t main_gil = 0;
  for (const uint64_t state : states) {
    const auto gil = look.process.get<uint64_t>(state + offsets.ceval_gil);
    if (!gil || *gil == 0 || *gil == main_gil) continue;
    const bool main = main_gil == 0;
    if (offsets.free_threaded) {
      const auto enabled = look.process.get<int32_t>(*gil + offsets.gil_enabled);
      if (main && enabled && *enabled == 0) {
        subject.has_gil = false;
        return {};
      }
    }
    auto place =
        by_offsets(look, version, offsets, *gil, state, main ? nullptr : &subject.gils.front());
    if (!place) {
      if (!main) continue;
      return fail(
          fmt::format("the GIL of {} is not where CPython {} says that it is: nothing at "
                      "{:#x} confirms it",
                      shown(look), version.text, *gil));
    }
    say_where(look, *place, place->gil.words, symbol ? runtime : 0);
    // An interpreter that was made on the heap lies in no object.
    if (!look.object.is_in_data(place->gil.words)) {
      place->symbol = "";
      place->offset = 0;
    }
    subject.gils.push_back(std::move(*place));
    if (main) main_gil = *gil;
  }
  if (main_gil != 0) return {};
  return fail(fmt::format("{} has not created its GIL yet; try again", shown(look)));
}

// Where 3.13's _PyRuntime begins: with a cookie, which is aligned.
std::optional<uint64_t> find_cookie(const Look& look) {
  uint64_t cookie = 0;
  std::copy_n(kDebugCookie, sizeof cookie, reinterpret_cast<char*>(&cookie));
  const auto found = find_word(look.process, look.object.data, cookie, 1);
  return found.empty() ? std::nullopt : std::optional(found.front());
}

Status find_by_scan(Look& look, const LanguageVersion& version, std::optional<uint64_t> runtime,
                    Subject& subject) {
  std::vector<MappedRange> ranges = look.object.data;
  if (runtime) {
    const uint64_t size = look.object.elf.symbol(kRuntime)->size;
    ranges.assign(1, {});
    ranges[0].start = *runtime;
    ranges[0].end = *runtime + (size == 0 ? kRuntimeAtMost : std::min(size, kRuntimeAtMost));
  }
  const auto found = scan_for_gil(look, ranges);
  if (!found) return {};
  const auto add = [&](const ScannedGil& gil) {
    GilPlace place = place_of(look, version, gil.address, gil.seen);
    place.found_by = "scan";
    say_where(look, place, gil.address, runtime.value_or(0));
    if (!look.object.is_in_data(gil.address)) place.symbol = "", place.offset = 0;
    subject.gils.push_back(std::move(place));
  };
  add(*found);
  if (version.minor == 12) {
    for (const ScannedGil& gil : gils_of_sub_interpreters(look, ranges, found->address)) add(gil);
  }
  return {};
}

// The structure around a condition on which threads wait with a time-out.
std::optional<GilPlace> around_wait(Look& look, const LanguageVersion& version,
                                    const SeenFutex& futex) {
  for (const uint64_t group : {0, 4}) {  // a condition has two groups of waiters
    const uint64_t condition = futex.address - look.glibc.signals_at() - group;
    if (condition % 8 != 0) continue;
    if (version.minor < 7) {
      if (auto place = static_gil_at(look, version, condition)) return place;
      continue;
    }
    const uint64_t address = condition - GilLayout::condition;
    std::array<uint8_t, GilLayout::bytes> bytes;
    if (!look.process.read(address, bytes.data(), bytes.size())) continue;
    const SeenGil seen = judge_gil(look.process, look.threads, look.glibc, bytes);
    if (seen.likeness != Likeness::certain) continue;
    GilPlace place = place_of(look, version, address, seen);
    if (look.object.is_in_data(address)) say_where(look, place, address, 0);
    return place;
  }
  return std::nullopt;
}

Status find_by_observation(Look& look, const LanguageVersion& version, Subject& subject) {
  constexpr uint32_t kEnough = 5;
  std::optional<GilPlace> found;
  watch_futexes(look.process, look.options.observe_ms, [&](const std::vector<SeenFutex>& futexes) {
    for (const SeenFutex& futex : futexes) {
      if (futex.timed < kEnough) continue;
      found = around_wait(look, version, futex);
      if (!found) continue;
      found->found_by = "observation";
      found->confirmed_by += fmt::format(", {} of {} threads were seen to sleep for it",
                                         futex.threads.size(), look.threads.size());
      return true;
    }
    return false;
  });
  if (found) subject.gils.push_back(std::move(*found));
  return {};
}

}  // namespace

std::span<const std::string_view> python3_symbols() {
  static constexpr std::array kSymbols{
      kRuntime,
      std::string_view("gil_cond"),
      std::string_view("gil_mutex"),
      std::string_view("switch_cond"),
      std::string_view("switch_mutex"),
      std::string_view("gil_last_holder"),
      std::string_view("gil_locked"),
      std::string_view("gil_switch_number"),
      std::string_view("gil_interval"),
  };
  return kSymbols;
}

Status find_python3(Look& look, const LanguageVersion& version, Subject& subject) {
  std::optional<uint64_t> runtime = look.object.address_of(kRuntime);
  const bool symbol = runtime.has_value();
  if (version.minor < 7) {
    if (Status found = find_static_gil(look, version, subject); !found || !subject.gils.empty()) {
      return found;
    }
  } else if (version.minor >= 13 && look.options.scan) {
    if (!runtime) runtime = find_cookie(look);
    if (runtime) {
      if (const auto offsets = read_debug_offsets(look.process, *runtime)) {
        return find_by_offsets(look, version, *offsets, *runtime, symbol, subject);
      }
    }
  } else if (look.options.scan) {
    if (Status found = find_by_scan(look, version, runtime, subject);
        !found || !subject.gils.empty()) {
      return found;
    }
  }
  if (look.options.observation) {
    if (Status found = find_by_observation(look, version, subject); !found) return found;
  }
  if (!subject.gils.empty()) return {};
  return fail(
      fmt::format("cannot find the GIL of {}, CPython {}: {}, and no two of its {} threads "
                  "were seen to contend for it; try again while they do",
                  shown(look), version.text,
                  symbol ? "nothing in _PyRuntime is like one" : "it has no symbol for it",
                  look.threads.size()));
}

}  // namespace gilscope
