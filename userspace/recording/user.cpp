#include "userspace/recording/user.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>

#include "userspace/base/fd.h"
#include "userspace/base/file_io.h"
#include "userspace/base/quote.h"

namespace gilscope {
namespace {

// A user's or a group's number: digits alone. The highest one means "unchanged" to the kernel.
std::optional<uint32_t> to_id(std::string_view text) {
  uint32_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size() || id == UINT32_MAX) return {};
  return id;
}

// The answer of the machine's own getent(1). A static program cannot load the modules of the name
// service (getpwuid(3) would), and a user may be known to a directory server only.
Result<std::string> ask_getent(const char* database, const std::string& key) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC)) return fail_errno("pipe2");
  const Fd from(ends[0]);
  Fd to(ends[1]);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, to.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  const char* const arguments[] = {"getent", "--", database, key.c_str(), nullptr};
  const char* const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", nullptr};
  pid_t pid = -1;
  int error = ENOENT;
  for (const char* path : {"/usr/bin/getent", "/bin/getent"}) {
    error = ::posix_spawn(&pid, path, &actions, nullptr, const_cast<char* const*>(arguments),
                          const_cast<char* const*>(environment));
    if (error != ENOENT) break;
  }
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return fail_errno("cannot run getent, which knows this machine's users", error);
  to = Fd();
  constexpr size_t kEnough = 1 << 20;
  auto text = read_to_end(from.get(), kEnough, "cannot read from getent", "getent says too much");
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!text) return text;
  if (status != 0) return fail(fmt::format("getent knows no {} {}", database, in_quotes(key)));
  return text;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(separator, at), text.size());
    parts.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

// From a line of passwd(5): name:password:uid:gid:comment:home:shell.
Result<User> user_with(uid_t uid) {
  const auto text = ask_getent("passwd", std::to_string(uid));
  if (!text) return fail(text.error());
  const auto fields = split(std::string_view(*text).substr(0, text->find('\n')), ':');
  const auto gid = fields.size() == 7 ? to_id(fields[3]) : std::nullopt;
  if (!gid || fields[0].empty() || to_id(fields[2]) != uid) {
    return fail(fmt::format("getent says {} of user {}, which is no line of passwd(5)",
                            in_quotes(*text), uid));
  }
  return User{.uid = uid,
              .gid = *gid,
              .groups = {},
              .name = fields[0],
              .home = fields[5],
              .shell = fields[6]};
}

// From a line like "name   4 24 27".
Result<std::vector<gid_t>> groups_of(const std::string& name) {
  const auto text = ask_getent("initgroups", name);
  if (!text) return fail(text.error());
  std::vector<gid_t> groups;
  std::string_view rest = std::string_view(*text).substr(0, text->find('\n'));
  rest.remove_prefix(std::min(rest.size(), name.size()));
  for (const std::string& word : split(rest, ' ')) {
    if (word.empty()) continue;
    const auto group = to_id(word);
    if (!group) return fail(fmt::format("getent says {} of {}'s groups", in_quotes(word), name));
    groups.push_back(*group);
  }
  return groups;
}

bool sets(std::string_view assignment, std::string_view name) {
  return assignment.size() > name.size() && assignment.starts_with(name) &&
         assignment[name.size()] == '=';
}

}  // namespace

Result<std::optional<User>> user_of_sudo() {
  const char* const uid_text = std::getenv("SUDO_UID");
  const char* const gid_text = std::getenv("SUDO_GID");
  if (uid_text == nullptr || ::getuid() != 0 || ::geteuid() != 0) return std::optional<User>();
  const auto uid = to_id(uid_text);
  if (!uid) return fail(fmt::format("SUDO_UID={} is no user's number", in_quotes(uid_text)));
  if (*uid == 0) return std::optional<User>();
  auto user = user_with(*uid);
  if (!user)
    return fail(fmt::format("SUDO_UID={}: {}; unset it to run the command as root", *uid,
                            user.error().message));
  auto groups = groups_of(user->name);
  if (!groups) return fail(groups.error());
  user->groups = std::move(*groups);
  if (gid_text != nullptr) {
    const auto gid = to_id(gid_text);
    const bool theirs =
        gid && (*gid == user->gid || std::ranges::find(user->groups, *gid) != user->groups.end());
    if (!theirs) {
      return fail(
          fmt::format("SUDO_GID={} is no group of {}", in_quotes(gid_text), in_quotes(user->name)));
    }
    user->gid = *gid;
  }
  std::erase(user->groups, user->gid);
  user->groups.insert(user->groups.begin(), user->gid);  // as initgroups(3) and login do
  return std::optional<User>(std::move(*user));
}

std::vector<std::string> environment_of(const User& user, const char* const* before) {
  static constexpr std::string_view kOfSudo[] = {"SUDO_COMMAND", "SUDO_GID", "SUDO_UID",
                                                 "SUDO_USER", "SUDO_HOME"};
  static constexpr std::string_view kOfTheUser[] = {"HOME", "LOGNAME", "SHELL", "USER"};
  std::vector<std::string> environment;
  for (; *before != nullptr; ++before) {
    const std::string_view variable = *before;
    const auto is = [variable](std::string_view name) { return sets(variable, name); };
    if (std::ranges::any_of(kOfSudo, is) || std::ranges::any_of(kOfTheUser, is)) continue;
    environment.push_back(is("MAIL") ? "MAIL=/var/mail/" + user.name : std::string(variable));
  }
  environment.push_back("HOME=" + user.home);
  environment.push_back("LOGNAME=" + user.name);
  environment.push_back("SHELL=" + user.shell);
  environment.push_back("USER=" + user.name);
  return environment;
}

Status become(const User& user) {
  if (::setgroups(user.groups.size(), user.groups.data())) return fail_errno("setgroups");
  if (::setresgid(user.gid, user.gid, user.gid)) return fail_errno("setresgid");
  if (::setresuid(user.uid, user.uid, user.uid)) return fail_errno("setresuid");
  // The kernel drops them with the last uid of 0, unless a securebit says otherwise; it always
  // keeps the inheritable ones.
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct none[2] = {};
  if (::syscall(SYS_capset, &header, none)) return fail_errno("capset");
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)) {
    return fail_errno("prctl(PR_CAP_AMBIENT)");
  }
  if (::setuid(0) == 0) return fail("the kernel let a user become root again");
  return {};
}

}  // namespace gilscope
