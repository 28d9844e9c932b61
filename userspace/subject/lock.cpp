#include "userspace/subject/lock.h"

#include <time.h>

#include <algorithm>
#include <array>

#include "userspace/base/quote.h"
#include "userspace/subject/lock_auto.h"
#include "userspace/subject/lock_symbol.h"
#include "userspace/subject/lock_words.h"
#include "userspace/subject/names.h"

namespace gilscope {
namespace {

constexpr int kLooks = 25;  // two milliseconds apart
constexpr long kBetweenLooksNs = 2'000'000;

const ProcessThread* thread_with(std::span<const ProcessThread> threads, pid_t tid_inside) {
  const auto thread = std::ranges::find(threads, tid_inside, &ProcessThread::tid_inside);
  return thread == threads.end() ? nullptr : &*thread;
}

// What agrees with a lock at that address. Looked at for a while where it is held by nobody who is
// known: its owner may have started since, or be about to write its number down.
Result<std::string> confirm(const ProcessMemory& process, const Glibc& glibc, const LockName& name,
                            uint64_t address) {
  const std::string shown = fmt::format("what stands at {:#x} of {}", address,
                                        shown_process(process.pid(), process.executable()));
  std::string wrong;
  for (int look = 0; look < kLooks; ++look) {
    std::array<uint8_t, kMostLockBytes> bytes = {};
    if (!process.read(address, bytes.data(), name.bytes())) {
      return fail(fmt::format("{} cannot be read", shown));
    }
    const auto seen = judge_lock(name, bytes, glibc);
    if (!seen) return fail(fmt::format("{} {}", shown, seen.error().message));
    if (seen->named == 0 && (!seen->held || seen->shared)) return seen->sort;
    const std::vector<ProcessThread> threads = process.threads();
    if (const auto* thread = thread_with(threads, seen->owner)) {
      return fmt::format("{}, held by thread {} ({})", seen->sort, thread->tid,
                         in_quotes(thread->name));
    }
    if (name.kind == "rwlock" && seen->owner == 0) return seen->sort + ", held by readers";
    if (seen->named != 0) {
      wrong = fmt::format("is free, but has {} for its owner", seen->named);
    } else if (seen->owner == 0) {
      wrong = "is held, but has no owner";
    } else {
      wrong = fmt::format("is held by {}, which is no thread of it", seen->owner);
    }
    const timespec pause{0, kBetweenLooksNs};
    ::nanosleep(&pause, nullptr);
  }
  return fail(fmt::format("{} {}: that is no {}", shown, wrong, name.type()));
}

GilPlace place_at(const ProcessMemory& process, std::span<const MappedObject> objects,
                  const Glibc& glibc, const LockName& name, uint64_t address) {
  GilPlace place;
  gilscope_gil& gil = place.gil;
  gil.kind = name.gil_kind();
  gil.signals_at = glibc.signals_at();
  gil.condition = gil.words = address;
  gil.interval_at = gil.holder_at = gil.locked_at = gil.number_at = gil.waits_at = GILSCOPE_NOWHERE;
  gil.native_at = gil.ticks_at = gil.node_at = gil.condition_at = gil.state_at = GILSCOPE_NOWHERE;
  if (gil.kind == GILSCOPE_LOCK_COND) gil.waits_at = 0;
  const auto object = std::ranges::find_if(
      objects, [&](const MappedObject& other) { return other.is_in_data(address); });
  if (object != objects.end()) {
    place.object = object->path;
    place.offset = address - object->start();
  } else {
    // In no file: the offset is the address.
    const MappedRange* range = process.range_at(address);
    const bool heap = range && range->path == "[heap]";
    place.object = heap ? "[heap]" : "[memory]";
    place.offset = address;
  }
  return place;
}

Status check_memory(const ProcessMemory& process, const LockName& name, uint64_t address) {
  const std::string shown = shown_process(process.pid(), process.executable());
  const MappedRange* range = process.range_at(address);
  if (!range) return fail(fmt::format("{} has no memory at {:#x}", shown, address));
  if (!range->writable || !range->has(address + name.bytes() - 1)) {
    return fail(fmt::format("{} cannot write all of a {} at {:#x}, so no lock is there", shown,
                            name.type(), address));
  }
  return {};
}

Result<GilPlace> find_place(const ProcessMemory& process, std::span<MappedObject> objects,
                            const Glibc& glibc, const LockName& name, const FindOptions& options) {
  if (name.automatic) {
    auto found = most_contended_mutex(process, glibc, options.observe_ms);
    if (!found) return fail(found.error());
    GilPlace place = place_at(process, objects, glibc, name, found->address);
    place.found_by = "observation";
    place.confirmed_by = found->confirmed_by;
    return place;
  }
  uint64_t address = name.address.value_or(0);
  FoundSymbol symbol;
  if (!name.address) {
    auto found = find_lock_symbol(process, objects, name);
    if (!found) return fail(found.error());
    symbol = std::move(*found);
    address = symbol.address;
    if (address % 8 != 0) {
      return fail(fmt::format("{} leads to {:#x}, and a {} lies at a multiple of 8",
                              in_quotes(name.text), address, name.type()));
    }
  }
  if (Status good = check_memory(process, name, address); !good) return fail(good.error());
  const auto confirmed = confirm(process, glibc, name, address);
  if (!confirmed) return fail(confirmed.error());
  GilPlace place = place_at(process, objects, glibc, name, address);
  place.found_by = name.address ? "address" : "symbols";
  place.confirmed_by = *confirmed;
  if (!name.address) {
    place.object = symbol.object;
    place.symbol = name.symbol;
    place.offset = name.offset;
  }
  return place;
}

}  // namespace

Result<Subject> find_lock(pid_t pid, const LockName& name, const FindOptions& options) {
  const auto process = ProcessMemory::open(pid);
  if (!process) return fail(process.error());
  std::vector<MappedObject> objects = mapped_objects(*process);
  const auto glibc = glibc_of(*process, objects);
  if (!glibc) return fail(glibc.error());
  auto place = find_place(*process, objects, *glibc, name, options);
  if (!place) {
    if (process->alive()) return fail(place.error());
    return fail(fmt::format("{} ended while it was looked at",
                            shown_process(process->pid(), process->executable())));
  }
  Subject subject;
  subject.pid = pid;
  subject.kind = "program";
  subject.lock = name.kind;
  subject.executable = process->executable();
  subject.interpreter = base_name(process->executable());
  for (MappedObject& object : objects) {
    if (object.path != process->executable()) continue;
    if (object.elf.build_id.empty()) {
      [[maybe_unused]] const Status read = read_object(*process, object, {});
    }
    subject.build_id = object.elf.build_id;
    break;
  }
  subject.gils.push_back(std::move(*place));
  return subject;
}

}  // namespace gilscope
