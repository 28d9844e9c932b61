#include "tests/interpreters/subjects.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <utility>

#include "tests/interpreters/read_line.h"

namespace gilscope {
namespace {

constexpr const char* kPrograms = "tests/interpreters/programs";
constexpr int kPatienceMs = 60'000;

// Versions that pyenv made are called after their directory.
std::string name_of(const std::string& path) {
  const std::filesystem::path file(path);
  if (file.filename() != "python") return file.filename();
  return "python" + file.parent_path().parent_path().filename().string();
}

}  // namespace

bool enter_root(const std::string& root, const std::string& programs) {
  if (::unshare(CLONE_NEWNS) || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr)) {
    return false;
  }
  const std::array<std::pair<std::string, std::string>, 3> bound = {
      std::pair{std::string("/proc"), root + "/proc"},
      {"/dev", root + "/dev"},
      {programs, root + "/mnt"}};
  for (const auto& [from, to] : bound) {
    if (::mount(from.c_str(), to.c_str(), nullptr, MS_BIND | MS_REC, nullptr)) return false;
  }
  return ::chroot(root.c_str()) == 0 && ::chdir("/mnt") == 0;
}

std::string Installed::root() const {
  const size_t at = path.rfind("/usr/bin/");
  return at == std::string::npos ? "" : path.substr(0, at);
}

std::vector<Installed> installed() {
  std::vector<Installed> found;
  if (::access("/usr/bin/python3", X_OK) == 0) found.push_back({"python3", "/usr/bin/python3"});
  const char* given = std::getenv("GILSCOPE_INTERPRETERS");
  std::istringstream list(given ? given : "");
  for (std::string path; std::getline(list, path, ':');) {
    if (::access(path.c_str(), X_OK) == 0) found.push_back({name_of(path), path});
  }
  return found;
}

std::optional<Installed> installed(const std::string& name) {
  for (const Installed& one : installed()) {
    if (one.name.starts_with(name)) return one;
  }
  return std::nullopt;
}

AtWork::AtWork(pid_t pid, Fd in, Fd out) : pid_(pid), in_(std::move(in)), out_(std::move(out)) {}

AtWork::AtWork(AtWork&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), in_(std::move(other.in_)), out_(std::move(other.out_)) {}

AtWork::~AtWork() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

Result<AtWork> AtWork::start(const Installed& interpreter, const std::string& program,
                             const std::vector<std::string>& arguments) {
  const std::string root = interpreter.root();
  const std::string programs = std::filesystem::absolute(kPrograms).string();
  std::vector<std::string> words = {interpreter.path.substr(root.size())};
  if (interpreter.name.starts_with("jython")) {
    for (const char* word : {"-cp", "/usr/share/java/jython.jar", "-Dpython.home=/usr/share/jython",
                             "-Dpython.cachedir.skip=true", "org.python.util.jython"}) {
      words.emplace_back(word);
    }
  }
  // No byte code is left beside the programs.
  if (!interpreter.name.starts_with("ruby")) words.emplace_back("-B");
  words.push_back(program.starts_with('/') ? program
                                           : (root.empty() ? programs : "/mnt") + "/" + program);
  words.emplace_back("gate");
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  int to[2], from[2];
  if (::pipe2(to, O_CLOEXEC)) return fail_errno("cannot make a pipe");
  Fd to_read(to[0]), to_write(to[1]);
  if (::pipe2(from, O_CLOEXEC)) return fail_errno("cannot make a pipe");
  Fd from_read(from[0]), from_write(from[1]);
  const pid_t pid = ::fork();
  if (pid < 0) return fail_errno("cannot start " + interpreter.path);
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::dup2(to_read.get(), STDIN_FILENO);
    ::dup2(from_write.get(), STDOUT_FILENO);
    if (!root.empty() && !enter_root(root, programs)) ::_exit(126);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  AtWork at_work(pid, std::move(to_write), std::move(from_read));
  from_write = Fd();
  auto ready = at_work.line();
  if (!ready) return fail(ready.error());
  if (*ready != "ready") return fail(interpreter.name + " said '" + *ready + "' instead of ready");
  return at_work;
}

Result<std::string> AtWork::line() {
  return read_line(out_, kPatienceMs);
}

Status AtWork::go(double seconds) {
  const std::string line = fmt::format("{}\n", seconds);
  if (::write(in_.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    return fail_errno("cannot tell the program to go");
  }
  return {};
}

Result<uint64_t> AtWork::done() {
  auto said = line();
  if (!said) return fail(said.error());
  if (!said->starts_with("done ")) return fail("the program said '" + *said + "' instead of done");
  return std::strtoull(said->c_str() + 5, nullptr, 10);
}

int AtWork::end() {
  in_ = Fd();
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace gilscope
