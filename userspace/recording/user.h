// The user who called sudo: a command that gilscope runs is that user's, not root's.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "userspace/base/result.h"

namespace gilscope {

struct User {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // supplementary ones
  std::string name, home, shell;
};

// The user whom SUDO_UID and SUDO_GID name. Empty without them, for sudo called by root itself, and
// for a process that is not root by birth: the variables are mere text, and only root, who may
// become anybody, follows them. Fails if they name no user of this machine.
Result<std::optional<User>> user_of_sudo();

// The environment `before` as that user's: HOME, LOGNAME, SHELL and USER are the user's, and so is
// MAIL if there is one. sudo's own variables are left out; all others, PATH among them, stay.
std::vector<std::string> environment_of(const User& user, const char* const* before);

// Makes this process the user's, for good: no capability is left, and none can be got back but by
// executing a setuid program.
Status become(const User& user);

}  // namespace gilscope
