#include "tests/kernel/perf_trace.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <string_view>

#include "userspace/base/fd.h"

namespace gilscope::witness {
namespace {

// The number after the last `key` in the text. The last, because task names, which may contain
// anything, come before it.
std::optional<int> number_after(std::string_view text, std::string_view key) {
  size_t at = text.rfind(key);
  if (at == std::string_view::npos) return std::nullopt;
  return std::atoi(text.data() + at + key.size());
}

// "  712 [001]  4317.530001234:  sched:sched_switch: prev_comm=... prev_pid=7 ...". Returns nothing
// for an unparsable line, and kind `other` for an event that the counts do not use.
std::optional<SchedEvent> parse(const std::string& line) {
  SchedEvent event;
  uint64_t seconds = 0, ns = 0;
  char name[64];
  int rest = 0;
  if (std::sscanf(line.c_str(), " %d [%d] %" SCNu64 ".%9" SCNu64 ": sched:%63[a-z_]: %n",
                  &event.current, &event.cpu, &seconds, &ns, name, &rest) != 5) {
    return std::nullopt;
  }
  event.ns = seconds * 1'000'000'000 + ns;
  std::string_view fields = std::string_view(line).substr(static_cast<size_t>(rest));
  std::string_view kind = name;
  if (kind != "sched_switch" && kind != "sched_waking" && kind != "sched_wakeup" &&
      kind != "sched_migrate_task") {
    event.kind = SchedEvent::other;
    return event;
  }
  std::optional<int> tid, second = 0, third = 0;
  if (kind == "sched_switch") {
    size_t arrow = fields.rfind(" ==> next_comm=");
    if (arrow == std::string_view::npos) return std::nullopt;
    std::string_view before = fields.substr(0, arrow);
    size_t state = before.rfind("prev_state=");
    if (state == std::string_view::npos) return std::nullopt;
    event.runnable = before[state + 11] == 'R';
    tid = number_after(before, " prev_pid=");
    second = number_after(fields, " next_pid=");
    if (second) event.next = *second;
  } else {
    tid = number_after(fields, " pid=");
    event.kind = kind == "sched_waking" ? SchedEvent::waking : SchedEvent::wakeup;
    if (kind == "sched_migrate_task") {
      event.kind = SchedEvent::migrated;
      second = number_after(fields, " orig_cpu=");
      third = number_after(fields, " dest_cpu=");
      if (second) event.from = *second;
    } else {
      third = number_after(fields, " target_cpu=");
    }
    if (third) event.to = *third;
  }
  if (!tid || !second || !third) return std::nullopt;
  event.tid = *tid;
  return event;
}

Error explained(const std::string& what, const Command& perf) {
  return Error{Exit::unable, what + ": " + perf.err()};
}

}  // namespace

Result<PerfRecording> PerfRecording::start(const std::string& directory) {
  const std::string control = directory + "/control", answer = directory + "/answer";
  for (const std::string& fifo : {control, answer}) {
    if (mkfifo(fifo.c_str(), 0600) && errno != EEXIST) return fail_errno("mkfifo");
  }
  Fd to_perf(open(control.c_str(), O_RDWR | O_CLOEXEC));
  Fd from_perf(open(answer.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!to_perf || !from_perf) return fail_errno("open a fifo");
  // Adds sched_wakeup, which gilscope's programs do not use. CLOCK_MONOTONIC makes perf's times
  // comparable with gilscope's; the buffer is large enough for a slow reader.
  auto perf = Command::start(
      {"perf", "sched", "record", "-e", "sched:sched_wakeup", "-k", "CLOCK_MONOTONIC", "-m", "32M",
       "-D", "-1", "--control=fifo:" + control + "," + answer, "-o", directory + "/perf.data"},
      directory + "/record");
  if (!perf) return fail(perf.error());
  // perf answers once its events are enabled on every CPU.
  constexpr std::string_view enable = "enable\n";
  if (write(to_perf.get(), enable.data(), enable.size()) < 0) return fail_errno("write to perf");
  char ack[16];
  if (!until(*perf, [&] { return read(from_perf.get(), ack, sizeof(ack)) > 0; })) {
    return fail(explained("perf cannot record", *perf));
  }
  return PerfRecording(std::move(*perf), directory);
}

Result<std::optional<std::vector<SchedEvent>>> PerfRecording::stop() {
  perf_.interrupt();
  auto script = Command::start({"perf", "script", "-i", directory_ + "/perf.data", "-F",
                                "tid,cpu,time,event,trace", "--ns", "--show-lost-events"},
                               directory_ + "/script");
  if (!script) return fail(script.error());
  if (script->wait()) return fail(explained("perf cannot read its recording", *script));
  std::optional<std::vector<SchedEvent>> events(std::in_place);
  std::ifstream lines(script->out_path());
  for (std::string line; std::getline(lines, line);) {
    if (line.find("PERF_RECORD_LOST") != std::string::npos) {
      events.reset();
      return events;
    }
    auto event = parse(line);
    if (!event) return fail("perf script printed an unknown line: " + line);
    if (event->kind != SchedEvent::other) events->push_back(*event);
  }
  return events;
}

}  // namespace gilscope::witness
