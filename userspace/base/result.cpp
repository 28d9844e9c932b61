#include "userspace/base/result.h"

namespace gilscope {

tl::unexpected<Error> fail_errno(const std::string& what, int error) {
  return fail(fmt::format("{}: {}", what, std::strerror(error)));
}

}  // namespace gilscope
