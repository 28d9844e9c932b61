// What this process has inherited from its starter, and passes on to its workers and threads: its
// scheduling, its memory policy, and variables of the C library and the loader.
#include <linux/mempolicy.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>

#include "userspace/machine/facts/parts.h"

namespace gilscope {
namespace {

// ---- the scheduler ----

std::string policy_name(int policy) {
  constexpr int kExt = 7;  // sched_ext; older headers lack it
  switch (policy) {
    case SCHED_OTHER:
      return "other";
    case SCHED_FIFO:
      return "fifo";
    case SCHED_RR:
      return "rr";
    case SCHED_BATCH:
      return "batch";
    case SCHED_IDLE:
      return "idle";
    case SCHED_DEADLINE:
      return "deadline";
    case kExt:
      return "ext";
    default:
      return fmt::format("{}", policy);
  }
}

// Uses system calls, because /proc/self/stat does not show SCHED_RESET_ON_FORK.
void add_policy(FactList& facts) {
  errno = 0;
  const int nice = ::getpriority(PRIO_PROCESS, 0);
  if (errno == 0) {
    facts.add("process.nice", int64_t{nice});
  } else {
    facts.add_null("process.nice", fail_errno("getpriority").value().message);
  }
  const int policy = ::sched_getscheduler(0);
  sched_param parameters = {};
  if (policy < 0 || ::sched_getparam(0, &parameters) != 0) {
    const std::string reason = fail_errno("sched_getscheduler").value().message;
    for (const char* key : {"sched_policy", "rt_priority", "reset_on_fork"}) {
      facts.add_null(fmt::format("process.{}", key), reason);
    }
    return;
  }
  facts.add("process.sched_policy", policy_name(policy & ~SCHED_RESET_ON_FORK));
  facts.add("process.rt_priority", int64_t{parameters.sched_priority});
  facts.add("process.reset_on_fork", (policy & SCHED_RESET_ON_FORK) != 0);
}

// "none" means that it follows the nice value. glibc has no function for it, and linux/ioprio.h
// does not compile as C++.
Result<std::string> io_priority() {
  constexpr std::array<const char*, 4> kClasses = {"none", "realtime", "best-effort", "idle"};
  constexpr int kProcess = 1, kClassShift = 13, kLevels = 7;
  const long value = ::syscall(SYS_ioprio_get, kProcess, 0);
  if (value < 0) return fail_errno("ioprio_get");
  const auto kind = static_cast<size_t>(value >> kClassShift);
  if (kind >= kClasses.size()) return fmt::format("{}", value);
  if (kind == 0 || kind == 3) return kClasses[kind];
  return fmt::format("{} {}", kClasses[kind], value & kLevels);
}

Result<int64_t> timer_slack_ns() {
  const int slack = ::prctl(PR_GET_TIMERSLACK);
  if (slack < 0) return fail_errno("prctl(PR_GET_TIMERSLACK)");
  return slack;
}

// ---- memory ----

// The mode and its nodes, for example "bind 0 1".
Result<std::string> memory_policy() {
  constexpr size_t kNodes = 1024, kBits = sizeof(unsigned long) * CHAR_BIT;
  constexpr int kPreferredMany = 5, kWeightedInterleave = 6;  // older headers lack them
  int mode = 0;
  std::array<unsigned long, kNodes / kBits> nodes = {};
  if (::syscall(SYS_get_mempolicy, &mode, nodes.data(), kNodes, nullptr, 0) != 0) {
    return fail_errno("get_mempolicy");
  }
  const auto name = [](int number) -> std::string {
    switch (number) {
      case MPOL_DEFAULT:
        return "default";
      case MPOL_PREFERRED:
        return "preferred";
      case MPOL_BIND:
        return "bind";
      case MPOL_INTERLEAVE:
        return "interleave";
      case MPOL_LOCAL:
        return "local";
      case kPreferredMany:
        return "preferred-many";
      case kWeightedInterleave:
        return "weighted-interleave";
      default:
        return fmt::format("{}", number);
    }
  };
  std::string text = name(mode & ~MPOL_MODE_FLAGS);
  for (size_t node = 0; node < kNodes; ++node) {
    if (nodes[node / kBits] >> (node % kBits) & 1) text += fmt::format(" {}", node);
  }
  return text;
}

Result<bool> huge_pages() {
  const int off = ::prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0);
  if (off < 0) return fail_errno("prctl(PR_GET_THP_DISABLE)");
  return off == 0;
}

// Off under `setarch -R`: then every run has the same addresses, and so the same cache conflicts.
Result<bool> address_randomization() {
  constexpr unsigned long kAsk = 0xffffffff;
  const int personality = ::personality(kAsk);
  if (personality < 0) return fail_errno("personality");
  return (personality & ADDR_NO_RANDOMIZE) == 0;
}

// ---- variables of the C library and the loader ----

// No others are recorded: they may hold secrets.
constexpr std::string_view kVariables[] = {
    "GLIBC_TUNABLES",
    "LD_AUDIT",
    "LD_BIND_NOW",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "MALLOC_ARENA_MAX",
    "MALLOC_ARENA_TEST",
    "MALLOC_CHECK_",
    "MALLOC_CONF",
    "MALLOC_MMAP_MAX_",
    "MALLOC_MMAP_THRESHOLD_",
    "MALLOC_PERTURB_",
    "MALLOC_TCACHE_COUNT",
    "MALLOC_TOP_PAD_",
    "MALLOC_TRIM_THRESHOLD_",
};

std::vector<std::string> known_variables() {
  std::vector<std::string> known;
  for (char** variable = ::environ; variable != nullptr && *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const size_t equals = text.find('=');
    if (equals != text.npos && std::ranges::count(kVariables, text.substr(0, equals)) > 0) {
      known.emplace_back(text);
    }
  }
  std::ranges::sort(known);
  return known;
}

}  // namespace

void add_inherited_facts(FactList& facts) {
  add_policy(facts);
  facts.add("process.io_priority", io_priority());
  facts.add("process.timer_slack_ns", timer_slack_ns());
  facts.add("process.memory_policy", memory_policy());
  facts.add("process.huge_pages", huge_pages());
  facts.add("process.address_randomization", address_randomization());
  facts.add("process.variables", known_variables());
}

}  // namespace gilscope
