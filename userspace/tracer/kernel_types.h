// The running kernel's own types (BTF), or why they cannot be had.
#pragma once

#include <bpf/btf.h>

#include <memory>

#include "userspace/util/result.h"

namespace gilscope {

struct FreeBtf {
  void operator()(btf* types) const { btf__free(types); }
};
using KernelTypes = std::unique_ptr<btf, FreeBtf>;

inline constexpr const char* kKernelTypesPath = "/sys/kernel/btf/vmlinux";

// The error is Exit::unable: the kernel has none, its file cannot be read, or there is no memory
// for them, each with the way out.
Result<KernelTypes> load_kernel_types();

}  // namespace gilscope
