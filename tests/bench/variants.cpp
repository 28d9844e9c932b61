// Holds forms of the BPF programs against each other: `make bench-variants`. Each object file is a
// form of bpf/gilscope.bpf.c with the same programs and maps; the first is what the others are
// compared with. Two threads wake each other on one CPU. A round times every form, in a random
// order, by the kernel's run-time statistics and against the same threads untraced just before or
// after.
//
//   bench_variants [--rounds N] OBJECT...
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "bpf/counters.h"
#include "tools/analysis/statistics.h"
#include "userspace/base/fd.h"
#include "userspace/base/mapping.h"
#include "userspace/base/time.h"
#include "userspace/tracer/control.h"

namespace gilscope::bench {
namespace {

constexpr uint32_t kRecordsPerCpu = 1 << 16, kSlots = 3;
constexpr uint64_t kRunNs = 100'000'000;

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "bench_variants: {}\n", why);
  std::exit(2);
}

void check(const Status& status) {
  if (!status) give_up(status.error().message);
}

struct Closer {
  void operator()(bpf_object* object) const { bpf_object__close(object); }
  void operator()(bpf_link* link) const { bpf_link__destroy(link); }
  void operator()(ring_buffer* ring) const { ring_buffer__free(ring); }
};
template <typename T>
using Owned = std::unique_ptr<T, Closer>;

void pin(int cpu) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  if (sched_setaffinity(0, sizeof(one), &one) != 0) give_up("cannot use a CPU of its own");
}

struct Passed {
  double ns = 0, switches = 0;
};

// Two threads pass a token back and forth on the first CPU for kRunNs.
Passed ping_pong(const TraceControl& tracing) {
  sem_t tokens[2];
  sem_init(&tokens[0], 0, 1);
  sem_init(&tokens[1], 0, 0);
  std::atomic<uint64_t> switches = 0;
  const uint64_t began = monotonic_ns();
  const auto body = [&](uint32_t index) {
    pin(0);
    check(tracing.enter(index));
    for (bool over = false; !over;) {
      while (sem_wait(&tokens[index]) != 0) {
      }
      over = monotonic_ns() - began > kRunNs;
      sem_post(&tokens[1 - index]);
    }
    check(tracing.leave());
    rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    switches += static_cast<uint64_t>(usage.ru_nvcsw + usage.ru_nivcsw);
  };
  std::thread one(body, 0), other(body, 1);
  one.join();
  other.join();
  return {double(monotonic_ns() - began), double(switches)};
}

// One form, loaded into the kernel.
class Form {
 public:
  explicit Form(const std::string& path) : name_(std::filesystem::path(path).stem()) {
    object_.reset(bpf_object__open_file(path.c_str(), nullptr));
    if (!object_) give_up("cannot open " + path);
    set_sizes();
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, object_.get()) {
      const std::string name = bpf_program__name(program);
      const bool raw = name.ends_with("_raw"), btf = name.ends_with("_btf");
      if (raw || btf) bpf_program__set_autoload(program, btf);
      if (btf) programs_.push_back(program);
    }
    if (bpf_object__load(object_.get()) != 0)
      give_up(fmt::format("the kernel rejects {}; `bpftool prog loadall` shows why", path));
    map_rows();
  }

  const std::string& name() const { return name_; }

  // Each program's cost, over all rounds.
  void print_programs() const {
    fmt::print("\n{}:\n", name_);
    for (const bpf_program* program : programs_) {
      const bpf_prog_info info = info_of(program);
      if (info.run_cnt == 0) continue;
      fmt::print("  {:<24} {:>10} runs of {:.0f} ns, {} bytes of machine code\n",
                 bpf_program__name(program), info.run_cnt,
                 double(info.run_time_ns) / double(info.run_cnt), info.jited_prog_len);
    }
  }

  struct Cost {
    double added_ns = 0;    // per switch, against the adjacent untraced run
    double program_ns = 0;  // per switch, by the kernel's statistics
  };
  Cost measure(bool traced_first) {
    Cost cost;
    const auto ns_per_switch = [](const Passed& passed) { return passed.ns / passed.switches; };
    const double first = ns_per_switch(traced_first ? traced() : ping_pong({}));
    const double second = ns_per_switch(traced_first ? ping_pong({}) : traced());
    cost.added_ns = traced_first ? first - second : second - first;
    const Fd statistics(bpf_enable_stats(BPF_STATS_RUN_TIME));
    const uint64_t before = run_time_ns();
    const double switches = traced().switches;
    cost.program_ns = double(run_time_ns() - before) / switches;
    return cost;
  }

 private:
  bpf_map* map(const char* name) const { return bpf_object__find_map_by_name(object_.get(), name); }

  // Maps an array by its name; some forms keep it as a global variable, in a .bss section.
  template <typename T>
  Mapping<T> mapped(const char* name) const {
    const bpf_map* array = map(name);
    if (!array) array = map(fmt::format(".bss.{}", name).c_str());
    if (!array) give_up(fmt::format("{} has no {}", name_, name));
    auto mapping = Mapping<T>::of_fd(
        bpf_map__fd(array), bpf_map__max_entries(array) * bpf_map__value_size(array) / sizeof(T));
    if (!mapping) give_up(mapping.error().message);
    return std::move(*mapping);
  }

  void set_sizes() {
    const auto set = [this](const char* name, uint32_t entries) {
      if (bpf_map* found = map(name)) bpf_map__set_max_entries(found, entries);
    };
    const auto cpus = static_cast<uint32_t>(libbpf_num_possible_cpus());
    set("board", kSlots);
    set("threads", kSlots);
    set("cores", cpus);
    set("records", kRecordsPerCpu * cpus);
    set("doorbell", 4096);
    set("slot_of_tid", 1 << 22);
    bpf_map* of_tid = map("slot_of_tid");
    if (of_tid && bpf_map__type(of_tid) == BPF_MAP_TYPE_HASH) {
      bpf_map__set_max_entries(of_tid, 1024);
    }
    set_constant("has_prev_state", uint8_t{1});  // prev_state has been there since 5.18
    set_constant("records_per_cpu", kRecordsPerCpu);
  }

  template <typename T>
  void set_constant(const char* name, T value) {
    const btf* types = bpf_object__btf(object_.get());
    const int section = btf__find_by_name_kind(types, ".rodata", BTF_KIND_DATASEC);
    if (section < 0) return;
    const btf_type* type = btf__type_by_id(types, static_cast<uint32_t>(section));
    size_t size = 0;
    // This libbpf returns the initial value as const, though it may be written.
    auto* data = static_cast<char*>(
        const_cast<void*>(static_cast<const void*>(bpf_map__initial_value(map(".rodata"), &size))));
    const btf_var_secinfo* variable = btf_var_secinfos(type);
    for (int i = 0; i < btf_vlen(type); ++i, ++variable) {
      const btf_type* of = btf__type_by_id(types, variable->type);
      if (std::string_view(btf__name_by_offset(types, of->name_off)) != name) continue;
      std::memcpy(data + variable->offset, &value, sizeof(value));
    }
  }

  void map_rows() {
    cpus_ = mapped<gilscope_cpu>("cpus");
    threads_ = mapped<gilscope_thread>("threads");
    // Forms with a shared ring buffer call it "ring".
    if (bpf_map* ring = map("ring")) {
      const auto read = [](void*, void*, size_t) { return 0; };
      ring_.reset(ring_buffer__new(bpf_map__fd(ring), read, nullptr, nullptr));
      if (!ring_) give_up("cannot map the ring of " + name_);
    }
  }

  static bpf_prog_info info_of(const bpf_program* program) {
    bpf_prog_info info = {};
    uint32_t size = sizeof(info);
    bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size);
    return info;
  }

  uint64_t run_time_ns() const {
    uint64_t sum = 0;
    for (const bpf_program* program : programs_) sum += info_of(program).run_time_ns;
    return sum;
  }

  int fd(const char* name) const {
    return bpf_program__fd(bpf_object__find_program_by_name(object_.get(), name));
  }

  Passed traced() {
    std::memset(threads_.data(), 0, threads_.span().size_bytes());
    const TraceControl control(
        {fd("open_window"), fd("close_window"), fd("enter"), fd("leave"), 100'000});
    std::vector<Owned<bpf_link>> links;
    for (bpf_program* program : programs_) links.emplace_back(bpf_program__attach(program));
    if (!std::ranges::all_of(links, [](const auto& link) { return bool(link); })) {
      give_up("cannot attach " + name_);
    }
    check(control.open_window());
    std::atomic<bool> over = false;
    std::thread reader([&] {
      while (!over) {
        if (ring_) ring_buffer__consume(ring_.get());
        for (gilscope_cpu& cpu : cpus_.span()) cpu.taken = cpu.written;
        ::usleep(2'000);
      }
    });
    const Passed passed = ping_pong(control);
    over = true;
    reader.join();
    uint64_t dropped = 0;
    for (const gilscope_cpu& cpu : cpus_.span()) dropped += cpu.records_dropped;
    if (dropped) give_up(fmt::format("{} lost {} records", name_, dropped));
    return passed;
  }

  std::string name_;
  Owned<bpf_object> object_;
  std::vector<bpf_program*> programs_;
  Mapping<gilscope_cpu> cpus_;
  Mapping<gilscope_thread> threads_;
  Owned<ring_buffer> ring_;
};

std::string with_interval(const std::vector<double>& values) {
  const auto interval = median_interval(values);
  if (!interval) return fmt::format("{:.0f}", *median(values));
  return fmt::format("{:.0f} ({:.0f} to {:.0f})", *median(values), interval->low, interval->high);
}

}  // namespace

void measure(int rounds, const std::vector<std::string>& paths) {
  libbpf_set_print(nullptr);
  struct Tried {
    Form form;
    std::vector<double> added, programs, against;
  };
  std::vector<Tried> all;
  for (const std::string& path : paths) all.push_back({Form(path), {}, {}, {}});
  std::mt19937_64 random(std::random_device{}());
  std::vector<size_t> order(all.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  for (int round = 0; round < rounds; ++round) {
    std::ranges::shuffle(order, random);
    for (size_t i : order) {
      const Form::Cost cost = all[i].form.measure(random() % 2);
      all[i].added.push_back(cost.added_ns);
      all[i].programs.push_back(cost.program_ns);
    }
    for (Tried& one : all) one.against.push_back(one.programs.back() - all[0].programs.back());
  }
  fmt::print("{:<30} {:>24} {:>24} {:>24}\n", "ns a switch", "programs, by the kernel",
             "against " + all[0].form.name(), "added to the run");
  for (const Tried& one : all) {
    fmt::print("{:<30} {:>24} {:>24} {:>24}\n", one.form.name(), with_interval(one.programs),
               &one == &all[0] ? "" : with_interval(one.against), with_interval(one.added));
  }
  all[0].form.print_programs();
}

}  // namespace gilscope::bench

int main(int argc, char** argv) {
  int rounds = 20;
  std::vector<std::string> paths;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--rounds" && i + 1 < argc) {
      rounds = std::max(1, std::atoi(argv[++i]));
    } else {
      paths.push_back(argv[i]);
    }
  }
  if (paths.empty())
    gilscope::bench::give_up("no object file given; `make bench-variants FORMS=...`");
  gilscope::bench::measure(rounds, paths);
}
