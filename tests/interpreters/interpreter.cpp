#include "tests/interpreters/interpreter.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/kernel/program.h"

namespace gilscope {
namespace {

constexpr int kPatienceMs = 30'000;

std::vector<std::string> paths() {
  std::vector<std::string> paths;
  for (const char* command : {"command -v python3", "PATH=/usr/bin command -v python3"}) {
    const std::string which = shell(command).out;
    if (!which.empty()) paths.push_back(which.substr(0, which.find('\n')));
  }
  const char* given = std::getenv("GILSCOPE_INTERPRETERS");
  std::istringstream list(given ? given : "");
  for (std::string path; std::getline(list, path, ':');) {
    if (!path.empty()) paths.push_back(path);
  }
  return paths;
}

std::string quoted(const std::string& path) {
  return "'" + path + "'";  // no path of an interpreter has a quote in it
}

// Asks the interpreter itself.
RealInterpreter interpreter_at(const std::string& path) {
  RealInterpreter found;
  const size_t root = path.rfind("/usr/bin/");
  found.root = root == path.npos ? "" : path.substr(0, root);
  found.path = path.substr(found.root.size());
  const std::string base = std::filesystem::path(path).filename();
  found.kind = base.starts_with("ruby") ? "ruby" : "python";
  // A shell script may stand before it (pyenv's shims): then the file that it starts.
  const std::string version =
      found.kind == "ruby"
          ? " -e 'puts RbConfig.ruby, RUBY_VERSION.split(\".\")[0, 2].join(\" \"), \"ruby\"'"
          : " -c 'import os, sys, platform; print(os.path.realpath(sys.executable)); "
            "print(\"%d %d\" % sys.version_info[:2]); print(platform.python_implementation()); "
            "print(int(\"free-threading\" in sys.version))'";
  std::string command;
  for (const std::string& word : command_of(found)) command += quoted(word) + " ";
  std::istringstream said(shell(command + version + " 2>/dev/null").out);
  std::string implementation;
  std::getline(said, found.path);
  int free_threaded = 0;
  said >> found.major >> found.minor >> implementation >> free_threaded;
  found.free_threaded = free_threaded != 0;
  if (implementation == "PyPy") found.kind = "pypy";
  if (implementation == "Jython") found.kind = "jython";
  for (const char c : found.root + found.path) {
    if (std::isalnum(static_cast<unsigned char>(c))) {
      found.name += c;
    } else if (!found.name.empty() && found.name.back() != '_') {
      found.name += '_';
    }
  }
  return found;
}

// The last of the processes that this one started, and so on.
pid_t last_descendant(pid_t pid) {
  for (int depth = 0; depth < 16; ++depth) {
    std::ifstream file(fmt::format("/proc/{0}/task/{0}/children", pid));
    pid_t child = 0, last = 0;
    while (file >> child) last = child;
    if (last == 0) break;
    pid = last;
  }
  return pid;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const RealInterpreter& interpreter) {
  return out << interpreter.path;
}

const std::vector<RealInterpreter>& interpreters() {
  static const std::vector<RealInterpreter> known = [] {
    std::vector<RealInterpreter> found;
    std::set<std::string> names;
    for (const std::string& path : paths()) {
      RealInterpreter interpreter = interpreter_at(path);
      if (interpreter.major == 0 || !names.insert(interpreter.name).second) continue;
      found.push_back(std::move(interpreter));
    }
    std::ranges::sort(found, {}, &RealInterpreter::name);
    return found;
  }();
  return known;
}

RunningScript::RunningScript(const RealInterpreter& interpreter, const std::string& script,
                             const ScriptOptions& options)
    : err_(memfd_create("errors", MFD_CLOEXEC)) {
  std::vector<std::string> words = options.prefix;
  for (const std::string& word : command_of(interpreter)) words.push_back(word);
  words.push_back(interpreter.kind == "ruby" ? "-e" : "-c");
  words.push_back(script);
  words.insert(words.end(), options.arguments.begin(), options.arguments.end());
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  int in[2], out[2];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) return;
  in_ = Fd(in[1]);
  out_ = Fd(out[0]);
  const Fd its_in(in[0]), its_out(out[1]);
  child_ = fork();
  if (child_ == 0) {
    setpgid(0, 0);  // so that all of it can be killed
    dup2(its_in.get(), STDIN_FILENO);
    dup2(its_out.get(), STDOUT_FILENO);
    dup2(err_.get(), STDERR_FILENO);
    execvp(argv[0], argv.data());
    _exit(127);
  }
  setpgid(child_, child_);
}

RunningScript::~RunningScript() {
  if (child_ <= 0) return;
  kill(-child_, SIGKILL);
  waitpid(child_, nullptr, 0);
}

pid_t RunningScript::pid() const {
  return last_descendant(child_);
}

std::string RunningScript::line() {
  for (;;) {
    if (const size_t end = read_.find('\n'); end != read_.npos) {
      const std::string line = read_.substr(0, end);
      read_.erase(0, end + 1);
      return line;
    }
    pollfd readable{out_.get(), POLLIN, 0};
    char part[4096];
    const ssize_t got =
        poll(&readable, 1, kPatienceMs) == 1 ? read(out_.get(), part, sizeof part) : 0;
    if (got <= 0) return "";
    read_.append(part, static_cast<size_t>(got));
  }
}

void RunningScript::tell(const std::string& text) {
  const std::string line = text + "\n";
  [[maybe_unused]] const ssize_t written = write(in_.get(), line.data(), line.size());
}

std::string RunningScript::errors() const {
  std::string text;
  char part[4096];
  ssize_t got;
  for (off_t at = 0; (got = pread(err_.get(), part, sizeof part, at)) > 0; at += got) {
    text.append(part, static_cast<size_t>(got));
  }
  return text;
}

int RunningScript::wait() {
  int status = 0;
  waitpid(child_, &status, 0);
  child_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::vector<std::string> command_of(const RealInterpreter& interpreter) {
  std::vector<std::string> words;
  if (!interpreter.root.empty()) words = {"chroot", interpreter.root};
  if (interpreter.free_threaded) words.insert(words.begin(), {"env", "PYTHON_GIL=1"});
  words.push_back(interpreter.path);
  return words;
}

std::string computing_threads(int threads) {
  return fmt::format(R"(import sys, threading
def compute():
    while True: pass
for i in range({}):
    thread = threading.Thread(target=compute, name='computes')
    thread.daemon = True
    thread.start()
def say(text):
    sys.stdout.write(text + '\n')
    sys.stdout.flush()
say('ready')
while True:
    line = sys.stdin.readline()
    if not line: break
    exec(line)
    say('done')
)",
                     threads);
}

std::string computing_threads_of_ruby(int threads) {
  return fmt::format(R"($stdout.sync = true
{}.times {{ Thread.new {{ loop {{ }} }} }}
puts 'ready'
while line = $stdin.gets
  eval(line)
  puts 'done'
end
)",
                     threads);
}

}  // namespace gilscope
