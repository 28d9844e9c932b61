// /run/gilscope, the directory of the lock and the journal, accessible only to its owner.
#pragma once

#include <string>

#include "userspace/base/fd.h"
#include "userspace/base/result.h"

namespace gilscope {

inline constexpr const char* kStateDirectory = "/run/gilscope";

// Creates the directory if it is missing. Refuses a symbolic link, a directory of another user, and
// one that others may enter.
Result<Fd> open_state_directory(const std::string& path = kStateDirectory);

// Opens a regular file of this user in the directory, never through a link. `flags` are as for
// open(2).
Result<Fd> open_state_file(const Fd& directory, const std::string& name, int flags,
                           const std::string& shown);

}  // namespace gilscope
