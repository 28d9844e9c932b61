#include "tools/export/perfetto.h"

#include "tools/analysis/wording.h"
#include "tools/export/perfetto_gil.h"
#include "tools/export/perfetto_sched.h"

namespace gilscope {
namespace perfetto {
namespace {

// The state of a preempted task in sched_switch: TASK_REPORT_MAX of Linux 4.18 and later. A reader
// understands it only if the trace names the kernel's release.
constexpr int64_t kPreempted = 0x100;

// Thread ids are 22 bits in the kernel, and signed numbers in the trace.
constexpr uint32_t kMaxTid = INT32_MAX;

const std::string* text(const Facts& facts, const std::string& key) {
  for (const Fact& fact : facts) {
    if (fact.key == key) return std::get_if<std::string>(&fact.value);
  }
  return nullptr;
}

void write_system(Packets& packets, const Facts& environment) {
  packets.write([&](Builder<TracePacket>& packet) {
    Builder<SystemInfo> system(packet, TracePacket::system_info);
    Builder<Utsname> utsname(system, SystemInfo::utsname);
    utsname.add_string(Utsname::sysname, "Linux");
    const auto add = [&](Utsname field, const char* key) {
      if (const std::string* value = text(environment, key)) utsname.add_string(field, *value);
    };
    add(Utsname::version, "kernel.version");
    add(Utsname::release, "kernel.release");
    add(Utsname::machine, "kernel.machine");
  });
}

// All times are CLOCK_MONOTONIC's. Bundles of ftrace events cannot name that clock and are read as
// CLOCK_BOOTTIME's, whose offset a report does not know. Declaring both clocks equal, and the
// trace's clock to be CLOCK_MONOTONIC, leaves every number as it is.
void write_clocks(Packets& packets, uint64_t ns) {
  packets.write([&](Builder<TracePacket>& packet) {
    Builder<ClockSnapshot> snapshot(packet, TracePacket::clock_snapshot);
    for (const uint32_t id : {kClockMonotonic, kClockBoottime}) {
      Builder<Clock> clock(snapshot, ClockSnapshot::clocks);
      clock.add_uint32(Clock::clock_id, id);
      clock.add_uint64(Clock::timestamp, ns);
    }
    snapshot.add_enum(ClockSnapshot::primary_trace_clock, kClockMonotonic);
  });
}

std::string process_name(const ExportedRun& exported) {
  const Cell& cell = *exported.cell;
  const std::string policy =
      cell.subject
          ? fmt::format("{}, PID {},", Wording::interpreter(*cell.subject), cell.subject->pid)
          : cell.policy;
  std::string name = fmt::format("cell {} block {}: {} {} {}, {} on {}", exported.cell_index,
                                 exported.run->block, policy, cell.workload, cell.arrangement,
                                 Wording::number_of(static_cast<size_t>(cell.threads), "thread"),
                                 Wording::cpus(cell));
  if (exported.dropped()) name += fmt::format(" ({} records dropped)", exported.dropped());
  return name;
}

std::set<int> lossy_cpus(const Run& run) {
  std::set<int> cpus;
  for (const CpuTrace& cpu : run.cpus) {
    if (cpu.records_dropped) cpus.insert(cpu.cpu);
  }
  return cpus;
}

Status write_run(Packets& packets, Sched& sched, const ExportedRun& exported, const RunTrace& trace,
                 uint64_t ordinal, uint64_t& next_flow) {
  const std::vector<TracedThread> threads = traced_threads(*exported.run);
  const bool one_owner = has_one_owner(*exported.cell);
  const TrackIds ids(ordinal);
  Tracks(packets).declare(ids, process_name(exported), threads, one_owner);
  if (const uint64_t dropped = exported.dropped()) {
    Events(packets).mark(ids.group(), exported.first_ns(),
                         fmt::format("{} records were dropped: this timeline has holes", dropped),
                         {{Note::records_dropped, dropped}});
  }
  std::optional<uint32_t> unknown;  // slot
  GilTracks gil(packets, ids, threads, one_owner, exported.cell->subject.has_value(), next_flow);
  sched.begin_run(threads, lossy_cpus(*exported.run));
  const Status read = each_moment(trace, [&](const Moment& moment) {
    const uint32_t tid = threads[moment.thread()].tid;
    if (tid == 0 || tid > kMaxTid) {
      unknown = moment.thread();
      return;
    }
    sched.visit(moment);
    gil.visit(moment);
  });
  if (!read) return read;
  sched.end_run();
  gil.finish();
  if (unknown) {
    return fail(Exit::no_data, fmt::format("{} has segments of thread {}, for which the report has "
                                           "no thread id",
                                           trace.origin(), *unknown));
  }
  return packets.status();
}

}  // namespace
}  // namespace perfetto

Status export_perfetto(const Report& report, const TraceDirectory& directory,
                       const std::vector<ExportedRun>& runs, OutputFile& file) {
  using namespace perfetto;
  Packets packets(file);
  Events(packets).declare();
  write_clocks(packets, runs.empty() ? 0 : runs.front().first_ns());
  write_system(packets, report.environment);
  Sched sched(packets, text(report.environment, "kernel.release") ? kPreempted : 0);
  uint64_t next_flow = 0;
  for (size_t i = 0; i < runs.size(); ++i) {
    // One file at a time: an experiment may have more runs than a process may open files.
    const auto trace = RunTrace::open(directory, report, *runs[i].cell, *runs[i].run);
    if (!trace) return fail(trace.error());
    if (Status s = write_run(packets, sched, runs[i], *trace, i, next_flow); !s) return s;
  }
  return packets.status();
}

}  // namespace gilscope
