#include "tests/bench/peers.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "tests/interpreters/symbols.h"
#include "tests/kernel/program.h"

namespace gilscope::bench {
namespace {

constexpr const char* kScript = R"(
BEGIN { printf("attached\n"); }
tracepoint:sched:sched_wakeup { @wakeups[cpu] = count(); @ready[args->pid] = nsecs; }
tracepoint:sched:sched_migrate_task { @migrations[cpu] = count(); }
tracepoint:sched:sched_switch {
  if (args->prev_state == 0) { @ready[args->prev_pid] = nsecs; }
  $ready = @ready[args->next_pid];
  if ($ready) { @latency[cpu] = hist(nsecs - $ready); delete(@ready[args->next_pid]); }
}
END { clear(@ready); }
)";

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "bench: {}\n", why);
  std::exit(2);
}

witness::Command started(const std::vector<std::string>& arguments, const std::string& output) {
  auto command = witness::Command::start(arguments, output);
  if (!command) give_up(command.error().message);
  return std::move(*command);
}

// perf does not report that it has begun: wait for its file to appear, or half a second.
void settle() {
  ::usleep(500'000);
}

// Parses "LOST events:   12" of perf report --stats; 0 without such a line.
uint64_t lost_of(const std::string& data) {
  const Ended printed = shell(fmt::format(
      "perf report -i {} --stats 2>/dev/null | awk '/LOST(_SAMPLES)? events/ {{ n += $NF }} "
      "END {{ print n + 0 }}'",
      data));
  return std::strtoull(printed.out.c_str(), nullptr, 10);
}

}  // namespace

Peer perf_stat(const std::string& output) {
  witness::Command command = started(
      {"perf", "stat", "-a", "-e", "sched:sched_switch,sched:sched_waking,sched:sched_migrate_task",
       "-o", output + ".stat"},
      output);
  settle();
  if (!command.running()) give_up("perf stat cannot count: " + command.err());
  // perf stat counts in the kernel, and has nothing to lose.
  return {std::move(command), [](witness::Command&) { return Result<PeerResult>({0, 0}); }};
}

Peer perf_sched_record(const std::string& output) {
  const std::string data = output + ".data";
  std::filesystem::remove(data);
  witness::Command command =
      started({"perf", "sched", "record", "-o", data, "sleep", "1000"}, output);
  if (!witness::until(command, [&] { return std::filesystem::exists(data); })) {
    give_up("perf sched cannot record: " + command.err());
  }
  settle();
  return {std::move(command), [data](witness::Command& ended) -> Result<PeerResult> {
            std::error_code none;
            const auto bytes = std::filesystem::file_size(data, none);
            if (none || bytes == 0) return fail("perf sched recorded nothing: " + ended.err());
            return PeerResult{bytes, lost_of(data)};
          }};
}

Peer bpftrace(const std::string& output) {
  witness::Command command = started({"bpftrace", "-B", "none", "-e", kScript}, output);
  if (!witness::until(command,
                      [&] { return command.out().find("attached\n") != std::string::npos; })) {
    give_up("bpftrace cannot count: " + command.err());
  }
  settle();
  return {std::move(command), [](witness::Command& ended) -> Result<PeerResult> {
            if (ended.out().find("@wakeups") == std::string::npos) {
              return fail("bpftrace counted nothing: " + ended.err());
            }
            return PeerResult();
          }};
}

Peer perf_record(pid_t pid, const std::string& output) {
  const std::string data = output + ".data";
  std::filesystem::remove(data);
  witness::Command command = started({"perf", "record", "-e", "cpu-clock", "-F", "1000", "-g", "-p",
                                      std::to_string(pid), "-o", data},
                                     output);
  if (!witness::until(command, [&] { return std::filesystem::exists(data); })) {
    give_up("perf cannot record: " + command.err());
  }
  settle();
  return {std::move(command), [data](witness::Command& ended) -> Result<PeerResult> {
            std::error_code none;
            const auto bytes = std::filesystem::file_size(data, none);
            if (none || bytes == 0) return fail("perf recorded nothing: " + ended.err());
            return PeerResult{bytes, lost_of(data)};
          }};
}

Peer perf_trace_futex(pid_t pid, const std::string& output) {
  const std::string text = output + ".trace";
  std::filesystem::remove(text);
  witness::Command command =
      started({"perf", "trace", "-e", "futex", "-p", std::to_string(pid), "-o", text}, output);
  settle();
  if (!command.running()) give_up("perf cannot trace: " + command.err());
  return {std::move(command), [text](witness::Command&) -> Result<PeerResult> {
            std::error_code none;
            const auto bytes = std::filesystem::file_size(text, none);
            return PeerResult{none ? 0 : bytes, std::nullopt};
          }};
}

Peer bpftrace_take_gil(pid_t pid, const std::string& output) {
  std::string function = "take_gil";
  auto at = witness::function_of(pid, function);
  if (!at) at = witness::function_of(pid, function = "PyEval_RestoreThread");
  if (!at) give_up("the interpreter has neither take_gil nor PyEval_RestoreThread");
  // bpftrace wants a path, and looks the symbol up itself.
  const std::string file = std::filesystem::read_symlink(at->file);
  const std::string script = fmt::format(
      "BEGIN {{ printf(\"attached\\n\"); }} "
      "uprobe:{0}:{1} {{ @from[tid] = nsecs; }} "
      "uretprobe:{0}:{1} /@from[tid]/ {{ @took[tid] = hist(nsecs - @from[tid]); "
      "delete(@from[tid]); }} "
      "END {{ clear(@from); }}",
      file, function);
  witness::Command command =
      started({"bpftrace", "-B", "none", "-p", std::to_string(pid), "-e", script}, output);
  if (!witness::until(command,
                      [&] { return command.out().find("attached\n") != std::string::npos; })) {
    give_up("bpftrace cannot probe: " + command.err());
  }
  settle();
  return {std::move(command), [](witness::Command& ended) -> Result<PeerResult> {
            if (ended.out().find("@took") == std::string::npos) {
              return fail("bpftrace saw nothing: " + ended.err());
            }
            return PeerResult();
          }};
}

}  // namespace gilscope::bench
