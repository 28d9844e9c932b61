#include "userspace/subject/lock_auto.h"

#include <algorithm>
#include <array>

#include "userspace/base/quote.h"
#include "userspace/subject/lock_words.h"

namespace gilscope {
namespace {

LockName any_mutex() {
  LockName name;
  name.kind = "mutex";
  return name;
}

}  // namespace

Result<ContendedMutex> most_contended_mutex(const ProcessMemory& process, const Glibc& glibc,
                                            int ms) {
  const std::vector<SeenFutex> futexes = seen_futexes(process, ms);
  const size_t threads = process.threads().size();
  std::vector<ContendedMutex> mutexes;
  for (const SeenFutex& futex : futexes) {
    if (futex.as_mutex == 0) continue;
    std::array<uint8_t, kMostLockBytes> bytes = {};
    if (!process.read(futex.address, bytes.data(), GILSCOPE_MUTEX_BYTES)) continue;
    const auto seen = judge_lock(any_mutex(), bytes, glibc);
    if (!seen) continue;
    mutexes.push_back({futex.address, futex.as_mutex, futex.threads.size(), seen->sort});
  }
  std::ranges::stable_sort(mutexes, std::greater<>(), &ContendedMutex::times);
  if (mutexes.empty()) {
    return fail(
        Exit::no_data,
        fmt::format("in {} ms no thread of {} was seen to sleep for a mutex: {} thread{}, "
                    "{} other futex{} slept on; try again under load, or name a lock",
                    ms, shown_process(process.pid(), process.executable()), threads,
                    threads == 1 ? "" : "s", futexes.size(), futexes.size() == 1 ? "" : "es"));
  }
  ContendedMutex most = std::move(mutexes[0]);
  most.confirmed_by += fmt::format(", {} of {} threads were seen to sleep for it {} times",
                                   most.threads, threads, most.times);
  if (mutexes.size() > 1) {
    most.confirmed_by += fmt::format(", and {} times for the next of {} such mutexes",
                                     mutexes[1].times, mutexes.size());
  }
  return most;
}

}  // namespace gilscope
