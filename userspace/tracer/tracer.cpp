#include "userspace/tracer/tracer.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdarg>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "gilscope.skel.h"
#include "userspace/base/fd.h"
#include "userspace/base/kernel_time.h"
#include "userspace/base/mapping.h"
#include "userspace/base/refusal.h"
#include "userspace/tracer/counters.h"
#include "userspace/tracer/kernel_types.h"
#include "userspace/tracer/record_buffers.h"

namespace gilscope {
namespace {

// libbpf explains a failure in many lines; the first warning names the cause.
std::string& libbpf_warning() {
  static std::string warning;
  return warning;
}

int keep_first_warning(libbpf_print_level level, const char* format, va_list arguments) {
  if (level != LIBBPF_WARN || !libbpf_warning().empty()) return 0;
  char text[512];
  std::vsnprintf(text, sizeof(text), format, arguments);
  std::string line(text);
  line.erase(std::find(line.begin(), line.end(), '\n'), line.end());
  libbpf_warning() = line;
  return 0;
}

struct Closer {
  void operator()(gilscope_bpf* skeleton) const { gilscope_bpf__destroy(skeleton); }
  void operator()(bpf_link* link) const { bpf_link__destroy(link); }
  void operator()(ring_buffer* ring) const { ring_buffer__free(ring); }
};
template <typename T>
using Owned = std::unique_ptr<T, Closer>;

// sched_switch passes prev_state as its last argument from 5.18 (9c2136be0878). The type tells, and
// not the version, because vendors backport.
bool switch_passes_prev_state(const btf* types) {
  int id = btf__find_by_name_kind(types, "btf_trace_sched_switch", BTF_KIND_TYPEDEF);
  if (id < 0) return false;
  const btf_type* type = btf__type_by_id(types, btf__type_by_id(types, id)->type);  // a pointer
  type = btf__type_by_id(types, type->type);                                        // its function
  if (!btf_is_func_proto(type) || btf_vlen(type) != 5) return false;
  const btf_type* last = btf__type_by_id(types, btf_params(type)[4].type);
  return btf_is_int(last);
}

template <typename T>
Result<Mapping<T>> map_array(bpf_map* map) {
  size_t count = bpf_map__max_entries(map);
  auto mapping = Mapping<T>::of_fd(bpf_map__fd(map), count);
  if (!mapping) {
    return fail(mapping.error().code,
                fmt::format("BPF map {}: {}", bpf_map__name(map), mapping.error().message));
  }
  return mapping;
}

struct Variant {
  bpf_program* btf;
  bpf_program* raw;
};

std::vector<Variant> sched_programs(gilscope_bpf* skeleton) {
  auto& p = skeleton->progs;
  return {{p.sched_switch_btf, p.sched_switch_raw},
          {p.sched_waking_btf, p.sched_waking_raw},
          {p.sched_wakeup_new_btf, p.sched_wakeup_new_raw},
          {p.sched_migrate_task_btf, p.sched_migrate_task_raw},
          {p.sched_process_exit_btf, p.sched_process_exit_raw}};
}

struct ProgramStatistics {
  uint64_t ns = 0, runs = 0, recursion_misses = 0;
};

// The length of a CPU's buffer, a power of two: the room shared out among the CPUs that are
// present. A CPU that is plugged in later has no buffer, and drops its records.
uint32_t records_per_cpu(const Tracer::Options& options, uint32_t cpus) {
  const uint64_t room = options.records_bytes / sizeof(gilscope_segment) / cpus;
  return static_cast<uint32_t>(std::bit_floor(std::clamp<uint64_t>(room, 8, 1 << 20)));
}

// Above every tid of every namespace. Within a PID namespace a lower limit may be read; a thread
// above it is refused when it enters.
uint32_t most_tids() {
  constexpr uint32_t kHighest = 1 << 22;  // PID_MAX_LIMIT
  std::ifstream file("/proc/sys/kernel/pid_max");
  uint32_t limit = 0;
  return file >> limit && limit > 0 ? std::min(limit, kHighest) : kHighest;
}

Result<Owned<gilscope_bpf>> load_skeleton(const Tracer::Options& options, bool raw,
                                          bool prev_state) {
  libbpf_warning().clear();
  Owned<gilscope_bpf> skeleton(gilscope_bpf__open());
  if (!skeleton) return refused("cannot open the BPF programs");
  skeleton->rodata->write_records = options.records;
  skeleton->rodata->has_prev_state = prev_state;
  const uint32_t cpus = std::max(get_nprocs_conf(), 1);
  const uint32_t per_cpu = records_per_cpu(options, cpus);
  skeleton->rodata->records_per_cpu = per_cpu;
  auto& maps = skeleton->maps;
  bpf_map__set_max_entries(maps.board, options.max_threads);
  bpf_map__set_max_entries(maps.threads, options.max_threads);
  bpf_map__set_max_entries(maps.slot_of_tid, most_tids());
  bpf_map__set_max_entries(maps.cpus, libbpf_num_possible_cpus());
  bpf_map__set_max_entries(maps.records, options.records ? per_cpu * cpus : 1);
  bpf_map__set_max_entries(maps.doorbell, getpagesize());
  for (const Variant& variant : sched_programs(skeleton.get())) {
    bpf_program__set_autoload(raw ? variant.raw : variant.btf, true);
  }
  if (gilscope_bpf__load(skeleton.get())) {
    const int error = errno;
    const std::string way = remedy(error);
    return fail(Exit::unable,
                fmt::format("the kernel refuses the BPF programs ({}): {}; {}",
                            std::strerror(error), libbpf_warning(),
                            way.empty() ? "`gilscope doctor` says what this machine lacks" : way));
  }
  return skeleton;
}

}  // namespace

struct Tracer::State {
  Options options;
  bool raw = false;
  bool prev_state = false;
  Owned<gilscope_bpf> skeleton;
  Mapping<gilscope_slot> board;
  Mapping<gilscope_thread> threads;
  Mapping<gilscope_cpu> cpus;
  Mapping<uint64_t> slot_of_tid;
  Mapping<gilscope_segment> records_of_cpus;
  RecordBuffers buffers;
  Owned<ring_buffer> doorbell;
  std::vector<Owned<bpf_link>> links;
  Fd statistics;
  ProgramStatistics statistics_before;
  RecordSink sink;
  Status sink_status;
  uint64_t records = 0;

  void forget_threads();
  std::vector<bpf_program*> attached_programs() const;
  ProgramStatistics read_statistics() const;
  Status clear();
  bool all_left() const;
};

// Clears the previous run's tid-to-slot entries.
void Tracer::State::forget_threads() {
  for (const gilscope_thread& thread : threads.span()) {
    if (thread.entered_ns && thread.tid < slot_of_tid.span().size())
      slot_of_tid.span()[thread.tid] = 0;
  }
}

std::vector<bpf_program*> Tracer::State::attached_programs() const {
  std::vector<bpf_program*> programs;
  for (const Variant& variant : sched_programs(skeleton.get())) {
    programs.push_back(raw ? variant.raw : variant.btf);
  }
  return programs;
}

ProgramStatistics Tracer::State::read_statistics() const {
  ProgramStatistics sum;
  for (bpf_program* program : attached_programs()) {
    bpf_prog_info info = {};
    uint32_t size = sizeof(info);
    if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size)) continue;
    sum.ns += info.run_time_ns;
    sum.runs += info.run_cnt;
    sum.recursion_misses += info.recursion_misses;
  }
  return sum;
}

Status Tracer::State::clear() {
  forget_threads();
  std::ranges::fill(board.span(), gilscope_slot{});
  std::memset(threads.data(), 0, threads.span().size_bytes());
  std::memset(cpus.data(), 0, cpus.span().size_bytes());
  gilscope_window unopened = {};
  unopened.open_ns = unopened.close_ns = GILSCOPE_NEVER;
  skeleton->data->window = unopened;
  records = 0;
  sink_status = {};
  return {};
}

bool Tracer::State::all_left() const {
  const gilscope_window& window = skeleton->data->window;
  return __atomic_load_n(&window.left, __ATOMIC_ACQUIRE) >=
         __atomic_load_n(&window.entered, __ATOMIC_ACQUIRE);
}

Tracer::Tracer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Tracer::Tracer(Tracer&&) noexcept = default;
Tracer& Tracer::operator=(Tracer&&) noexcept = default;
Tracer::~Tracer() = default;

Result<Tracer> Tracer::load(const Options& options) {
  libbpf_set_print(keep_first_warning);
  const auto types = load_kernel_types();
  if (!types) return fail(types.error());
  auto state = std::make_unique<State>();
  state->options = options;
  state->prev_state = switch_passes_prev_state(types->get());
  state->raw = options.raw_programs;
  auto skeleton = load_skeleton(options, state->raw, state->prev_state);
  if (!skeleton && !state->raw) {
    // Older kernels and some architectures load raw tracepoints only.
    auto twin = load_skeleton(options, true, state->prev_state);
    if (!twin) return fail(skeleton.error());
    state->raw = true;
    skeleton = std::move(twin);
  } else if (!skeleton) {
    return fail(skeleton.error());
  }
  state->skeleton = std::move(*skeleton);

  auto& maps = state->skeleton->maps;
  auto board = map_array<gilscope_slot>(maps.board);
  auto threads = map_array<gilscope_thread>(maps.threads);
  auto cpus = map_array<gilscope_cpu>(maps.cpus);
  if (!board) return fail(board.error());
  if (!threads) return fail(threads.error());
  if (!cpus) return fail(cpus.error());
  state->board = std::move(*board);
  state->threads = std::move(*threads);
  state->cpus = std::move(*cpus);
  auto slot_of_tid = map_array<uint64_t>(maps.slot_of_tid);
  if (!slot_of_tid) return fail(slot_of_tid.error());
  state->slot_of_tid = std::move(*slot_of_tid);
  if (options.records) {
    auto records = map_array<gilscope_segment>(maps.records);
    if (!records) return fail(records.error());
    state->records_of_cpus = std::move(*records);
    state->buffers = RecordBuffers(state->records_of_cpus.span(), state->cpus.span(),
                                   state->skeleton->rodata->records_per_cpu);
    // It does not matter which CPU rang: all buffers are read at once.
    const auto heard = [](void*, void*, size_t) { return 0; };
    state->doorbell.reset(ring_buffer__new(bpf_map__fd(maps.doorbell), heard, nullptr, nullptr));
    if (!state->doorbell) return refused("cannot map the ring of the doorbell");
  }
  return Tracer(std::move(state));
}

Status Tracer::begin(RecordSink sink, bool statistics) {
  state_->sink = std::move(sink);
  if (Status cleared = state_->clear(); !cleared) return cleared;
  if (statistics) state_->statistics = Fd(bpf_enable_stats(BPF_STATS_RUN_TIME));
  state_->statistics_before = state_->read_statistics();
  libbpf_warning().clear();
  for (bpf_program* program : state_->attached_programs()) {
    state_->links.emplace_back(bpf_program__attach(program));
    if (!state_->links.back()) {
      int error = errno;
      abandon();
      return refused(fmt::format("cannot attach the BPF program {}", bpf_program__name(program)),
                     error);
    }
  }
  return {};
}

TraceControl Tracer::control() const {
  auto& p = state_->skeleton->progs;
  return TraceControl({bpf_program__fd(p.open_window), bpf_program__fd(p.close_window),
                       bpf_program__fd(p.enter), bpf_program__fd(p.leave),
                       static_cast<uint64_t>(state_->options.lead.count())});
}

std::span<gilscope_slot> Tracer::board() const {
  return state_->board.span();
}

int Tracer::doorbell_fd() const {
  return state_->doorbell ? ring_buffer__epoll_fd(state_->doorbell.get()) : -1;
}

Status Tracer::drain() {
  if (!state_->doorbell) return {};
  const int heard = ring_buffer__consume(state_->doorbell.get());
  if (heard < 0) return fail_errno("cannot read the ring of the doorbell", -heard);
  const auto taken = state_->buffers.take(
      kernel_monotonic_ns(), [this](std::span<const gilscope_segment> segments) {
        state_->records += segments.size();
        if (state_->sink_status) state_->sink_status = state_->sink(segments);
        return Status();  // after a failure the buffers are still emptied
      });
  if (!taken) return fail(taken.error());
  return state_->sink_status;
}

Status Tracer::end(Run& run, std::span<const int> cpus) {
  // A thread's last segment is counted at its last switch-out, which may come a moment after the
  // parent learns of the worker's death.
  using namespace std::chrono_literals;
  for (int tries = 0; !state_->all_left() && tries < 1000; ++tries)
    std::this_thread::sleep_for(1ms);
  bool complete = state_->all_left();
  ProgramStatistics statistics = state_->read_statistics();
  bool timed = static_cast<bool>(state_->statistics);
  abandon();
  Status drained = drain();
  if (!drained) return drained;
  const gilscope_window& window = state_->skeleton->data->window;
  if (!complete) {
    return fail(fmt::format("{} of {} threads were never switched out for the last time",
                            window.entered - window.left, window.entered));
  }
  if (window.open_ns == GILSCOPE_NEVER || window.close_ns == GILSCOPE_NEVER) {
    return fail("the worker died before its window was opened and closed");
  }

  std::span<const gilscope_thread> threads = state_->threads.span().first(run.threads.size());
  run.window_ns = window.close_ns - window.open_ns;
  run.opened_ns = window.open_ns;
  run.cpus = cpus_of(state_->cpus.span(), window, cpus);
  run.histograms.emplace();
  run.lost = lost_of(state_->cpus.span(), window);
  run.lost->recursion_misses =
      statistics.recursion_misses - state_->statistics_before.recursion_misses;
  if (timed) {
    run.tracer_cost = TracerCost{statistics.ns - state_->statistics_before.ns,
                                 statistics.runs - state_->statistics_before.runs};
  }
  run.segment_records = state_->records;
  for (const CpuTrace& cpu : run.cpus) {
    run.histograms->wake_to_run += cpu.histograms.wake_to_run;
    run.histograms->preempt_wait += cpu.histograms.preempt_wait;
    run.histograms->run += cpu.histograms.run;
  }
  for (size_t slot = 0; slot < threads.size(); ++slot) {
    if (threads[slot].entered_ns) run.threads[slot].trace = trace_of(threads[slot]);
  }
  return {};
}

void Tracer::abandon() {
  state_->links.clear();
  state_->statistics = Fd();
}

Facts Tracer::capabilities() const {
  return {
      {"programs", state_->raw ? "raw_tp" : "tp_btf", ""},
      {"prev_state_argument", state_->prev_state, ""},
      {"records", state_->options.records, ""},
      {"records_bytes",
       state_->options.records ? decltype(Fact::value)(static_cast<int64_t>(
                                     state_->records_of_cpus.span().size_bytes()))
                               : decltype(Fact::value)(),
       state_->options.records ? "" : "traced with counters only"},
      {"segment_bytes", static_cast<int64_t>(sizeof(gilscope_segment)), ""},
  };
}

}  // namespace gilscope
