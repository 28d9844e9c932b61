// Files that somebody else's text names: they lie below one directory, or they are not opened.
#pragma once

#include <string>
#include <string_view>

#include "userspace/util/fd.h"
#include "userspace/util/result.h"

namespace gilscope {

// Whether `name` is one that leads downwards and nowhere else: "a/b", not "/a", "../a" or "a//b".
bool stays_below(std::string_view name);

// Opens a regular file for reading. `name` stays below `directory`; no symbolic link on the way,
// the last step included, is followed, and nobody at the other end of a pipe is waited for.
// `origin` names it in errors.
Result<Fd> open_below(int directory, const std::string& name, const std::string& origin);

// The same for a directory.
Result<Fd> open_directory_below(int directory, const std::string& name, const std::string& origin);

}  // namespace gilscope
