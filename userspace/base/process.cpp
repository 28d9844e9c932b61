#include "userspace/base/process.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <initializer_list>

namespace gilscope {
namespace {

bool was_closed[3];
struct Disposition {
  int signal;
  bool changed;
  struct sigaction before;
};
Disposition dispositions[] = {{SIGPIPE, false, {}}, {SIGXFSZ, false, {}}, {SIGCHLD, false, {}}};

}  // namespace

void take_standard_descriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
    was_closed[fd] = true;
    // open() takes the lowest free number, which is this one: those below it are open.
    if (::open("/dev/null", O_RDWR) == fd) continue;
    // Without /dev, O_PATH takes the number; it can be neither read nor written.
    static_cast<void>(::open("/", O_PATH));
  }
}

void set_signal_dispositions() {
  for (Disposition& disposition : dispositions) {
    struct sigaction wanted = {};
    wanted.sa_handler = disposition.signal == SIGCHLD ? SIG_DFL : SIG_IGN;
    disposition.changed = ::sigaction(disposition.signal, &wanted, &disposition.before) == 0;
  }
}

void undo_start_up() {
  for (const Disposition& disposition : dispositions) {
    if (disposition.changed) ::sigaction(disposition.signal, &disposition.before, nullptr);
  }
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (was_closed[fd]) ::close(fd);
  }
}

}  // namespace gilscope
