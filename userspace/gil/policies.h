// Makes a policy's lock from its text. Names, parameters and all that is known of a policy without
// running it: userspace/descriptor/policy.h.
#pragma once

#include <memory>
#include <string_view>

#include "userspace/base/result.h"
#include "userspace/descriptor/policy.h"
#include "userspace/gil/gil.h"

namespace gilscope {

Result<std::unique_ptr<Gil>> make_gil(std::string_view text);

}  // namespace gilscope
