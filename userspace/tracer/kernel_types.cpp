#include "userspace/tracer/kernel_types.h"

#include <unistd.h>

#include "userspace/base/refusal.h"

namespace gilscope {

Result<KernelTypes> load_kernel_types() {
  const std::string cannot =
      fmt::format("cannot read the kernel's types (BTF, {})", kKernelTypesPath);
  if (::access(kKernelTypesPath, F_OK) == 0) {
    // The library's own search would lose the reason why an existing file could not be used.
    KernelTypes types(btf__parse(kKernelTypesPath, nullptr));
    if (!types) return refused(cannot);
    return types;
  }
  if (errno != ENOENT) return refused(cannot);
  // Some systems keep BTF beside the kernel's image.
  KernelTypes types(btf__load_vmlinux_btf());
  if (types) return types;
  const int error = errno;
  if (error == ENOMEM || error == EMFILE || error == ENFILE) return refused(cannot, error);
  if (Status sys = require_sys(); !sys) return fail(sys.error());
  return fail(Exit::unable,
              fmt::format("this kernel has no BTF (there is no {}): boot one built with "
                          "CONFIG_DEBUG_INFO_BTF=y, as Debian's are",
                          kKernelTypesPath));
}

}  // namespace gilscope
