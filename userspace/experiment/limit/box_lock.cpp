#include "userspace/experiment/limit/box_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>

#include "userspace/experiment/environment/box.h"

namespace gilscope {
namespace {

// In /proc's own words and for the reader only: who holds it may be in another PID namespace.
std::string holder(const Fd& file) {
  char text[32] = {};
  const ssize_t got = ::pread(file.get(), text, sizeof(text) - 1, 0);
  const auto pid = to_number(std::string_view(text, got > 0 ? static_cast<size_t>(got) : 0));
  return pid ? fmt::format(" (process {})", *pid) : "";
}

tl::unexpected<Error> taken(const std::string& by) {
  return fail(fmt::format(
      "another gilscope{} runs an experiment on this box, and two would measure each other: wait "
      "for its end",
      by));
}

Result<Fd> bind_name(uid_t user) {
  Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return fail_errno("socket");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = fmt::format("gilscope-{}", user);
  name.copy(address.sun_path + 1, sizeof(address.sun_path) - 1);  // a leading NUL: abstract
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0) return socket;
  if (errno == EADDRINUSE) return taken(" of this user");
  return fail_errno("cannot bind the name " + name);
}

}  // namespace

Result<BoxLock> BoxLock::take(const std::string& directory) {
  if (directory == kStateDirectory && ::geteuid() != 0) {
    auto socket = bind_name(::geteuid());
    if (!socket) return fail(socket.error());
    return BoxLock(std::move(*socket));
  }
  auto opened = open_state_directory(directory);
  if (!opened) return fail(opened.error());
  auto file = open_state_file(*opened, "lock", O_RDWR | O_CREAT, directory + "/lock");
  if (!file) return fail(file.error());
  if (::flock(file->get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return taken(holder(*file));
    return fail_errno("cannot lock " + directory + "/lock");
  }
  const std::string pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(file->get(), 0) != 0 || ::pwrite(file->get(), pid.data(), pid.size(), 0) < 0) {
    return fail_errno("cannot write " + directory + "/lock");
  }
  return BoxLock(std::move(*file));
}

}  // namespace gilscope
