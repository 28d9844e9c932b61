#include "userspace/tracer/programs.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "userspace/base/kernel_time.h"
#include "userspace/base/refusal.h"
#include "userspace/tracer/kernel_types.h"

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

template <typename T>
Status map_into(Mapping<T>& into, bpf_map* map) {
  auto mapped = map_array<T>(map);
  if (!mapped) return fail(mapped.error());
  into = std::move(*mapped);
  return {};
}

struct Variant {
  bpf_program* btf;
  bpf_program* raw;
};

std::vector<Variant> sched_programs(const gilscope_bpf& skeleton, bool of_subject) {
  const auto& p = skeleton.progs;
  if (of_subject) {
    return {{p.subject_switch_btf, p.subject_switch_raw},
            {p.subject_waking_btf, p.subject_waking_raw},
            {p.subject_start_btf, p.subject_start_raw},
            {p.subject_migrate_btf, p.subject_migrate_raw},
            {p.subject_exit_btf, p.subject_exit_raw},
            {p.subject_fork_btf, p.subject_fork_raw},
            {p.subject_exec_btf, p.subject_exec_raw},
            {p.subject_rename_btf, p.subject_rename_raw}};
  }
  return {{p.sched_switch_btf, p.sched_switch_raw},
          {p.sched_waking_btf, p.sched_waking_raw},
          {p.sched_wakeup_new_btf, p.sched_wakeup_new_raw},
          {p.sched_migrate_task_btf, p.sched_migrate_task_raw},
          {p.sched_process_exit_btf, p.sched_process_exit_raw}};
}

// The length of a CPU's buffer, a power of two: the room shared out among the CPUs that are
// present. A CPU that is plugged in later has no buffer, and drops its records.
uint32_t records_per_cpu(const ProgramOptions& options, uint32_t cpus) {
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

void set_sizes(gilscope_bpf& skeleton, const ProgramOptions& options, uint32_t possible_cpus) {
  auto& maps = skeleton.maps;
  const uint32_t cpus = std::max(get_nprocs_conf(), 1);
  const uint32_t per_cpu = records_per_cpu(options, cpus);
  skeleton.rodata->records_per_cpu = per_cpu;
  skeleton.rodata->possible_cpus = possible_cpus;
  bpf_map__set_max_entries(maps.threads, options.max_threads);
  bpf_map__set_max_entries(maps.slot_of_tid, most_tids());
  bpf_map__set_max_entries(maps.records, options.records ? per_cpu * cpus : 1);
  bpf_map__set_max_entries(maps.doorbell, getpagesize());
  if (!options.of_subject()) {
    bpf_map__set_max_entries(maps.board, options.max_threads);
    bpf_map__set_max_entries(maps.cpus, possible_cpus);
    return;
  }
  bpf_map__set_max_entries(maps.cpus, possible_cpus * options.max_processes);
  bpf_map__set_max_entries(maps.processes, options.max_processes);
  bpf_map__set_max_entries(maps.process_of_tgid, most_tids());
  bpf_map__set_max_entries(maps.waiters, options.max_threads);
  bpf_map__set_max_entries(maps.slot_of_state, 2 * options.max_threads);
  bpf_map__set_max_entries(maps.free_slots, options.max_threads);
  bpf_map__set_max_entries(maps.free_processes, options.max_processes);
}

Result<BpfOwned<gilscope_bpf>> load_skeleton(const ProgramOptions& options, bool raw,
                                             bool prev_state, uint32_t possible_cpus) {
  libbpf_warning().clear();
  BpfOwned<gilscope_bpf> skeleton(gilscope_bpf__open());
  if (!skeleton) return refused("cannot open the BPF programs");
  skeleton->rodata->write_records = options.records;
  skeleton->rodata->has_prev_state = prev_state;
  skeleton->rodata->watches_lock = options.lock;
  set_sizes(*skeleton, options, possible_cpus);
  for (const Variant& variant : sched_programs(*skeleton, options.of_subject())) {
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

Result<Programs> Programs::load(const ProgramOptions& options) {
  libbpf_set_print(keep_first_warning);
  const auto types = load_kernel_types();
  if (!types) return fail(types.error());
  Programs programs;
  programs.options_ = options;
  programs.prev_state_ = switch_passes_prev_state(types->get());
  programs.raw_ = options.raw_programs;
  programs.possible_cpus_ = static_cast<uint32_t>(std::max(libbpf_num_possible_cpus(), 1));
  auto skeleton =
      load_skeleton(options, programs.raw_, programs.prev_state_, programs.possible_cpus_);
  if (!skeleton && !programs.raw_) {
    // Older kernels and some architectures load raw tracepoints only.
    auto twin = load_skeleton(options, true, programs.prev_state_, programs.possible_cpus_);
    if (!twin) return fail(skeleton.error());
    programs.raw_ = true;
    skeleton = std::move(twin);
  } else if (!skeleton) {
    return fail(skeleton.error());
  }
  programs.skeleton_ = std::move(*skeleton);
  if (Status mapped = programs.map_all(); !mapped) return fail(mapped.error());
  return programs;
}

Status Programs::map_all() {
  auto& maps = skeleton_->maps;
  if (Status s = map_into(board_, maps.board); !s) return s;
  if (Status s = map_into(threads_, maps.threads); !s) return s;
  if (Status s = map_into(cpus_, maps.cpus); !s) return s;
  if (Status s = map_into(slot_of_tid_, maps.slot_of_tid); !s) return s;
  if (Status s = map_into(processes_, maps.processes); !s) return s;
  if (Status s = map_into(process_of_tgid_, maps.process_of_tgid); !s) return s;
  if (Status s = map_into(waiters_, maps.waiters); !s) return s;
  if (!options_.records && !options_.of_subject()) return {};
  // It does not matter who rang: everything is looked at.
  const auto heard = [](void*, void*, size_t) { return 0; };
  doorbell_.reset(ring_buffer__new(bpf_map__fd(maps.doorbell), heard, nullptr, nullptr));
  if (!doorbell_) return refused("cannot map the ring of the doorbell");
  if (!options_.records) return {};
  if (Status s = map_into(records_of_cpus_, maps.records); !s) return s;
  // The first process's part of `cpus` says how far each CPU's buffer is filled.
  buffers_ = RecordBuffers(records_of_cpus_.span(), cpus_.span().first(possible_cpus_),
                           skeleton_->rodata->records_per_cpu);
  return {};
}

void Programs::clear() {
  for (const gilscope_thread& thread : threads_.span()) {
    if (thread.entered_ns && thread.tid < slot_of_tid_.span().size()) {
      slot_of_tid_.span()[thread.tid] = 0;
    }
  }
  std::ranges::fill(board_.span(), gilscope_slot{});
  std::memset(threads_.data(), 0, threads_.span().size_bytes());
  std::memset(cpus_.data(), 0, cpus_.span().size_bytes());
  gilscope_window unopened = {};
  unopened.open_ns = unopened.close_ns = GILSCOPE_NEVER;
  skeleton_->data->window = unopened;
  records_ = 0;
  sink_status_ = {};
}

std::vector<bpf_program*> Programs::attached() const {
  std::vector<bpf_program*> programs;
  for (const Variant& variant : sched_programs(*skeleton_, options_.of_subject())) {
    programs.push_back(raw_ ? variant.raw : variant.btf);
  }
  return programs;
}

Status Programs::attach() {
  libbpf_warning().clear();
  for (bpf_program* program : attached()) {
    links_.emplace_back(bpf_program__attach(program));
    if (!links_.back()) {
      const int error = errno;
      detach();
      return refused(fmt::format("cannot attach the BPF program {}", bpf_program__name(program)),
                     error);
    }
  }
  return {};
}

ProgramStatistics Programs::statistics() const {
  ProgramStatistics sum;
  for (bpf_program* program : attached()) {
    bpf_prog_info info = {};
    uint32_t size = sizeof(info);
    if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size)) continue;
    sum.ns += info.run_time_ns;
    sum.runs += info.run_cnt;
    // On kernels that let programs be preempted, an exit may come in the middle of another's, and
    // is skipped. A thread whose exit that was has not left, so that its run fails in
    // Tracer::end(); the exits of other processes mean nothing.
    const auto& progs = skeleton().progs;
    if (program == progs.sched_process_exit_btf || program == progs.sched_process_exit_raw)
      continue;
    sum.recursion_misses += info.recursion_misses;
  }
  return sum;
}

int Programs::doorbell_fd() const {
  return doorbell_ ? ring_buffer__epoll_fd(doorbell_.get()) : -1;
}

Status Programs::drain(const RecordBuffers::Sink& sink) {
  if (!doorbell_) return {};
  const int heard = ring_buffer__consume(doorbell_.get());
  if (heard < 0) return fail_errno("cannot read the ring of the doorbell", -heard);
  if (!options_.records) return {};
  if (!read_records_) {
    buffers_.skip();
    return {};
  }
  const auto taken =
      buffers_.take(kernel_monotonic_ns(), [&](std::span<const gilscope_segment> segments) {
        records_ += segments.size();
        if (sink_status_) sink_status_ = sink(segments);
        return Status();  // after a failure the buffers are still emptied
      });
  if (!taken) return fail(taken.error());
  return sink_status_;
}

Facts Programs::capabilities() const {
  return {
      {"programs", raw_ ? "raw_tp" : "tp_btf", ""},
      {"prev_state_argument", prev_state_, ""},
      {"records", options_.records, ""},
      {"records_bytes",
       options_.records
           ? decltype(Fact::value)(static_cast<int64_t>(records_of_cpus_.span().size_bytes()))
           : decltype(Fact::value)(),
       options_.records ? "" : "traced with counters only"},
      {"segment_bytes", static_cast<int64_t>(sizeof(gilscope_segment)), ""},
  };
}

}  // namespace gilscope
