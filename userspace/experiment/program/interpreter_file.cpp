#include "userspace/experiment/program/interpreter_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <csignal>

#include "userspace/base/quote.h"
#include "userspace/base/time.h"
#include "userspace/experiment/scripts/scripts.h"

namespace gilscope {
namespace {

constexpr const char* kAskPython =
    "import sys; print(\"%d.%d.%d %s\" % (tuple(sys.version_info[:3]) + "
    "(\"pypy\" if \"__pypy__\" in sys.builtin_module_names else \"python\",)))";
constexpr const char* kAskRuby = "puts RUBY_VERSION + ' ' + RUBY_ENGINE";

// Follows links as a process in that root would.
std::string resolved(const std::string& root, std::string path) {
  for (int links = 0; links < 32; ++links) {
    std::array<char, 4096> target;
    const ssize_t size = ::readlink((root + path).c_str(), target.data(), target.size());
    if (size <= 0 || static_cast<size_t>(size) == target.size()) break;
    const std::string to(target.data(), static_cast<size_t>(size));
    path = to[0] == '/' ? to : path.substr(0, path.rfind('/') + 1) + to;
  }
  return path;
}

std::string first_line(const Fd& file) {
  std::array<char, 128> bytes;
  const ssize_t got = ::read(file.get(), bytes.data(), bytes.size());
  const std::string text(bytes.data(), static_cast<size_t>(std::max<ssize_t>(got, 0)));
  return text.substr(0, text.find('\n'));
}

// Takes the interpreter out of "#!/usr/bin/env python3".
std::string named_by(const std::string& line) {
  const std::string rest = line.substr(std::min(line.find_first_not_of(" \t", 2), line.size()));
  return printable(rest);
}

Status check_contents(const ProgramPolicy& program, const std::string& executable,
                      const std::string& shown) {
  const Fd file(::open(executable.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return fail_errno(fmt::format("cannot read {}", shown));
  const std::string line = first_line(file);
  if (line.starts_with("#!")) {
    return fail(fmt::format("{} is a script, of {}: name the interpreter itself, as in {}", shown,
                            named_by(line), program_form(program.kind)));
  }
  constexpr std::string_view kElf = "\177ELF";
  if (!line.starts_with(kElf)) return fail(fmt::format("{} is no program", shown));
  constexpr char k64Bit = 2;
  if (line.size() < 5 || line[4] != k64Bit) {
    return fail(
        fmt::format("{} is a 32-bit program: its GIL cannot be seen; take a 64-bit one", shown));
  }
  return {};
}

struct Located {
  std::string root, executable;
};

Result<Located> locate(const ProgramPolicy& program) {
  Located at;
  at.root = root_of(program.path);
  const std::string path = program.path.substr(at.root.size());
  at.executable = executable_of(program.kind, at.root, resolved(at.root, path));
  const std::string file = at.root + resolved(at.root, at.executable);
  std::string shown = in_quotes(program.path);
  if (at.executable != path && resolved(at.root, path) != at.executable) {
    shown = fmt::format("{}, which {} starts,", in_quotes(at.root + at.executable), shown);
  }
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return fail(
          fmt::format("{} is not there (`gilscope list` names the interpreters of this "
                      "machine)",
                      shown));
    }
    return fail_errno(fmt::format("cannot look at {}", shown));
  }
  if (S_ISDIR(status.st_mode)) {
    return fail(fmt::format("{} is a directory: name the interpreter in it", shown));
  }
  if (!S_ISREG(status.st_mode)) return fail(fmt::format("{} is not a regular file", shown));
  if ((status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0) {
    return fail(fmt::format("{} is not executable: chmod +x makes it so", shown));
  }
  if (Status good = check_contents(program, file, shown); !good) return fail(good.error());
  return at;
}

// The one line that a command prints, or why there is none.
Result<std::string> answer_of(const std::vector<std::string>& command, const std::string& root,
                              const ProgramOwner& owner) {
  constexpr uint64_t kPatienceNs = 30'000'000'000;
  constexpr size_t kLongest = 256;
  auto out = PipeEnds::make();
  if (!out) return fail(out.error());
  const Fd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!nothing) return fail_errno("cannot open /dev/null");
  ChildOptions options;
  options.user = owner.user;
  options.inherited = owner.inherited;
  options.root = root;
  options.standard[0] = options.standard[2] = nothing.get();
  options.standard[1] = out->write.get();
  options.dies_with_parent = true;
  auto child = Child::start(command, options);
  if (!child) return fail(child.error());
  if (Status released = child->release(); !released) {
    return fail(released.error().message);
  }
  out->write = Fd();
  std::string said;
  const uint64_t end = monotonic_ns() + kPatienceNs;
  bool over = false;
  while (!over && said.size() < kLongest && monotonic_ns() < end) {
    pollfd readable{out->read.get(), POLLIN, 0};
    if (::poll(&readable, 1, 100) <= 0) continue;
    std::array<char, kLongest> part;
    const ssize_t got = ::read(out->read.get(), part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    over = got <= 0;
    if (!over) said.append(part.data(), static_cast<size_t>(got));
  }
  child->signal(SIGKILL);
  const CommandEnd ended = child->wait();
  if (!over) return fail("it does not say its version within 30 s");
  if (ended.exit_status() != 0 && said.empty()) {
    return fail(
        fmt::format("it does not say its version, and ends with status {}", ended.exit_status()));
  }
  return said.substr(0, said.find('\n'));
}

Status check_version(const ProgramPolicy& program, const std::string& kind, int major, int minor,
                     const std::string& version) {
  if (kind != program.kind) {
    return fail(fmt::format("it is {}'s: say {}:{}", kind == "pypy" ? "PyPy" : kind, kind,
                            printable(program.path)));
  }
  if (program.kind == "ruby") {
    if (major == 3 && (minor == 1 || minor == 3)) return {};
    return fail(fmt::format("it is Ruby {}; 3.1 and 3.3 are known", version));
  }
  const bool known = (major == 2 && minor == 7) || (major == 3 && minor >= 6 && minor <= 15);
  if (!known) {
    return fail(fmt::format("it is Python {}; 2.7 and 3.6 to 3.15 are known", version));
  }
  if (program.switch_interval_ns && major == 2) {
    return fail(
        fmt::format("Python {} has no switch interval but a check interval: say "
                    "check-interval=N",
                    version));
  }
  if (program.check_interval && (major != 2 || program.kind == "pypy")) {
    return fail(
        fmt::format("Python {} has no check interval but a switch interval: say "
                    "switch-interval=T",
                    version));
  }
  return {};
}

// Whether `number` begins the text, which goes on behind it.
bool take_number(std::string_view& text, int& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return true;
}

}  // namespace

std::string root_of(const std::string& path) {
  const size_t at = path.rfind("/usr/bin/");
  if (at == path.npos || at == 0) return "";
  std::string root = path.substr(0, at);
  struct stat status {};
  const bool has_loader = ::lstat((root + "/lib64/ld-linux-x86-64.so.2").c_str(), &status) == 0 ||
                          ::lstat((root + "/usr/lib64/ld-linux-x86-64.so.2").c_str(), &status) == 0;
  return has_loader ? root : "";
}

Status check_interpreter_file(const ProgramPolicy& program) {
  const auto at = locate(program);
  return at ? Status() : fail(at.error());
}

Result<InterpreterFile> look_at_interpreter(const ProgramPolicy& program,
                                            const ProgramOwner& owner) {
  auto at = locate(program);
  if (!at) return fail(at.error());
  InterpreterFile file = {std::move(at->root), std::move(at->executable), "2.7"};
  // A JVM takes seconds to say what every Jython is.
  if (program.kind == "jython") return file;
  const bool ruby = program.kind == "ruby";
  const std::vector<std::string> command =
      ruby ? std::vector<std::string>{file.executable, "--disable-all", "-e", kAskRuby}
           : std::vector<std::string>{file.executable, "-E", "-s", "-S", "-B", "-c", kAskPython};
  const auto answer = answer_of(command, file.root, owner);
  const std::string shown = in_quotes(program.path);
  if (!answer) return fail(fmt::format("{}: {}", shown, answer.error().message));
  std::string_view rest = *answer;
  const size_t blank = rest.find(' ');
  int major = 0, minor = 0;
  const bool read = blank != rest.npos && take_number(rest, major) && rest.starts_with('.') &&
                    (rest.remove_prefix(1), take_number(rest, minor)) && rest.starts_with('.');
  if (!read) {
    return fail(fmt::format("{} says {} when asked for its version: it is no {}", shown,
                            in_quotes(*answer), program.kind));
  }
  file.version = printable(answer->substr(0, blank));
  const Status known =
      check_version(program, answer->substr(blank + 1), major, minor, file.version);
  if (!known) return fail(fmt::format("{}: {}", shown, known.error().message));
  return file;
}

Result<InterpreterFiles> look_at_interpreters(std::span<const std::string> policies,
                                              const ProgramOwner& owner) {
  InterpreterFiles files;
  for (const std::string& policy : policies) {
    if (!names_program(policy) || files.contains(policy)) continue;
    const auto program = read_program(policy);
    if (!program) return fail(program.error());
    if (!program->is_interpreter()) continue;
    auto file = look_at_interpreter(*program, owner);
    if (!file) return fail("policies: " + file.error().message);
    files.emplace(policy, std::move(*file));
  }
  return files;
}

}  // namespace gilscope
