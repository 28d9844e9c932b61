#include "userspace/subject/process_memory.h"

#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>

#include "userspace/base/file_io.h"
#include "userspace/base/quote.h"
#include "userspace/base/refusal.h"
#include "userspace/machine/machine.h"

namespace gilscope {
namespace {

constexpr size_t kLargestFile = size_t{64} << 20;  // maps of a process with many mappings
constexpr size_t kMostThreads = 1 << 16;
constexpr unsigned long kKernelThread = 0x00200000;  // PF_KTHREAD

template <typename Number>
Number number(std::string_view text) {
  Number value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// The last of several numbers: "NSpid:  1234  12".
pid_t last_number(std::string_view text) {
  const size_t blank = text.find_last_of(" \t");
  return number<pid_t>(blank == text.npos ? text : text.substr(blank + 1));
}

// The kernel's flags of a task, the ninth value of its stat file; a name may hold blanks and ")".
unsigned long task_flags(std::string_view stat) {
  size_t at = stat.rfind(") ");
  for (int skipped = 0; at != stat.npos && skipped < 7; ++skipped) at = stat.find(' ', at + 1);
  return at == stat.npos ? 0 : number<unsigned long>(stat.substr(at + 1));
}

std::string read_small(int directory, const std::string& name) {
  const Fd file(::openat(directory, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return "";
  auto text = read_to_end(file.get(), kLargestFile, "", "");
  return text ? std::move(*text) : "";
}

std::string without_newline(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

// Root may lack it where the process belongs to another user namespace, or to the machine around a
// container.
tl::unexpected<Error> no_right(const std::string& what, int error = errno) {
  if (error != EACCES && error != EPERM) return refused(what, error);
  return fail(
      Exit::unable,
      fmt::format("{}: {}: {}", what, std::strerror(error),
                  ::geteuid() == 0 ? "it takes CAP_SYS_PTRACE in the process's user namespace; run "
                                     "gilscope outside of the container"
                                   : "run gilscope as root (sudo gilscope ...)"));
}

}  // namespace

std::string shown_process(pid_t pid, const std::string& name) {
  return name.empty() ? fmt::format("process {}", pid)
                      : fmt::format("process {} ({})", pid, in_quotes(name));
}

Result<ProcessMemory> ProcessMemory::open(pid_t pid) {
  if (Status there = require_proc(); !there) return fail(there.error());
  if (pid == ::getpid()) return fail(fmt::format("process {} is gilscope itself", pid));
  ProcessMemory process;
  process.pid_ = pid;
  const std::string path = fmt::format("/proc/{}", pid);
  process.directory_ = Fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  const std::string status = process.directory_ ? process.file("status") : "";
  if (status.empty()) return fail(fmt::format("there is no process {}", pid));
  const std::string shown = shown_process(pid, without_newline(process.file("comm")));
  const auto leader = to_number(value_of(status, "Tgid").value_or("")).value_or(0);
  if (leader != pid) {
    return fail(fmt::format("{} is a thread; its process is {}", pid, leader));
  }
  if (task_flags(process.file("stat")) & kKernelThread) {
    return fail(fmt::format("{} is a thread of the kernel", shown));
  }
  const std::string state = value_of(status, "State").value_or("");
  if (state.starts_with('Z') || state.starts_with('X')) {
    return fail(fmt::format("{} has ended, and its parent has not waited for it", shown));
  }
  const int directory = process.directory();
  process.memory_ = Fd(::openat(directory, "mem", O_RDONLY | O_CLOEXEC));
  if (!process.memory_) {
    if (errno == ENOENT || errno == ESRCH) return fail(fmt::format("{} has ended", shown));
    return no_right(fmt::format("cannot look at {}", shown));
  }
  process.maps_ = parse_maps(process.file("maps"));
  if (Status readable = process.read_executable(); !readable) {
    if (!process.alive()) return fail(fmt::format("{} ended while it was looked at", shown));
    return fail(readable.error());
  }
  process.name_as_seen_inside();
  return process;
}

Status ProcessMemory::read_executable() {
  char target[4096];
  const ssize_t length = ::readlinkat(directory(), "exe", target, sizeof target);
  const std::string shown = shown_process(pid_, without_newline(file("comm")));
  if (length <= 0) return no_right(fmt::format("cannot see the program of {}", shown));
  executable_.assign(target, static_cast<size_t>(length));
  constexpr std::string_view kDeleted = " (deleted)";
  if (executable_.ends_with(kDeleted)) executable_.resize(executable_.size() - kDeleted.size());
  const Fd program(::openat(directory(), "exe", O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!program) return no_right(fmt::format("cannot open the program of {}", shown));
  struct stat status {};
  Elf64_Ehdr header{};
  const auto got = ::fstat(program.get(), &status) == 0 && S_ISREG(status.st_mode)
                       ? read_at(program.get(), 0, &header, sizeof header, "")
                       : Result<size_t>(0);
  if (!got || *got < sizeof header || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    return fail(fmt::format("the program of {} cannot be read", shown));
  }
  if (header.e_ident[EI_CLASS] != ELFCLASS64) {
    return fail(
        fmt::format("{} runs a 32-bit program, and only 64-bit ones can be looked into", shown));
  }
  if (header.e_machine != EM_X86_64) {
    return fail(Exit::unable,
                fmt::format("{} runs a program for another machine than x86-64, whose interpreters "
                            "are the only ones that can be looked into",
                            shown));
  }
  return {};
}

// The kernel names files from the root of who asks, not from that of the process.
void ProcessMemory::name_as_seen_inside() {
  char target[4096];
  const ssize_t length = ::readlinkat(directory(), "root", target, sizeof target);
  const std::string root(target, length > 0 ? static_cast<size_t>(length) : 0);
  if (root.size() < 2) return;  // "/"
  const auto shorten = [&](std::string& path) {
    if (path.starts_with(root) && path.size() > root.size() && path[root.size()] == '/') {
      path.erase(0, root.size());
    }
  };
  for (MappedRange& range : maps_) shorten(range.path);
  shorten(executable_);
}

bool ProcessMemory::read(uint64_t address, void* into, size_t bytes) const {
  const auto got = read_at(memory_.get(), address, into, bytes, "");
  return got && *got == bytes;
}

const MappedRange* ProcessMemory::range_at(uint64_t address) const {
  auto range = std::ranges::upper_bound(maps_, address, {}, &MappedRange::end);
  return range != maps_.end() && range->has(address) && range->readable ? &*range : nullptr;
}

std::string ProcessMemory::file(const std::string& name) const {
  return read_small(directory(), name);
}

bool ProcessMemory::alive() const {
  const std::string status = file("status");
  const std::string state = value_of(status, "State").value_or("");
  return !state.empty() && !state.starts_with('Z') && !state.starts_with('X');
}

std::vector<ProcessThread> ProcessMemory::threads() const {
  std::vector<ProcessThread> threads;
  const int tasks = ::openat(directory(), "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> listed(tasks < 0 ? nullptr : ::fdopendir(tasks),
                                                   ::closedir);
  if (!listed) {
    if (tasks >= 0) ::close(tasks);
    return threads;
  }
  while (const dirent* entry = ::readdir(listed.get())) {
    ProcessThread thread;
    thread.tid = number<pid_t>(entry->d_name);
    if (thread.tid <= 0) continue;
    const std::string name = entry->d_name;
    thread.tid_inside =
        last_number(value_of(read_small(tasks, name + "/status"), "NSpid").value_or(""));
    if (thread.tid_inside <= 0) thread.tid_inside = thread.tid;
    thread.name = without_newline(read_small(tasks, name + "/comm"));
    threads.push_back(std::move(thread));
    if (threads.size() == kMostThreads) break;
  }
  return threads;
}

}  // namespace gilscope
