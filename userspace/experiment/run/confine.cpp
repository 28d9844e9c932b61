#include "userspace/experiment/run/confine.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <vector>

#include "userspace/machine/cpu_list.h"
#include "userspace/machine/cpus.h"

namespace gilscope {
namespace {

Status die_with(pid_t parent) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL)) return fail_errno("prctl(PR_SET_PDEATHSIG)");
  // The parent may have died before the call took effect.
  if (getppid() != parent) return fail("the parent process is gone");
  return {};
}

// Checks the mask, because the kernel silently drops CPUs that are offline or outside the cpuset.
Status have_exactly(const std::vector<int>& cpus) {
  const auto had = allowed_cpus();
  if (!had) return fail(had.error());
  if (*had == cpus) return {};
  return fail(fmt::format("the run needs CPUs {}, but the kernel gives it {}",
                          format_cpu_list(cpus), format_cpu_list(*had)));
}

// Closes every descriptor but the standard ones and those a run needs: sockets, files, and the
// programs that threads run on themselves. BPF links must go: a worker must not keep a program
// attached.
void close_all_but(std::vector<int> kept) {
  std::sort(kept.begin(), kept.end());
  unsigned next = 3;
  for (int fd : kept) {
    if (fd < static_cast<int>(next)) continue;
    if (fd > static_cast<int>(next)) syscall(SYS_close_range, next, fd - 1, 0);
    next = fd + 1;
  }
  syscall(SYS_close_range, next, ~0U, 0);
}

// Uses the system call itself; a single-threaded process needs nothing that libcap adds.
Status keep_capabilities(const Privileges& kept) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return fail_errno("prctl(PR_SET_NO_NEW_PRIVS)");
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct held[2] = {};
  if (syscall(SYS_capget, &header, held)) return fail_errno("capget");
  // Where unprivileged BPF is disabled, running a loaded program on itself requires CAP_BPF.
  constexpr uint32_t kBpf = 1U << (CAP_BPF - 32), kPerfmon = 1U << (CAP_PERFMON - 32);
  const uint32_t keep = (kept.bpf ? kBpf | kPerfmon : 0) | (kept.perf ? kPerfmon : 0);
  __user_cap_data_struct wanted[2] = {};
  wanted[1].permitted = wanted[1].effective = held[1].permitted & keep;
  if (syscall(SYS_capset, &header, wanted)) return fail_errno("capset");
  return {};
}

}  // namespace

Status bind_to(const std::vector<int>& cpus, const CpuLimiter& limiter) {
  if (Status s = limiter.enter(cpus); !s) return s;
  return have_exactly(cpus);
}

Status confine(pid_t parent, const std::vector<int>& cpus, const CpuLimiter& limiter,
               Privileges kept) {
  if (Status s = die_with(parent); !s) return s;
  if (Status s = bind_to(cpus, limiter); !s) return s;
  close_all_but(kept.descriptors);
  return keep_capabilities(kept);
}

}  // namespace gilscope
