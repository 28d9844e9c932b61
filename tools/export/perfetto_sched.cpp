#include "tools/export/perfetto_sched.h"

namespace gilscope::perfetto {
namespace {

constexpr size_t kBuffered = 16384;
constexpr uint32_t kIdle = UINT32_MAX;
const std::string kIdleName = "swapper";

// Segments do not have a task's priority; this is the kernel's for nice 0.
constexpr int32_t kPriority = 120;

// Bits of the kernel's task states (include/linux/sched.h).
constexpr int64_t kRunning = 0, kInterruptible = 1, kDead = 16;

// A packed field with one value of each item; none is negative.
template <typename Items, typename Value>
void column(Builder<CompactSched>& compact, CompactSched field, const Items& items, Value value) {
  std::vector<uint64_t> values;
  values.reserve(items.size());
  for (const auto& item : items) values.push_back(static_cast<uint64_t>(value(item)));
  compact.add_packed_uint64(field, values.begin(), values.end());
}

template <typename Items>
void timestamps(Builder<CompactSched>& compact, CompactSched field, const Items& items) {
  uint64_t last = 0;
  std::vector<uint64_t> deltas;
  deltas.reserve(items.size());
  for (const auto& item : items) {
    deltas.push_back(item.ns - last);
    last = item.ns;
  }
  compact.add_packed_uint64(field, deltas.begin(), deltas.end());
}

}  // namespace

void Sched::begin_run(const std::vector<TracedThread>& threads, std::set<int> lossy) {
  threads_ = threads;
  lossy_cpus_ = lossy_ = std::move(lossy);
  comm_indices_.assign(threads.size() + 1, std::nullopt);
}

void Sched::visit(const Moment& moment) {
  switch (moment.kind) {
    case Moment::Kind::ready:
      if (moment.segment.began == GILSCOPE_BEGAN_WOKEN) wake(moment);
      break;
    case Moment::Kind::ran:
      switch_in(cpus_[moment.segment.cpu], moment);
      break;
    case Moment::Kind::ended:
      switch_out(cpus_[moment.segment.cpu], moment);
      break;
  }
  if (buffered_ >= kBuffered) flush();
}

// After a switch that sched_switch did not report, a segment can seem to begin before the last one
// of its CPU has ended; the earlier one is then cut short.
void Sched::switch_in(Cpu& cpu, const Moment& moment) {
  begin(cpu, moment.ns);
  int64_t prev_state = kRunning;
  if (cpu.running) {
    prev_state = cpu.running_state;
  } else if (cpu.off && cpu.off->ns == moment.ns) {
    prev_state = cpu.off->state;
    cpu.off.reset();
  }
  settle(cpu);
  put(cpu, {moment.ns, prev_state, moment.thread()});
  cpu.running = moment.thread();
  cpu.running_state = state_after(moment.segment.ended);
}

void Sched::switch_out(Cpu& cpu, const Moment& moment) {
  if (cpu.running != moment.thread()) return;
  cpu.running.reset();
  cpu.off = Off{moment.ns, cpu.running_state};
}

void Sched::wake(const Moment& moment) {
  const gilscope_segment& segment = moment.segment;
  const bool known = segment.waker_cpu != GILSCOPE_NO_CPU;
  Cpu& cpu = cpus_[known ? segment.waker_cpu : segment.cpu];
  begin(cpu, moment.ns);
  const bool placed = segment.placed_cpu != GILSCOPE_NO_CPU;
  cpu.wakings.push_back({moment.ns, moment.thread(), placed ? segment.placed_cpu : segment.cpu});
  buffered_ += 1;
}

// A compact switch does not name the task that is switched out, so readers drop the first one of
// each CPU, and wakings before it.
void Sched::begin(Cpu& cpu, uint64_t ns) {
  if (cpu.begun) return;
  cpu.begun = true;
  put(cpu, {ns, kRunning, kIdle});
}

void Sched::put(Cpu& cpu, Switch what) {
  cpu.switches.push_back(what);
  buffered_ += 1;
}

void Sched::settle(Cpu& cpu) {
  if (cpu.off) put(cpu, {cpu.off->ns, cpu.off->state, kIdle});
  cpu.off.reset();
}

void Sched::end_run() {
  for (auto& [id, cpu] : cpus_) {
    settle(cpu);
    cpu.running.reset();
  }
  for (const int cpu : std::set<int>(lossy_)) cpus_[static_cast<uint16_t>(cpu)];
  flush();
}

void Sched::flush() {
  for (auto& [id, cpu] : cpus_) write(id, cpu);
  buffered_ = 0;
}

void Sched::write(uint16_t id, Cpu& cpu) {
  if (cpu.switches.empty() && cpu.wakings.empty() && !lossy_.contains(id)) return;
  comms_.clear();
  std::ranges::fill(comm_indices_, std::nullopt);
  const auto pid = [this](uint32_t thread) -> uint64_t {
    return thread == kIdle ? 0 : threads_[thread].tid;
  };
  const auto priority = [](const auto&) { return uint64_t{kPriority}; };
  packets_.write([&](Builder<TracePacket>& packet) {
    Builder<FtraceEventBundle> bundle(packet, TracePacket::ftrace_events);
    bundle.add_uint32(FtraceEventBundle::cpu, id);
    if (lossy_cpus_.contains(id)) bundle.add_bool(FtraceEventBundle::lost_events, true);
    if (cpu.switches.empty() && cpu.wakings.empty()) return;
    Builder<CompactSched> compact(bundle, FtraceEventBundle::compact_sched);
    if (!cpu.switches.empty()) {
      timestamps(compact, CompactSched::switch_timestamp, cpu.switches);
      column(compact, CompactSched::switch_prev_state, cpu.switches,
             [](const Switch& s) { return static_cast<uint64_t>(s.prev_state); });
      column(compact, CompactSched::switch_next_pid, cpu.switches,
             [&](const Switch& s) { return pid(s.next); });
      column(compact, CompactSched::switch_next_prio, cpu.switches, priority);
      column(compact, CompactSched::switch_next_comm_index, cpu.switches,
             [this](const Switch& s) -> uint64_t { return comm(s.next); });
    }
    if (!cpu.wakings.empty()) {
      timestamps(compact, CompactSched::waking_timestamp, cpu.wakings);
      column(compact, CompactSched::waking_pid, cpu.wakings,
             [&](const Waking& w) { return pid(w.thread); });
      column(compact, CompactSched::waking_target_cpu, cpu.wakings,
             [](const Waking& w) -> uint64_t { return w.target_cpu; });
      column(compact, CompactSched::waking_prio, cpu.wakings, priority);
      column(compact, CompactSched::waking_comm_index, cpu.wakings,
             [this](const Waking& w) -> uint64_t { return comm(w.thread); });
    }
    for (const std::string* name : comms_) {
      compact.add_string(CompactSched::intern_table, *name);
    }
  });
  lossy_.erase(id);
  cpu.switches.clear();
  cpu.wakings.clear();
}

int64_t Sched::state_after(uint8_t ended) const {
  switch (ended) {
    case GILSCOPE_ENDED_PREEMPTED:
      return preempted_;
    case GILSCOPE_ENDED_BLOCKED_GIL:
    case GILSCOPE_ENDED_BLOCKED:
      return kInterruptible;
    default:
      return kDead;
  }
}

uint32_t Sched::comm(uint32_t thread) {
  std::optional<uint32_t>& index = thread == kIdle ? comm_indices_.back() : comm_indices_[thread];
  if (!index) {
    index = static_cast<uint32_t>(comms_.size());
    comms_.push_back(thread == kIdle ? &kIdleName : &threads_[thread].name);
  }
  return *index;
}

}  // namespace gilscope::perfetto
