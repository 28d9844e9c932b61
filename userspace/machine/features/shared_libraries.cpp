#include "userspace/machine/features/shared_libraries.h"

#include <link.h>

#include <string_view>

namespace gilscope {

std::vector<std::string> shared_libraries() {
  std::vector<std::string> names;
  const auto add = [](dl_phdr_info* info, size_t, void* to) {
    const std::string_view path = info->dlpi_name;
    const size_t slash = path.rfind('/');
    // The program itself and the vDSO have no path here.
    if (slash != std::string_view::npos) {
      static_cast<std::vector<std::string>*>(to)->emplace_back(path.substr(slash + 1));
    }
    return 0;
  };
  ::dl_iterate_phdr(add, &names);
  return names;
}

}  // namespace gilscope
