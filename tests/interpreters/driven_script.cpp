#include "tests/interpreters/driven_script.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <ostream>
#include <thread>
#include <utility>

#include "userspace/experiment/scripts/scripts.h"

namespace gilscope {
namespace {

constexpr int kPatienceMs = 30'000;

// Duplicates the descriptors upwards, so that each has a number that no other takes.
std::vector<int> kept_open(const std::vector<int>& descriptors) {
  std::vector<int> kept;
  for (const int fd : descriptors) kept.push_back(::fcntl(fd, F_DUPFD, 64));
  return kept;
}

std::string version_of(const Installed& interpreter) {
  const std::string& name = interpreter.name;
  return kind_of(interpreter) == "jython" || name.find("python2") != name.npos ? "2.7" : "3";
}

}  // namespace

std::string kind_of(const Installed& interpreter) {
  for (const char* kind : {"pypy", "ruby", "jython"}) {
    if (interpreter.name.starts_with(kind)) return kind;
  }
  return "python";
}

void PrintTo(const Installed& interpreter, std::ostream* out) {
  *out << interpreter.path;
}

Result<std::unique_ptr<DrivenScript>> DrivenScript::start(const Installed& interpreter,
                                                          const std::string& workload,
                                                          const DrivenScriptOptions& options) {
  auto interrupt = Interrupt::watch();
  if (!interrupt) return fail(interrupt.error());
  std::unique_ptr<DrivenScript> run(new DrivenScript(std::move(*interrupt)));
  const auto text = read_workload(workload);
  if (!text) return fail(text.error());
  auto made = make_workload(workload);
  if (!made) return fail(made.error());
  run->workload_ = std::move(*made);
  if (Status s = run->workload_->prepare(options.threads); !s) return fail(s.error());
  std::vector<int> connections = run->workload_->server_descriptors();
  if (options.broken) connections.assign(options.threads, -1);
  if (run->workload_->has_client()) {
    auto book = SampleBook::make(options.threads, 1 << 20);
    if (!book) return fail(book.error());
    run->book_ = std::move(*book);
    auto client = ClientProcess::start(*run->workload_, run->book_, {0}, run->interrupt_);
    if (!client) return fail(client.error());
    run->client_.emplace(std::move(*client));
  }

  auto script = open_script(kind_of(interpreter));
  if (!script) return fail(script.error());
  int gate[2], results[2];
  if (::pipe2(gate, O_CLOEXEC)) return fail_errno("cannot make a pipe");
  const Fd gate_read(gate[0]);
  run->gate_ = Fd(gate[1]);
  if (::pipe2(results, O_CLOEXEC)) return fail_errno("cannot make a pipe");
  run->results_ = Fd(results[0]);
  const Fd results_write(results[1]);
  run->printed_ = Fd(::memfd_create("printed", MFD_CLOEXEC));

  const std::string root = interpreter.root();
  const std::string kind = kind_of(interpreter);
  run->pid_ = ::fork();
  if (run->pid_ < 0) return fail_errno("cannot start " + interpreter.path);
  if (run->pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::dup2(script->get(), STDIN_FILENO);
    ::dup2(run->printed_.get(), STDOUT_FILENO);
    ::dup2(run->printed_.get(), STDERR_FILENO);
    const std::vector<int> pipes = kept_open({gate_read.get(), results_write.get()});
    const std::string task = task_json({.workload = *text,
                                        .threads = options.threads,
                                        .threaded = options.threaded,
                                        .join_at_end = options.join_at_end,
                                        .gate = pipes[0],
                                        .results = pipes[1],
                                        .connections = kept_open(connections),
                                        .switch_interval_ns = options.switch_interval_ns,
                                        .check_interval = options.check_interval});
    const std::string file = executable_of(kind, root, interpreter.path.substr(root.size()));
    std::vector<std::string> words = argv_for(kind, file, version_of(interpreter), task);
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    if (!root.empty() && !enter_root(root, "/tmp")) ::_exit(126);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  return run;
}

DrivenScript::~DrivenScript() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

nlohmann::json DrivenScript::next() {
  for (;;) {
    if (const size_t end = read_.find('\n'); end != read_.npos) {
      const std::string line = read_.substr(0, end);
      read_.erase(0, end + 1);
      return nlohmann::json::parse(line, nullptr, false);
    }
    if (!says_something(kPatienceMs)) return nullptr;
    char part[1 << 16];
    const ssize_t got = ::read(results_.get(), part, sizeof part);
    if (got <= 0) return nullptr;
    read_.append(part, static_cast<size_t>(got));
  }
}

bool DrivenScript::says_something(int within_ms) const {
  pollfd readable = {results_.get(), POLLIN, 0};
  return ::poll(&readable, 1, within_ms) == 1;
}

void DrivenScript::say(const std::string& word) {
  const std::string line = word + "\n";
  [[maybe_unused]] const ssize_t written = ::write(gate_.get(), line.data(), line.size());
}

int DrivenScript::wait() {
  for (int left_ms = kPatienceMs; left_ms > 0; left_ms -= 5) {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return 255;
}

std::string DrivenScript::printed() const {
  std::string text(1 << 16, '\0');
  const ssize_t got = ::pread(printed_.get(), text.data(), text.size(), 0);
  text.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return text;
}

double DrivenScript::sent() const {
  std::map<std::string, double> results = {{"operations", 0}, {"operations_per_s", 0}};
  workload_->add_results(results);
  return results["sent"];
}

size_t DrivenScript::samples_of_client() const {
  size_t sum = 0;
  for (size_t i = 0; i < book_.writers(); ++i) sum += book_.samples(i).size();
  return sum;
}

}  // namespace gilscope
