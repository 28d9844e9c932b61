#include "userspace/experiment/run/perf_events.h"

#include <fmt/format.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "userspace/report/model.h"

namespace gilscope {
namespace {

// pid 0 and cpu -1 mean this thread on any CPU. Counts both user and kernel mode, because a lock's
// path into the kernel is part of the question; excludes the hypervisor, whose time is not this
// thread's.
Fd open_own(const PerfCounter& counter, int leader) {
  perf_event_attr attributes{};
  attributes.type = counter.type;
  attributes.size = sizeof(attributes);
  attributes.config = counter.config;
  attributes.disabled = leader < 0;  // the others follow their leader
  attributes.exclude_hv = 1;
  attributes.read_format =
      PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
  return Fd(static_cast<int>(
      syscall(SYS_perf_event_open, &attributes, 0, -1, leader, PERF_FLAG_FD_CLOEXEC)));
}

std::string reason_of(int error) {
  switch (error) {
    case kNotAlwaysOn:
      return "it did not count all the time: something else used the same hardware counters";
    case ENOENT:
    case ENODEV:
    case EOPNOTSUPP:
      return fmt::format("this machine has no such counter (perf_event_open: {})",
                         std::strerror(error));
    case EACCES:
    case EPERM:
      return fmt::format("not permitted (perf_event_open: {}): run gilscope as root",
                         std::strerror(error));
    case EMFILE:
    case ENFILE:
      return fmt::format("not available to every thread (perf_event_open: {}): raise ulimit -n",
                         std::strerror(error));
    case ENOSYS:
      return "this kernel has no perf events";
    default:
      return fmt::format("perf_event_open: {}", std::strerror(error));
  }
}

}  // namespace

std::span<const PerfCounter, kPerfCounters> perf_counters() {
  static constexpr PerfCounter kCounters[] = {
      {"cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, &ThreadPerf::cycles},
      {"instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS, &ThreadPerf::instructions},
      {"cache_misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES, &ThreadPerf::cache_misses},
      {"context_switches", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES,
       &ThreadPerf::context_switches},
      {"migrations", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_MIGRATIONS, &ThreadPerf::migrations},
  };
  return kCounters;
}

PerfGroup::PerfGroup(bool hardware) {
  for (size_t i = 0; i < kPerfCounters; ++i) {
    const PerfCounter& counter = perf_counters()[i];
    if ((counter.type == PERF_TYPE_HARDWARE) != hardware) continue;
    Fd event = open_own(counter, events_.empty() ? -1 : events_.front().get());
    if (!event) {
      errors_[i] = errno;
      continue;
    }
    events_.push_back(std::move(event));
    counters_.push_back(i);
  }
}

void PerfGroup::start() {
  if (events_.empty()) return;
  // A failure needs no check: read() notices a group that was never enabled.
  ioctl(events_.front().get(), PERF_EVENT_IOC_ENABLE, 0);
}

void PerfGroup::read(PerfReading& reading) const {
  for (size_t i = 0; i < kPerfCounters; ++i) {
    if (errors_[i] != 0) reading.errors[i] = errors_[i];
  }
  if (events_.empty()) return;
  std::array<uint64_t, 3 + kPerfCounters> words;
  const ssize_t bytes = ::read(events_.front().get(), words.data(), sizeof(words));
  const size_t read = bytes < 0 ? 0 : static_cast<size_t>(bytes) / sizeof(uint64_t);
  take(std::span(words).first(read), counters_, reading);
}

void PerfGroup::take(std::span<const uint64_t> words, std::span<const size_t> counters,
                     PerfReading& reading) {
  const bool whole = words.size() == 3 + counters.size() && words[0] == counters.size();
  // Both times advance only while the thread is on a CPU, so without multiplexing they are equal.
  const bool always_on = whole && words[1] != 0 && words[2] == words[1];
  for (size_t i = 0; i < counters.size(); ++i) {
    if (always_on) reading.counts[counters[i]] = words[3 + i];
    reading.errors[counters[i]] = always_on ? 0 : whole ? kNotAlwaysOn : EIO;
  }
}

void raise_descriptor_limit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit)) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);  // a refusal shows when a counter cannot be opened
}

ThreadPerf to_report(const PerfReading& reading) {
  ThreadPerf perf;
  for (size_t i = 0; i < kPerfCounters; ++i) {
    if (reading.errors[i] == 0) perf.*perf_counters()[i].value = reading.counts[i];
  }
  return perf;
}

Facts perf_facts(const PerfErrors& errors) {
  Facts facts;
  for (size_t i = 0; i < kPerfCounters; ++i) {
    const std::string key = fmt::format("perf.{}", perf_counters()[i].name);
    if (errors[i] == 0) {
      facts.push_back({key, true, ""});
    } else {
      facts.push_back({key, std::monostate(), reason_of(errors[i])});
    }
  }
  return facts;
}

}  // namespace gilscope
