#include "userspace/tracer/control.h"

#include <bpf/bpf.h>

#include "userspace/base/time.h"

namespace gilscope {

// Waits busily: a thread that slept here would be switched back in at the window's edge.
Status TraceControl::edge(int program, const char* name) const {
  if (Status s = run(program, name, programs_.lead_ns); !s || !traced_) return s;
  const uint64_t there = monotonic_ns() + programs_.lead_ns;
  while (monotonic_ns() < there) continue;
  return {};
}

Status TraceControl::run(int program, const char* name, uint64_t argument) const {
  if (!traced_) return {};
  // BPF_PROG_TEST_RUN runs a raw tracepoint program in the caller's context (kernel 5.10, commit
  // 1b4d60ec162f), so the program sees the caller's tid whatever the PID namespace.
  uint64_t context[1] = {argument};
  LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = context, .ctx_size_in = sizeof(context));
  if (bpf_prog_test_run_opts(program, &options)) {
    return fail_errno(fmt::format("cannot run the BPF program {}", name));
  }
  if (static_cast<int>(options.retval) != 0) {
    return fail(fmt::format("the BPF program {} refused slot {}", name, argument));
  }
  return {};
}

}  // namespace gilscope
