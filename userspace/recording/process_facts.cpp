#include "userspace/recording/process_facts.h"

#include <unistd.h>

#include <algorithm>

#include "userspace/machine/machine.h"

namespace gilscope {
namespace {

// Its status file; empty once it is gone.
std::string status_of(pid_t pid) {
  return Machine().text(fmt::format("/proc/{}/status", pid)).value_or("");
}

uint64_t count_of(const std::string& text) {
  return static_cast<uint64_t>(std::max<int64_t>(to_number(text).value_or(0), 0));
}

// The first number of the line NSpid.
std::optional<uint32_t> outermost_of(const std::string& status) {
  const auto numbers = words(value_of(status, "NSpid").value_or(""));
  const auto number = numbers.empty() ? std::nullopt : to_number(numbers[0]);
  return number ? std::optional(static_cast<uint32_t>(*number)) : std::nullopt;
}

}  // namespace

std::optional<ResourceUsage> process_usage(pid_t pid) {
  const auto stat = Machine().text(fmt::format("/proc/{}/stat", pid));
  if (!stat) return {};
  // The name, in parentheses, may hold anything; the numbers begin behind the last one.
  const size_t close = stat->rfind(')');
  if (close == stat->npos) return {};
  const std::vector<std::string> fields = words(std::string_view(*stat).substr(close + 1));
  // proc(5): state is the third field; minflt, majflt, utime and stime are 10, 12, 14 and 15.
  constexpr size_t kState = 3, kMinor = 10, kMajor = 12, kUser = 14, kSystem = 15;
  if (fields.size() <= kSystem - kState) return {};
  const auto field = [&](size_t number) { return count_of(fields[number - kState]); };
  const uint64_t tick_ns = 1'000'000'000 / static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
  ResourceUsage usage;
  usage.user_ns = field(kUser) * tick_ns;
  usage.system_ns = field(kSystem) * tick_ns;
  usage.minor_faults = field(kMinor);
  usage.major_faults = field(kMajor);
  // "1234 kB"
  const auto most = words(value_of(status_of(pid), "VmHWM").value_or(""));
  if (!most.empty()) usage.max_rss_bytes = count_of(most[0]) * 1024;
  return usage;
}

ResourceUsage usage_between(const ResourceUsage& before, const ResourceUsage& after) {
  ResourceUsage used = after;  // the most memory is no difference
  used.user_ns -= before.user_ns;
  used.system_ns -= before.system_ns;
  used.minor_faults -= before.minor_faults;
  used.major_faults -= before.major_faults;
  return used;
}

std::optional<uint32_t> outermost_pid(pid_t pid) {
  return outermost_of(status_of(pid));
}

std::optional<uint32_t> outermost_tid(pid_t pid, uint32_t tid) {
  return outermost_of(
      Machine().text(fmt::format("/proc/{}/task/{}/status", pid, tid)).value_or(""));
}

Switches switches_so_far(pid_t pid) {
  Switches sum;
  const Machine machine;
  const auto tids = machine.names(fmt::format("/proc/{}/task", pid));
  if (!tids) return sum;
  for (const std::string& tid : *tids) {
    const std::string status =
        machine.text(fmt::format("/proc/{}/task/{}/status", pid, tid)).value_or("");
    sum.voluntary += count_of(value_of(status, "voluntary_ctxt_switches").value_or(""));
    sum.involuntary += count_of(value_of(status, "nonvoluntary_ctxt_switches").value_or(""));
  }
  return sum;
}

size_t thread_count(pid_t pid) {
  return std::max<size_t>(count_of(value_of(status_of(pid), "Threads").value_or("")), 1);
}

}  // namespace gilscope
