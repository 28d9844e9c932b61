// The running kernel's types (BTF), or the reason why they cannot be had.
#pragma once

#include <bpf/btf.h>

#include <memory>

#include "userspace/base/result.h"

namespace gilscope {

struct FreeBtf {
  void operator()(btf* types) const { btf__free(types); }
};
using KernelTypes = std::unique_ptr<btf, FreeBtf>;

inline constexpr const char* kKernelTypesPath = "/sys/kernel/btf/vmlinux";

// Fails with Exit::unable and the way out: the kernel has no BTF, its file cannot be read, or there
// is not enough memory for it.
Result<KernelTypes> load_kernel_types();

}  // namespace gilscope
