// This program, and what else of BPF is in the kernel: other programs on the same tracepoints cost
// every switch time.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "userspace/experiment/environment/parts.h"

namespace gilscope {
namespace {

// All that are loaded, whoever loaded them; which of them are attached to what is not asked.
Result<int64_t> loaded_programs() {
  constexpr int64_t kMany = 100000;  // programs come and go, ids only grow: this ends all the same
  int64_t count = 0;
  for (__u32 id = 0; count < kMany; ++count) {
    const int result = bpf_prog_get_next_id(id, &id);
    if (result == -ENOENT) return count;
    if (result < 0) return fail_errno("counting BPF programs", -result);
  }
  return count;
}

}  // namespace

void add_tool_facts(FactList& facts) {
  facts.add("tool.version", GILSCOPE_VERSION);
  facts.add("tool.libbpf", libbpf_version_string());
  // Before gilscope loads its own.
  facts.add("bpf.programs", loaded_programs());
}

}  // namespace gilscope
