#include "userspace/tracer/subject_tracer.h"

#include <bpf/bpf.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "userspace/base/refusal.h"
#include "userspace/base/time.h"
#include "userspace/tracer/control.h"
#include "userspace/tracer/counters.h"
#include "userspace/tracer/programs.h"

namespace gilscope {

struct SubjectTracer::State {
  Options options;
  Programs programs;
  TraceControl control;
  uint64_t recursion_misses_before = 0;
  Lost of_freed;  // of processes whose places have been given free
};

namespace {

uint64_t plus(uint64_t a, uint64_t b) {
  return a + b;
}
std::optional<uint64_t> plus(std::optional<uint64_t> a, std::optional<uint64_t> b) {
  return a || b ? std::optional(a.value_or(0) + b.value_or(0)) : std::nullopt;
}

// Adds what is lost by CPU, and so by process.
void add_of_cpus(Lost& sum, const Lost& more) {
#define GILSCOPE_BY_PROCESS_cpus(field) true
#define GILSCOPE_BY_PROCESS_cpu_number(field) true
#define GILSCOPE_BY_PROCESS_window(field) false
#define GILSCOPE_BY_PROCESS_elsewhere() false
#define LOST(key, csv, from, since, definition) \
  if (GILSCOPE_BY_PROCESS_##from) sum.key = plus(sum.key, more.key);
#include "bpf/numbers.def"
}

Status push(const bpf_map* queue, uint32_t place) {
  if (bpf_map_update_elem(bpf_map__fd(queue), nullptr, &place, BPF_ANY)) {
    return refused("cannot give a place in a table of the tracer free");
  }
  return {};
}

// Fills an emptied queue with the places of a table.
Status fill(const bpf_map* queue, uint32_t places) {
  uint32_t left = 0;
  while (bpf_map_lookup_and_delete_elem(bpf_map__fd(queue), nullptr, &left) == 0) {
  }
  for (uint32_t place = 0; place < places; ++place) {
    if (Status s = push(queue, place); !s) return s;
  }
  return {};
}

void clear_hash(const bpf_map* map) {
  const int fd = bpf_map__fd(map);
  std::vector<char> key(bpf_map__key_size(map));
  while (bpf_map_get_next_key(fd, nullptr, key.data()) == 0 &&
         bpf_map_delete_elem(fd, key.data()) == 0) {
  }
}

// Runs once on the CPU, which switches whatever runs there out.
void visit(int cpu) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<size_t>(cpu), &one);
  sched_setaffinity(0, sizeof(one), &one);
}

}  // namespace

SubjectTracer::SubjectTracer(std::unique_ptr<State> state) : state_(std::move(state)) {}
SubjectTracer::SubjectTracer(SubjectTracer&&) noexcept = default;
SubjectTracer& SubjectTracer::operator=(SubjectTracer&&) noexcept = default;
SubjectTracer::~SubjectTracer() = default;

Result<SubjectTracer> SubjectTracer::load(const Options& options) {
#ifndef __x86_64__
  return fail(Exit::unable,
              "real programs can be traced on x86-64 only: elsewhere this version cannot read the "
              "registers with which a thread entered the kernel");
#endif
  auto programs = Programs::load({.max_threads = options.max_threads,
                                  .max_processes = options.max_processes,
                                  .records_bytes = options.records_bytes,
                                  .records = options.records,
                                  .raw_programs = options.raw_programs,
                                  .lock = options.lock});
  if (!programs) return fail(programs.error());
  const auto& p = programs->skeleton().progs;
  const TraceControl control(TraceControl::Programs{
      bpf_program__fd(p.open_window), bpf_program__fd(p.close_window), -1, -1,
      bpf_program__fd(p.enrol), static_cast<uint64_t>(options.lead.count())});
  SubjectTracer tracer(
      std::unique_ptr<State>(new State{options, std::move(*programs), control, 0, {}}));
  if (Status cleared = tracer.reset(); !cleared) return fail(cleared.error());
  return tracer;
}

Status SubjectTracer::reset() {
  Programs& programs = state_->programs;
  programs.clear();
  for (gilscope_process& process : programs.processes()) {
    if (process.tgid < programs.process_of_tgid().size()) {
      programs.process_of_tgid()[process.tgid] = 0;
    }
    process = {};
  }
  std::ranges::fill(programs.waiters(), gilscope_waiter{});
  state_->of_freed = {};
  const auto& maps = programs.skeleton().maps;
  clear_hash(maps.slot_of_state);
  if (Status s = fill(maps.free_slots, state_->options.max_threads); !s) return s;
  return fill(maps.free_processes, state_->options.max_processes);
}

Status SubjectTracer::attach() {
  state_->recursion_misses_before = state_->programs.statistics().recursion_misses;
  return state_->programs.attach();
}

void SubjectTracer::detach() {
  state_->programs.detach();
}

Result<uint32_t> SubjectTracer::reserve_process() {
  uint32_t place = 0;
  const bpf_map* queue = state_->programs.skeleton().maps.free_processes;
  if (bpf_map_lookup_and_delete_elem(bpf_map__fd(queue), nullptr, &place)) {
    return fail(fmt::format("all {} places for processes are taken: trace fewer at a time",
                            state_->options.max_processes));
  }
  return place;
}

Status SubjectTracer::enrol_caller(uint32_t place) const {
  return state_->control.enrol(place);
}

Status SubjectTracer::enrol(uint32_t place, uint32_t tgid) {
  if (tgid >= state_->programs.process_of_tgid().size()) {
    return fail(
        fmt::format("process {} has a number above this PID namespace's pid_max: run "
                    "gilscope in the first PID namespace",
                    tgid));
  }
  gilscope_process& process = state_->programs.processes()[place];
  process.tgid = tgid;
  process.state = GILSCOPE_PROCESS_TRACED;
  std::atomic_ref(state_->programs.process_of_tgid()[tgid])
      .store(place + 1, std::memory_order_release);
  return {};
}

Status SubjectTracer::open_window() {
  return state_->control.open_window();
}

Status SubjectTracer::close_window() {
  Status closed = state_->control.close_window();
  if (!closed) return closed;
  const auto cpus = state_->programs.cpus().first(state_->programs.possible_cpus());
  const auto still_runs = [&](size_t cpu) {
    return std::atomic_ref(cpus[cpu].occupant).load(std::memory_order_acquire) == GILSCOPE_THREAD;
  };
  // A thread of its own for each CPU, because one that cannot get its CPU must not stop this one.
  for (size_t cpu = 0; cpu < cpus.size(); ++cpu) {
    if (still_runs(cpu)) std::thread(visit, static_cast<int>(cpu)).detach();
  }
  using namespace std::chrono_literals;
  for (int tries = 0; tries < 200; ++tries) {
    bool any = false;
    for (size_t cpu = 0; cpu < cpus.size(); ++cpu) any = any || still_runs(cpu);
    if (!any) break;
    std::this_thread::sleep_for(1ms);
  }
  return {};
}

std::span<const gilscope_process> SubjectTracer::processes() const {
  return state_->programs.processes();
}

void SubjectTracer::set_gils(uint32_t place, std::span<const gilscope_gil> gils) {
  gilscope_process& process = state_->programs.processes()[place];
  const size_t count = std::min<size_t>(gils.size(), GILSCOPE_GILS);
  for (size_t i = process.gil_count; i < count; ++i) process.gils[i] = gils[i];
  std::atomic_ref(process.gil_count).store(static_cast<__u32>(count), std::memory_order_release);
}

int SubjectTracer::doorbell_fd() const {
  return state_->programs.doorbell_fd();
}

Status SubjectTracer::drain(const RecordSink& sink) {
  return state_->programs.drain(sink);
}

void SubjectTracer::read_records(bool read) {
  state_->programs.read_records(read);
}

uint64_t SubjectTracer::records() const {
  return state_->programs.records();
}

std::span<const gilscope_thread> SubjectTracer::threads() const {
  return state_->programs.threads();
}

std::span<const gilscope_waiter> SubjectTracer::waiters() const {
  return state_->programs.waiters();
}

// Slots are handed out in order at first, and each thread that entered had one.
uint32_t SubjectTracer::slots_used() const {
  const __u64 entered = std::atomic_ref(state_->programs.window().entered).load();
  return static_cast<uint32_t>(std::min<__u64>(entered, state_->options.max_threads));
}

void SubjectTracer::free_thread(uint32_t slot) {
  gilscope_thread& thread = state_->programs.threads()[slot];
  auto of_tid = state_->programs.slot_of_tid();
  if (thread.tid < of_tid.size() && of_tid[thread.tid] == slot + 1) of_tid[thread.tid] = 0;
  thread = {};
  (void)push(state_->programs.skeleton().maps.free_slots, slot);
}

void SubjectTracer::free_process(uint32_t place) {
  const size_t cpus = state_->programs.possible_cpus();
  if (place == 0) return;  // the first part of the table says which CPU does what
  const auto account = state_->programs.cpus().subspan(place * cpus, cpus);
  add_of_cpus(state_->of_freed, gilscope::lost_of(account, state_->programs.window()));
  std::ranges::fill(account, gilscope_cpu{});
  state_->programs.processes()[place] = {};
  (void)push(state_->programs.skeleton().maps.free_processes, place);
}

// The process's own counts, with what is known of the CPU as a whole.
std::vector<gilscope_cpu> SubjectTracer::account_of(uint32_t place) const {
  const size_t cpus = state_->programs.possible_cpus();
  const auto all = state_->programs.cpus();
  std::vector<gilscope_cpu> account(all.begin() + static_cast<ptrdiff_t>(place * cpus),
                                    all.begin() + static_cast<ptrdiff_t>((place + 1) * cpus));
  for (size_t cpu = 0; cpu < cpus; ++cpu) {
    const gilscope_cpu& whole = all[cpu];
    account[cpu].occupant = whole.occupant;
    account[cpu].since_ns = whole.since_ns;
    account[cpu].idle_ns = whole.idle_ns;
    account[cpu].harness_ns = whole.harness_ns;
    account[cpu].foreign_ns = whole.foreign_ns;
    account[cpu].missed_switches = whole.missed_switches;
    for (size_t other = 0; other * cpus < all.size(); ++other) {
      if (other != place) account[cpu].foreign_ns += all[other * cpus + cpu].on_cpu_ns;
    }
  }
  return account;
}

std::vector<CpuTrace> SubjectTracer::cpus_of(uint32_t place, std::span<const int> cpus) const {
  return gilscope::cpus_of(account_of(place), state_->programs.window(), cpus, true);
}

Lost SubjectTracer::lost_of(uint32_t place) const {
  Lost lost = gilscope::lost_of(account_of(place), state_->programs.window());
  lost.recursion_misses =
      state_->programs.statistics().recursion_misses - state_->recursion_misses_before;
  return lost;
}

Lost SubjectTracer::lost_of_all() const {
  Lost lost = gilscope::lost_of(state_->programs.cpus(), state_->programs.window());
  add_of_cpus(lost, state_->of_freed);
  lost.recursion_misses =
      state_->programs.statistics().recursion_misses - state_->recursion_misses_before;
  return lost;
}

const gilscope_window& SubjectTracer::window() const {
  return state_->programs.window();
}

Facts SubjectTracer::capabilities() const {
  return state_->programs.capabilities();
}

}  // namespace gilscope
