#include "userspace/recording/subject_cell.h"

#include <fmt/format.h>

#include <algorithm>

#include "bpf/lock_words.h"
#include "userspace/base/quote.h"
#include "userspace/subject/holder.h"

namespace gilscope {
namespace {

// Looks fail once a dying thread has given up its memory; more than that is another matter.
constexpr uint64_t kUnreadableShare = 4;
// A forked child has no holder for a moment, while it makes its GIL anew.
constexpr uint64_t kImplausibleShare = 100;
// So many looks at a process that runs would have seen a holder.
constexpr uint64_t kLooksThatSeeAHolder = 50;

// Whether glibc counts the waits of such a GIL.
bool counts_waits(const gilscope_gil& gil) {
  return gil.waits_at != GILSCOPE_NOWHERE;
}

std::string doubt_about_words(const gilscope_gil& gil, const gilscope_looks& looks,
                              bool holder_seen) {
  if (looks.implausible > 1 && looks.implausible * kImplausibleShare > looks.all) {
    return fmt::format(
        "{} of {} looks at the words at {:#x} saw what no GIL of this kind can have there: the "
        "address is wrong",
        uint64_t(looks.implausible), uint64_t(looks.all), uint64_t(gil.words));
  }
  if (looks.unreadable * kUnreadableShare > looks.all) {
    return fmt::format("{} of {} looks at the words at {:#x} failed: the address is wrong",
                       uint64_t(looks.unreadable), uint64_t(looks.all), uint64_t(gil.words));
  }
  if (!holder_seen && looks.all > kLooksThatSeeAHolder) {
    return fmt::format(
        "in {} looks no thread of the process was seen to hold the GIL: nothing confirms its "
        "address",
        uint64_t(looks.all));
  }
  return "";
}

// Of a lock that is no GIL. Each thread's last looks may fail, where it has given up its memory.
std::string doubt_about_lock(const gilscope_gil& lock, const gilscope_looks& looks, size_t threads,
                             bool holder_seen) {
  if (looks.implausible > 1) {
    return fmt::format(
        "{} of {} looks at {:#x} saw what no such lock can have there: it has been destroyed and "
        "its memory is used for something else, or the address is wrong",
        uint64_t(looks.implausible), uint64_t(looks.all), uint64_t(lock.words));
  }
  if (looks.unreadable > 2 * threads) {
    return fmt::format("{} of {} looks at {:#x} failed: the memory of the lock is no longer there",
                       uint64_t(looks.unreadable), uint64_t(looks.all), uint64_t(lock.words));
  }
  if (!holder_seen && looks.sleeps == 0 && looks.all > kLooksThatSeeAHolder) {
    return fmt::format(
        "in {} looks no thread was seen to hold what stands at {:#x}, or to sleep for it: nothing "
        "confirms that a lock in use is there",
        uint64_t(looks.all), uint64_t(lock.words));
  }
  return "";
}

}  // namespace

GilCounts gil_counts(const gilscope_process& traced, const FollowedProcess& process,
                     std::span<const Thread> threads) {
  const gilscope_looks& looks = process.looks;
  GilCounts sum = GilCounts::of_subject();
  for (const Thread& thread : threads) sum += thread.gil;
  sum.sleeps = looks.sleeps;
  sum.waits_begun_again = looks.waits_begun_again;
  const size_t gils = std::min<size_t>(traced.gil_count, GILSCOPE_GILS);
  bool counted = gils > 0;
  uint64_t growth = looks.queue_waits;
  for (size_t i = 0; i < gils; ++i) {
    counted = counted && counts_waits(traced.gils[i]);
    growth += traced.watches[i].last_waits - traced.watches[i].first_waits;
  }
  // A single thread cannot contend: its counts are 0 wherever the GIL is.
  if (gils > 0 && threads.size() > 1) {
    sum.doubt = gilscope_is_lock(traced.gils[0].kind)
                    ? doubt_about_lock(traced.gils[0], looks, threads.size(), process.holder_seen)
                    : doubt_about_words(traced.gils[0], looks, process.holder_seen);
  }
  if (!counted) return sum;

  const uint64_t slept = *sum.sleeps - *sum.waits_begun_again;
  // Waits that had begun before the GIL was first looked at, and slept afterwards: at most one of
  // each thread. They are in the window's growth as if they had begun in it.
  if (slept > growth && slept - growth <= threads.size()) growth = slept;
  sum.waits_begun = growth;
  if (slept <= growth) {
    sum.unslept = growth - slept;
  } else if (sum.doubt.empty()) {
    sum.doubt = fmt::format(
        "{} sleeps for the GIL began a wait, but its condition variable counted {}: the address is "
        "wrong, or the layout is not known",
        slept, growth);
  }
  if (sum.doubt.empty() && slept == 0 && growth > threads.size()) {
    sum.doubt = fmt::format(
        "the GIL's condition variable counted {} waits, but no thread was seen to sleep on it: the "
        "address is wrong, or the layout is not known",
        growth);
  }
  return sum;
}

CellSubject subject_of(const Subject& subject) {
  const auto gil_of = [](const GilPlace& place) {
    return SubjectGil{place.object, place.symbol, place.offset, place.found_by, place.confirmed_by};
  };
  CellSubject result;
  result.kind = subject.kind;
  result.lock = subject.lock;
  result.interpreter = subject.interpreter;
  result.version = subject.version;
  result.executable = subject.executable;
  result.build_id = subject.build_id;
  result.pid = subject.pid;
  if (subject.has_gil && !subject.gils.empty()) {
    result.gil = gil_of(subject.gils[0]);
    for (size_t i = 1; i < subject.gils.size(); ++i) {
      result.gils_of_others.push_back(gil_of(subject.gils[i]));
    }
  }
  return result;
}

LiveProcess live_process(const FollowedProcess& process, std::vector<CpuTrace> cpus) {
  LiveProcess live;
  live.place = process.place;
  live.pid = process.pid;
  live.ended = process.ended;
  live.cpus = std::move(cpus);
  if (!process.subject) return live;
  live.subject = subject_of(*process.subject);
  if (process.subject->gils.empty() || process.ended) return live;
  const auto holder = holder_of(*process.subject, process.subject->gils[0]);
  if (holder) live.holder = LiveHolder{holder->held, holder->tid, printable(holder->name)};
  return live;
}

}  // namespace gilscope
