#include "userspace/subject/observe.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "userspace/base/time.h"

namespace gilscope {
namespace {

constexpr long kBetweenLooksNs = 1'000'000;
constexpr int kLooksBetweenLists = 64;  // of the process's threads
constexpr size_t kMostFutexes = 4096;
constexpr long kFutex = 202;  // of x86-64, whatever this is built for

std::optional<uint64_t> take_argument(std::string_view& text) {
  if (!text.starts_with(" 0x")) return std::nullopt;
  text.remove_prefix(3);
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return value;
}

void count(std::vector<SeenFutex>& futexes, const FutexWait& wait, pid_t tid) {
  auto futex = std::ranges::lower_bound(futexes, wait.address, {}, &SeenFutex::address);
  if (futex == futexes.end() || futex->address != wait.address) {
    if (futexes.size() == kMostFutexes) return;
    futex = futexes.insert(futex, SeenFutex{wait.address, 0, 0, 0, {}});
  }
  ++futex->times;
  if (wait.timed) ++futex->timed;
  if (wait.as_mutex) ++futex->as_mutex;
  futex->threads.insert(tid);
}

bool is_lock_pi(int command) {
  constexpr int kLockPi2 = 13;  // of kernels from 5.14 on
  return command == FUTEX_LOCK_PI || command == kLockPi2;
}

std::optional<FutexWait> wait_of(const ProcessMemory& process, pid_t tid) {
  const std::string path = fmt::format("task/{}/syscall", tid);
  const Fd file(::openat(process.directory(), path.c_str(), O_RDONLY | O_CLOEXEC));
  char text[256];
  const ssize_t got = file ? ::read(file.get(), text, sizeof text) : 0;
  return got > 0 ? parse_futex_wait({text, static_cast<size_t>(got)}) : std::nullopt;
}

bool watch(const ProcessMemory& process, int ms, std::vector<SeenFutex>& futexes,
           const std::function<bool(const std::vector<SeenFutex>&)>& enough) {
  std::vector<ProcessThread> threads;
  const uint64_t end = monotonic_ns() + static_cast<uint64_t>(ms) * 1'000'000;
  for (int look = 0; monotonic_ns() < end; ++look) {
    if (look % kLooksBetweenLists == 0) {
      threads = process.threads();
      if (threads.empty()) return false;
    }
    for (const ProcessThread& thread : threads) {
      if (const auto wait = wait_of(process, thread.tid)) count(futexes, *wait, thread.tid);
    }
    if (enough(futexes)) return true;
    const timespec pause{0, kBetweenLooksNs};
    ::nanosleep(&pause, nullptr);
  }
  return false;
}

}  // namespace

std::optional<FutexWait> parse_futex_wait(std::string_view text) {
  long number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number != kFutex) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  const auto address = take_argument(text);
  const auto operation = address ? take_argument(text) : std::nullopt;
  const auto value = operation ? take_argument(text) : std::nullopt;
  const auto time = value ? take_argument(text) : std::nullopt;
  if (!time) return std::nullopt;
  const auto command = static_cast<int>(*operation) & FUTEX_CMD_MASK;
  // nptl/lowlevellock.c waits for the word 2, robust mutexes for an owner's number with the bit of
  // waiters, priority-inheriting ones in the kernel.
  if (is_lock_pi(command)) return FutexWait{*address, *time != 0, true};
  if (command != FUTEX_WAIT && command != FUTEX_WAIT_BITSET) return std::nullopt;
  const bool as_mutex = *value == 2 || (*value & FUTEX_WAITERS);
  return FutexWait{*address, *time != 0, as_mutex};
}

bool watch_futexes(const ProcessMemory& process, int ms,
                   const std::function<bool(const std::vector<SeenFutex>&)>& enough) {
  std::vector<SeenFutex> futexes;
  return watch(process, ms, futexes, enough);
}

std::vector<SeenFutex> seen_futexes(const ProcessMemory& process, int ms) {
  std::vector<SeenFutex> futexes;
  watch(process, ms, futexes, [](const auto&) { return false; });
  return futexes;
}

}  // namespace gilscope
