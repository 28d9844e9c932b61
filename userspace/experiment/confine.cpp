#include "userspace/experiment/confine.h"

#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <memory>
#include <vector>

namespace gilscope {
namespace {

Status die_with(pid_t parent) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL)) return fail_errno("prctl(PR_SET_PDEATHSIG)");
  // The parent may have died before the call took effect.
  if (getppid() != parent) return fail("the parent process is gone");
  return {};
}

Status keep_to(std::span<const int> cpus) {
  int highest = *std::max_element(cpus.begin(), cpus.end());
  size_t bytes = CPU_ALLOC_SIZE(highest + 1);
  std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set(CPU_ALLOC(highest + 1),
                                                       [](cpu_set_t* s) { CPU_FREE(s); });
  CPU_ZERO_S(bytes, set.get());
  for (int cpu : cpus) CPU_SET_S(cpu, bytes, set.get());
  if (sched_setaffinity(0, bytes, set.get())) {
    return fail_errno(fmt::format("cannot keep to the run's {} CPUs", cpus.size()));
  }
  return {};
}

// All but the standard ones and what a run needs: the programs that the threads run on themselves,
// sockets, files. In particular the links: a worker must not keep a program attached.
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

// The kernel's own call: one process, one thread so far, and nothing that a library would add.
Status keep_capabilities(bool bpf) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return fail_errno("prctl(PR_SET_NO_NEW_PRIVS)");
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct held[2] = {};
  if (syscall(SYS_capget, &header, held)) return fail_errno("capget");
  // Running a loaded program on itself takes CAP_BPF where unprivileged BPF is off.
  constexpr uint32_t kBpf = 1U << (CAP_BPF - 32), kPerfmon = 1U << (CAP_PERFMON - 32);
  uint32_t keep = bpf ? kBpf | kPerfmon : 0;
  __user_cap_data_struct wanted[2] = {};
  wanted[1].permitted = wanted[1].effective = held[1].permitted & keep;
  if (syscall(SYS_capset, &header, wanted)) return fail_errno("capset");
  return {};
}

}  // namespace

Status confine(pid_t parent, std::span<const int> cpus, Kept kept) {
  if (Status s = die_with(parent); !s) return s;
  // ^C goes to the whole group of processes; the parent decides what becomes of a run.
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGTERM, SIG_DFL);
  if (Status s = keep_to(cpus); !s) return s;
  close_all_but(std::move(kept.descriptors));
  return keep_capabilities(kept.bpf);
}

}  // namespace gilscope
