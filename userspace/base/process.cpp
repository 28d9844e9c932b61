#include "userspace/base/process.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <initializer_list>

namespace gilscope {

void take_standard_descriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
    // open() takes the lowest free number, which is this one: those below it are open.
    if (::open("/dev/null", O_RDWR) == fd) continue;
    // Without /dev, O_PATH takes the number; it can be neither read nor written.
    static_cast<void>(::open("/", O_PATH));
  }
}

void set_signal_dispositions() {
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);
  ::signal(SIGCHLD, SIG_DFL);
}

}  // namespace gilscope
