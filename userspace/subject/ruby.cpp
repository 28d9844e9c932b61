#include "userspace/subject/ruby.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "userspace/base/quote.h"
#include "userspace/subject/ruby_layout.h"
#include "userspace/subject/search.h"
#include "userspace/subject/thread_block.h"

namespace gilscope {
namespace {

constexpr std::string_view kVmPointer = "ruby_current_vm_ptr";
constexpr uint64_t kMostData = uint64_t{64} << 20;
constexpr int kLooks = 50;
constexpr long kBetweenLooksNs = 2'000'000;

// The VM, by its symbol; else by a static that points to something like one.
std::optional<RubyVm> find_vm(const Look& look) {
  if (const auto pointer = look.object.address_of(kVmPointer)) {
    const auto vm = look.process.get<uint64_t>(*pointer);
    return vm && *vm != 0 ? ruby_vm_at(look.process, *vm) : std::nullopt;
  }
  std::optional<RubyVm> found;
  search_memory(look.process, look.object.data, 0, kMostData, [&](uint64_t, auto piece) {
    for (size_t at = 0; at + 8 <= piece.size() && !found; at += 8) {
      uint64_t word;
      std::memcpy(&word, piece.data() + at, sizeof word);
      if (word != 0 && word % 8 == 0 && look.readable(word)) found = ruby_vm_at(look.process, word);
    }
    return found.has_value();
  });
  return found;
}

std::optional<RubyLock> lock_of(const Look& look, const RubyVm& vm, const LanguageVersion& version,
                                uint64_t ractor) {
  // Lists are read while threads change them.
  for (int i = 0; i < kLooks; ++i) {
    if (const auto lock = ruby_lock_in(look.process, look.glibc, vm, version, ractor)) return lock;
    const timespec pause{0, kBetweenLooksNs};
    ::nanosleep(&pause, nullptr);
  }
  return std::nullopt;
}

std::optional<RubyThread> thread_layout(Look& look, const RubyVm& vm,
                                        const LanguageVersion& version) {
  for (int i = 0; i < kLooks; ++i) {
    const auto layout =
        ruby_thread_at(look.process, look.glibc, look.threads, version, vm.main_thread);
    if (layout) return layout;
    const timespec pause{0, kBetweenLooksNs};
    ::nanosleep(&pause, nullptr);
    look.threads = look.process.threads();
  }
  return std::nullopt;
}

GilPlace place_of(const Look& look, const RubyVm& vm, const RubyLock& lock,
                  const RubyThread& thread, uint64_t ractor) {
  GilPlace place;
  gilscope_gil& gil = place.gil;
  gil.kind = GILSCOPE_GIL_QUEUE;
  gil.signals_at = look.glibc.signals_at();
  gil.mutex = lock.mutex;
  gil.switch_condition = lock.switch_condition;
  gil.words = lock.running;
  gil.words_bytes = 8;
  gil.holder_at = 0;
  gil.interval_at = gil.locked_at = gil.number_at = gil.waits_at = GILSCOPE_NOWHERE;
  gil.ticks_at = GILSCOPE_NOWHERE;
  gil.thread_id_at = thread.thread_id_at;
  gil.native_at = thread.native_at;
  gil.node_at = thread.node_at;
  gil.condition_at = thread.condition_at;
  gil.state_at = thread.state_at;
  gil.main_state = vm.main_thread;
  place.interpreter = ractor;
  place.found_by = "scan";
  place.confirmed_by =
      "the VM's main thread is one of the process's, the list of waiters is linked";
  return place;
}

}  // namespace

std::span<const std::string_view> ruby_symbols() {
  static constexpr std::array kSymbols{kVmPointer};
  return kSymbols;
}

Status find_ruby(Look& look, const LanguageVersion& version, Subject& subject) {
  const std::string shown = fmt::format(
      "{}, Ruby {}", shown_process(look.process.pid(), look.process.executable()), version.text);
  if (version.major != 3 || (version.minor != 1 && version.minor != 3)) {
    return fail(
        fmt::format("{}: the lock of Ruby 3.1 and 3.3 is known, that of others is not", shown));
  }
  const auto vm = find_vm(look);
  if (!vm) return fail(fmt::format("{}, has not started its VM yet; try again", shown));
  const auto thread = thread_layout(look, *vm, version);
  const auto lock = lock_of(look, *vm, version, vm->main_ractor);
  if (!thread || !lock) {
    return fail(
        fmt::format("cannot find the lock of {}: its {} not laid out as that of this version",
                    shown, thread ? "main ractor is" : "threads are"));
  }
  if (lock->many_to_many) {
    return fail(
        fmt::format("{}, lets its threads share threads of the kernel (RUBY_MN_THREADS), "
                    "which cannot be followed",
                    shown));
  }
  subject.gils.push_back(place_of(look, *vm, *lock, *thread, vm->main_ractor));
  GilPlace& main = subject.gils.front();
  main.object = look.object.path;
  const auto symbol = look.object.address_of(kVmPointer);
  if (symbol) main.symbol = kVmPointer;
  size_t left_out = 0;
  std::vector<GilPlace> others;
  for (const uint64_t ractor : ruby_ractors(look.process, *vm)) {
    if (ractor == vm->main_ractor) continue;
    const auto own = lock_of(look, *vm, version, ractor);
    if (own && !own->many_to_many)
      others.push_back(place_of(look, *vm, *own, *thread, ractor));
    else
      ++left_out;
  }
  // 3.3 has threads of ractors share threads of the kernel.
  if (left_out > 0) {
    main.confirmed_by += fmt::format(", the locks of {} other ractors are left out", left_out);
  }
  subject.gils.insert(subject.gils.end(), others.begin(), others.end());
  return {};
}

}  // namespace gilscope
