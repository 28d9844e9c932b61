#include "userspace/recording/target.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <string_view>

#include "userspace/base/quote.h"
#include "userspace/base/refusal.h"
#include "userspace/machine/limit/masks.h"
#include "userspace/machine/machine.h"

namespace gilscope {
namespace {

tl::unexpected<Error> not_there(pid_t pid) {
  return fail(fmt::format("there is no process {}", pid));
}

// As its program has set it: words that end in a zero byte each.
std::vector<std::string> command_line_of(const Machine& machine, pid_t pid) {
  std::vector<std::string> argv;
  const auto bytes = machine.bytes(fmt::format("/proc/{}/cmdline", pid));
  if (!bytes) return argv;
  for (size_t at = 0; at < bytes->size();) {
    const size_t end = std::min(bytes->find('\0', at), bytes->size());
    argv.push_back(bytes->substr(at, end - at));
    at = end + 1;
  }
  return argv;
}

}  // namespace

Result<pid_t> parse_pid(const std::string& text) {
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (error != std::errc() || end != text.data() + text.size() || pid <= 0) {
    return fail(fmt::format("{} is not a process's number: give the PID of a running process",
                            in_quotes(text)));
  }
  return pid;
}

Result<Target> look_at(pid_t pid) {
  if (pid == ::getpid()) return fail(fmt::format("process {} is gilscope itself", pid));
  const Machine machine;
  const auto status = machine.text(fmt::format("/proc/{}/status", pid));
  if (!status) return not_there(pid);
  if (const auto process = to_number(value_of(*status, "Tgid").value_or("")); process != pid) {
    if (!process) return not_there(pid);
    return fail(fmt::format("{0} is a thread of process {1}: give {1}", pid, *process));
  }
  // A thread's number has been told apart, so this is a process.
  Target target = {.pid = pid,
                   .process = Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))),
                   .argv = command_line_of(machine, pid)};
  if (!target.process) return errno == ESRCH ? not_there(pid) : refused("pidfd_open");
  const std::string state = value_of(*status, "State").value_or("");
  if (state.starts_with('Z') || state.starts_with('X')) {
    return fail(fmt::format("process {} has ended, and only waits for its parent (a zombie)", pid));
  }
  const auto mask = read_mask(machine, pid);
  if (!mask) return not_there(pid);
  if (mask->of_kernel) return fail(fmt::format("{} is a thread of the kernel", pid));
  // Only opened: what is read of the memory is the finder's matter.
  const Fd memory(::open(fmt::format("/proc/{}/mem", pid).c_str(), O_RDONLY | O_CLOEXEC));
  if (!memory) {
    if (errno == ENOENT || errno == ESRCH) return not_there(pid);
    return refused(fmt::format("no right to look at process {}", pid));
  }
  target.tracer =
      static_cast<pid_t>(to_number(value_of(*status, "TracerPid").value_or("")).value_or(0));
  return target;
}

std::string command_text(const std::vector<std::string>& argv) {
  constexpr size_t kReadable = 120;
  std::string text;
  for (const std::string& word : argv) {
    if (!text.empty()) text += ' ';
    const bool plain = !word.empty() && word.find_first_of(" \t\n'\"\\$`") == word.npos;
    text += plain ? printable(word) : "'" + printable(word) + "'";
    if (text.size() <= kReadable) continue;
    // Not in the middle of a character of UTF-8.
    size_t end = kReadable;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    return text.substr(0, end) + "...";
  }
  return text;
}

}  // namespace gilscope
