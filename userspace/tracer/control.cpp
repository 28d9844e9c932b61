#include "userspace/tracer/control.h"

#include <bpf/bpf.h>

namespace gilscope {

Status TraceControl::run(int program, const char* name, uint64_t argument) const {
  if (!traced_) return {};
  // A raw tracepoint program run by hand runs in the caller's own context (kernel 5.10, commit
  // 1b4d60ec162f): that is how it knows the caller's tid whatever the PID namespace.
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
