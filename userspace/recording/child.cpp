#include "userspace/recording/child.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include "userspace/base/exceptions.h"
#include "userspace/base/quote.h"
#include "userspace/base/refusal.h"

namespace gilscope {
namespace {

// As env(1) ends.
constexpr Exit kCannotExecute{126}, kNotFound{127};

// One message between parent and child, in either direction.
struct Word {
  enum Kind : int {
    ready,         // the child waits
    go,            // the parent lets it execute
    failed,        // the child has ended: `code` and `text` are its Error
    not_executed,  // execve(2) failed by `code`
  };
  Kind kind = ready;
  int code = 0;
  char text[400] = {};

  static Word of(const Error& error) {
    Word word = {.kind = failed, .code = static_cast<int>(error.code)};
    error.message.copy(word.text, sizeof(word.text) - 1);
    return word;
  }
};

void say(int socket, const Word& word) {
  while (::send(socket, &word, sizeof(word), MSG_NOSIGNAL) < 0 && errno == EINTR) {
  }
}

// Empty: the other end is closed.
std::optional<Word> hear(int socket) {
  Word word;
  ssize_t got;
  while ((got = ::recv(socket, &word, sizeof(word), 0)) < 0 && errno == EINTR) {
  }
  return got == sizeof(word) ? std::optional(word) : std::nullopt;
}

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

Status give_descriptors(const ChildOptions& options) {
  for (int number = 0; number < 3; ++number) {
    const int given = options.standard[number];
    if (given >= 0 && ::dup2(given, number) < 0) return fail_errno("dup2");
  }
  for (const int fd : options.descriptors) {
    if (::fcntl(fd, F_SETFD, 0)) return fail_errno("fcntl(F_SETFD)");
  }
  return {};
}

// Where a root has no /proc and /dev of its own, programs miss them: a JVM does not start. They are
// mounted in a namespace that ends with the process; where that is not allowed, it goes without.
void mount_for(const std::string& root) {
  if (::unshare(CLONE_NEWNS)) return;
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr)) return;
  const auto at = [&root](const char* name) { return root + name; };
  if (::access(at("/proc/self").c_str(), F_OK) != 0) {
    ::mount("proc", at("/proc").c_str(), "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
  }
  if (::access(at("/dev/null").c_str(), F_OK) != 0) {
    ::mount("/dev", at("/dev").c_str(), nullptr, MS_BIND, nullptr);
  }
}

Status enter_root(const std::string& root) {
  if (root.empty()) return {};
  mount_for(root);
  if (::chroot(root.c_str())) return refused(fmt::format("cannot chroot to {}", in_quotes(root)));
  return ::chdir("/") ? fail_errno("chdir") : Status();
}

// In the child, once it is who it will be: changing that clears the setting.
Status die_with_parent(pid_t parent) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL)) return fail_errno("prctl(PR_SET_PDEATHSIG)");
  if (::getppid() != parent) return fail("the parent process is gone");
  return {};
}

// In the child. Returns only if the command cannot be executed; `socket` is closed if it can.
Status run_command(int socket, pid_t parent, char* const* arguments, char* const* environment,
                   const ChildOptions& options) {
  if (Status hooked = options.in_child(); !hooked) return hooked;
  say(socket, {.kind = Word::ready});
  if (const auto word = hear(socket); !word || word->kind != Word::go) ::_exit(0);
  if (Status given = options.inherited.give_back(); !given) return given;
  if (Status given = give_descriptors(options); !given) return given;
  if (Status entered = enter_root(options.root); !entered) return entered;
  if (options.user) {
    if (Status lowered = become(*options.user); !lowered) return lowered;
  }
  if (options.dies_with_parent) {
    if (Status set = die_with_parent(parent); !set) return set;
  }
  options.inherited.unblock();
  ::execvpe(arguments[0], arguments, environment);
  say(socket, {.kind = Word::not_executed, .code = errno});
  ::_exit(0);
}

std::string why_not_executed(const std::string& name, int error) {
  struct stat file {};
  const bool has_path = name.find('/') != name.npos;
  const bool there = has_path && ::stat(name.c_str(), &file) == 0;
  std::string hint;
  if (name.empty()) {
    hint = ": the command is an empty word";
  } else if (there && S_ISDIR(file.st_mode)) {
    hint = ": it is a directory";
  } else if (there && error == ENOENT) {
    hint = ": the interpreter that its first line or its header names is missing";
  } else if (!has_path && error == ENOENT) {
    hint =
        ": it is in no directory of PATH; name it by its path where sudo has set a PATH of its own";
  }
  return fmt::format("cannot execute {}: {}{}", in_quotes(name), std::strerror(error), hint);
}

}  // namespace

int CommandEnd::exit_status() const {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

Result<Child> Child::start(const std::vector<std::string>& command, const ChildOptions& options) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends)) return refused("socketpair");
  Child child;
  child.words_ = Fd(ends[0]);
  Fd theirs(ends[1]);
  child.name_ = command.front();
  const auto arguments = pointers_to(command);
  std::vector<std::string> texts;
  if (options.user) {
    texts = environment_of(*options.user, environ);
  } else {
    for (char** variable = environ; *variable != nullptr; ++variable) texts.emplace_back(*variable);
  }
  texts.insert(texts.end(), options.variables.begin(), options.variables.end());
  const auto own = pointers_to(texts);
  const pid_t parent = ::getpid();
  child.pid_ = ::fork();
  if (child.pid_ < 0) return refused("cannot start the command");
  if (child.pid_ == 0) {
    child.words_ = Fd();
    // No exception may leave this block: the frames above are the parent's.
    const Status ended = catch_exceptions(
        [&] { return run_command(theirs.get(), parent, arguments.data(), own.data(), options); });
    say(theirs.get(), Word::of(ended.error()));
    ::_exit(0);
  }
  theirs = Fd();
  child.process_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, child.pid_, 0)));
  if (!child.process_) return refused("pidfd_open");
  const auto word = hear(child.words_.get());
  if (!word) {
    return fail(fmt::format("the process for {} died before it was ready", in_quotes(child.name_)));
  }
  if (word->kind != Word::ready) return fail(static_cast<Exit>(word->code), word->text);
  return child;
}

Child::Child(Child&& other) noexcept
    : name_(std::move(other.name_)),
      pid_(std::exchange(other.pid_, -1)),
      process_(std::move(other.process_)),
      words_(std::move(other.words_)) {}

Child::~Child() {
  if (pid_ < 0 || !words_) return;
  words_ = Fd();
  wait();
}

Status Child::release() {
  say(words_.get(), {.kind = Word::go});
  const auto word = hear(words_.get());
  words_ = Fd();
  // It has executed the command, or died on the way there: wait() tells.
  if (!word) return {};
  wait();
  if (word->kind == Word::failed) return fail(static_cast<Exit>(word->code), word->text);
  return fail(word->code == ENOENT ? kNotFound : kCannotExecute,
              why_not_executed(name_, word->code));
}

void Child::signal(int number) const {
  // Not by its number, which another process may have by now.
  ::syscall(SYS_pidfd_send_signal, process_.get(), number, nullptr, 0);
}

CommandEnd Child::wait() {
  CommandEnd end;
  while (::wait4(pid_, &end.status, 0, &end.usage) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return end;
}

}  // namespace gilscope
