// Opens files named by untrusted text, and only those below a given directory.
#pragma once

#include <string>
#include <string_view>

#include "userspace/base/fd.h"
#include "userspace/base/result.h"

namespace gilscope {

// Whether `name` only leads downwards: "a/b", but not "/a", "../a" or "a//b".
bool stays_below(std::string_view name);

// Opens a regular file for reading. `name` must stay below `directory`. Follows no symbolic link,
// not even as the last component, and does not block on a FIFO without a writer. Errors name the
// file by `origin`.
Result<Fd> open_below(int directory, const std::string& name, const std::string& origin);

// The same for a directory.
Result<Fd> open_directory_below(int directory, const std::string& name, const std::string& origin);

}  // namespace gilscope
