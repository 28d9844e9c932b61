// /run/gilscope: where the lock and the journal are. Nobody but its owner gets in.
#pragma once

#include <string>

#include "userspace/util/fd.h"
#include "userspace/util/result.h"

namespace gilscope {

inline constexpr const char* kStateDirectory = "/run/gilscope";

// Makes it where it is missing. Refuses a symbolic link, another owner than this process's user,
// and a directory that others may enter.
Result<Fd> open_state_directory(const std::string& path = kStateDirectory);

// A regular file of its owner's in there; never through a link. `flags` as for open(2).
Result<Fd> open_state_file(const Fd& directory, const std::string& name, int flags,
                           const std::string& shown);

}  // namespace gilscope
