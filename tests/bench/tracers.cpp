// The cost of tracing a run, for gilscope and its peers, in pairs with the same run untraced:
// prints the table of `make bench` and writes build/bench.json. Each round measures every tracer,
// in random order, and yields one value for each, the median of its pairs, so that a disturbance of
// a minute affects all of them alike. "nothing" against itself shows the size of such disturbances.
//
//   bench_tracers [--rounds N] [--only TRACER] [--json FILE]
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <thread>

#include "tests/bench/peers.h"
#include "tests/kernel/kernel_test.h"
#include "tools/analysis/statistics.h"
#include "userspace/machine/features/features.h"
#include "userspace/report/segment_file.h"

namespace gilscope::bench {
namespace {

struct Load {
  std::string name, policy, workload;
  bool every_cpu;
};

// Two threads that only wake each other on one CPU, and the convoy that this kit was begun for.
const Load kLoads[] = {
    {"ping-pong", "none", "ping-pong:seconds=150ms", false},
    {"convoy", "check-interval:100", "count:n=2M", true},
};

struct Measured {
  double wall_ns = 0, switches = 0;
  double work = 0;               // the workload's operations
  double bytes = 0;              // written to disk
  double steal_ns = 0;           // of the run's CPUs
  std::optional<uint64_t> lost;  // events; empty: not reported
};

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "bench_tracers: {}\n", why);
  std::exit(2);
}

template <typename T>
T must(Result<T> result) {
  if (!result) give_up(result.error().message);
  return std::move(*result);
}

// One way to trace a run.
struct Way {
  std::string name;
  // Pairs per round, by load. On the convoy gilscope's cost is within the machine's own variation,
  // which takes many pairs.
  int pairs[2];
  Tracer* tracer = nullptr;                      // gilscope's own
  bool records = false;                          // written to a file, as by `gilscope run --out`
  std::function<Peer(const std::string&)> peer;  // another tracer, which writes below that path
};

class Bench {
 public:
  explicit Bench(const std::string& directory) : directory_(directory) {
    interrupt_ = must(Interrupt::watch());
  }

  struct Pair {
    Measured traced, untraced;
  };

  // Pairs of a traced and an untraced run, whose order alternates.
  std::vector<Pair> pairs(const Load& load, const Way& way, bool traced_first) {
    const auto count = static_cast<size_t>(way.pairs[&load - kLoads]);
    if (way.peer) return beside_a_peer(load, way, count);
    const Way nothing{"nothing", {}, nullptr, false, nullptr};
    std::vector<Pair> done(count);
    for (Pair& pair : done) {
      if (traced_first) pair.traced = run(load, way);
      pair.untraced = run(load, nothing);
      if (!traced_first) pair.traced = run(load, way);
      traced_first = !traced_first;
    }
    return done;
  }

 private:
  // A peer takes seconds to start and to stop, so it observes all traced runs of a round; half of
  // the untraced runs come before it and half after.
  std::vector<Pair> beside_a_peer(const Load& load, const Way& way, size_t count) {
    const Way nothing{"nothing", {}, nullptr, false, nullptr};
    std::vector<Pair> done(count);
    for (size_t i = 0; i < count / 2; ++i) done[i].untraced = run(load, nothing);
    Peer peer = way.peer(directory_ + "/peer");
    double switches = 0;
    for (Pair& pair : done) {
      pair.traced = run(load, nothing);
      switches += pair.traced.switches;
    }
    const PeerResult result = must(peer.end());
    for (size_t i = count / 2; i < count; ++i) done[i].untraced = run(load, nothing);
    for (Pair& pair : done) {
      pair.traced.bytes = double(result.bytes) * pair.traced.switches / switches;
    }
    done[0].traced.lost = result.lost;
    return done;
  }

  Measured run(const Load& load, const Way& way) {
    std::vector<int> cpus = all_cpus();
    if (!load.every_cpu) cpus.resize(1);
    std::optional<SegmentWriter> file;
    Runner::Options options{.traced = way.tracer != nullptr};
    if (way.records) {
      file = must(create_file());
      options.sink = [&](std::span<const gilscope_segment> segments) {
        return file->write(segments);
      };
    }
    auto done = Runner(way.tracer, *interrupt_)
                    .run(make_cell(load.policy, load.workload, 2, cpus), options);
    if (!done) give_up(done.error().message);
    if (done->status != "done") give_up(done->status + ": " + done->failure);
    Measured measured;
    measured.wall_ns = double(done->wall_ns);
    for (const Thread& thread : done->threads) {
      measured.work += double(thread.operations.value_or(0));
      measured.switches +=
          double(thread.usage->voluntary_switches + thread.usage->involuntary_switches);
    }
    if (done->lost) measured.lost = done->lost->segments + done->lost->recursion_misses;
    measured.steal_ns = double(done->steal_ns.value_or(0));
    if (file) {
      if (Status s = file->finish(); !s) give_up(s.error().message);
      measured.bytes = double(std::filesystem::file_size(directory_ + "/segments"));
    }
    return measured;
  }

  Result<SegmentWriter> create_file() {
    std::filesystem::remove(directory_ + "/segments");
    const Fd directory(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return SegmentWriter::create(directory.get(), "segments", {});
  }

  std::string directory_;
  std::optional<Interrupt> interrupt_;
};

// One value per round.
struct Row {
  std::vector<double> ns_per_switch, percent, bytes_per_switch, untraced_ns;
  std::optional<uint64_t> lost;

  void add_round(const std::vector<Bench::Pair>& pairs) {
    std::vector<double> ns, relative, bytes, without;
    for (const auto& [traced, untraced] : pairs) {
      ns.push_back(traced.wall_ns / traced.switches - untraced.wall_ns / untraced.switches);
      relative.push_back(((traced.wall_ns / traced.work) / (untraced.wall_ns / untraced.work) - 1) *
                         100);
      bytes.push_back(traced.bytes / traced.switches);
      without.push_back(untraced.wall_ns / untraced.switches);
      if (traced.lost) lost = lost.value_or(0) + *traced.lost;
    }
    ns_per_switch.push_back(*median(ns));
    percent.push_back(*median(relative));
    bytes_per_switch.push_back(*median(bytes));
    untraced_ns.push_back(*median(without));
  }
};

std::string with_interval(const std::vector<double>& values, int decimals) {
  const auto interval = median_interval(values);
  if (!interval) return fmt::format("{:.{}f}", *median(values), decimals);
  return fmt::format("{:.{}f} ({:.{}f} to {:.{}f})", *median(values), decimals, interval->low,
                     decimals, interval->high, decimals);
}

std::string json_interval(const std::vector<double>& values, const char* low, const char* high) {
  const auto interval = median_interval(values);
  if (!interval) return fmt::format("\"{}\": null, \"{}\": null", low, high);
  return fmt::format("\"{}\": {:.4g}, \"{}\": {:.4g}", low, interval->low, high, interval->high);
}

using Rows = std::map<std::pair<std::string, std::string>, Row>;

// The cost that the tracer was designed for; docs/tracer-cost.md explains the misses.
void print_targets(const Rows& rows) {
  const auto ns = [&rows](const char* tracer) {
    return *median(rows.at({"ping-pong", tracer}).ns_per_switch);
  };
  const Row& convoy = rows.at({"convoy", "gilscope full"});
  const auto interval = median_interval(convoy.percent);
  const double full = ns("gilscope full");
  const struct {
    const char* what;
    double value, most;
  } targets[] = {
      {"ping-pong, full: ns a switch", full, 100},
      {"ping-pong, full: of perf sched record", full / ns("perf sched record"), 0.25},
      {"ping-pong, full: of bpftrace", full / ns("bpftrace"), 0.5},
      {"ping-pong, counters: ns a switch", ns("gilscope counters"), 60},
      {"full: bytes a segment", *median(convoy.bytes_per_switch), 48.5},  // with the header
      {"convoy, full: % of wall time", *median(convoy.percent), 1},
      {"convoy, full: the interval's upper end", interval ? interval->high : 100, 2},
  };
  fmt::print("\ntargets\n");
  for (const auto& target : targets) {
    fmt::print("  {:<40} {:>8.2f}  at most {:<6g} {}\n", target.what, target.value, target.most,
               target.value <= target.most ? "met" : "short");
  }
}

}  // namespace

int measure(int rounds, const std::string& only, const std::string& json_path) {
  if (Status able = require_tracing(); !able) give_up(able.error().message);
  char pattern[] = "/var/tmp/gilscope-bench.XXXXXX";
  if (!::mkdtemp(pattern)) give_up("cannot make a directory below /var/tmp");
  const std::string directory = pattern;
  const std::unique_ptr<const char, void (*)(const char*)> removed(
      pattern, [](const char* path) { std::filesystem::remove_all(path); });

  Tracer counters = must(Tracer::load({.max_threads = 3, .records = false}));
  Tracer full = must(Tracer::load({.max_threads = 3}));
  std::vector<Way> ways{
      {"nothing", {10, 10}, nullptr, false, nullptr},
      {"gilscope counters", {10, 10}, &counters, false, nullptr},
      {"gilscope full", {10, 40}, &full, true, nullptr},
      {"perf stat", {6, 4}, nullptr, false, perf_stat},
      {"perf sched record", {6, 4}, nullptr, false, perf_sched_record},
      {"bpftrace", {6, 4}, nullptr, false, bpftrace},
  };
  std::erase_if(ways, [&](const Way& way) { return !only.empty() && way.name != only; });
  if (ways.empty()) give_up("no tracer is called " + only);

  Bench bench(directory);
  std::mt19937_64 random(std::random_device{}());
  Rows rows;
  double steal_ns = 0, cpu_ns = 0;
  for (int round = 0; round < rounds; ++round) {
    std::vector<std::pair<const Load*, const Way*>> order;
    for (const Load& load : kLoads) {
      for (const Way& way : ways) order.emplace_back(&load, &way);
    }
    std::ranges::shuffle(order, random);
    for (const auto& [load, way] : order) {
      const auto pairs = bench.pairs(*load, *way, random() % 2);
      rows[{load->name, way->name}].add_round(pairs);
      const double cpus = load->every_cpu ? double(all_cpus().size()) : 1;
      for (const auto& [traced, untraced] : pairs) {
        steal_ns += traced.steal_ns + untraced.steal_ns;
        cpu_ns += (traced.wall_ns + untraced.wall_ns) * cpus;
      }
    }
    fmt::print(stderr, "round {} of {}\n", round + 1, rounds);
  }

  std::string json = fmt::format("{{\"rounds\": {}, \"rows\": [\n", rounds);
  bool first_row = true;
  for (const Load& load : kLoads) {
    std::vector<double> untraced;
    for (const Way& way : ways)
      std::ranges::copy(rows[{load.name, way.name}].untraced_ns, std::back_inserter(untraced));
    fmt::print("\n{}: {}, {}, 2 threads on {}; untraced {} ns a switch\n", load.name, load.policy,
               load.workload, load.every_cpu ? "every CPU" : "1 CPU", with_interval(untraced, 0));
    fmt::print("  {:<18} {:>26} {:>30} {:>13} {:>5}  {}\n", "", "added ns a switch",
               "added wall time, %", "bytes/switch", "lost", "times gilscope full");
    const auto ours = rows.find({load.name, "gilscope full"});
    const double full_ns = ours == rows.end() ? 0 : *median(ours->second.ns_per_switch);
    for (const Way& way : ways) {
      const Row& row = rows[{load.name, way.name}];
      const double ns = *median(row.ns_per_switch), bytes = *median(row.bytes_per_switch);
      fmt::print("  {:<18} {:>26} {:>30} {:>13.1f} {:>5}  {}\n", way.name,
                 with_interval(row.ns_per_switch, 0), with_interval(row.percent, 1), bytes,
                 row.lost ? fmt::to_string(*row.lost) : "-",
                 full_ns > 0 ? fmt::format("{:.1f}", ns / full_ns) : "-");
      json += fmt::format(
          "{}{{\"workload\": \"{}\", \"tracer\": \"{}\", \"added_ns_per_switch\": {:.4g}, {}, "
          "\"added_percent\": {:.4g}, {}, \"bytes_per_switch\": {:.4g}, \"lost\": {}, "
          "\"times_gilscope\": {}}}",
          first_row ? "" : ",\n", load.name, way.name, ns,
          json_interval(row.ns_per_switch, "low", "high"), *median(row.percent),
          json_interval(row.percent, "low_percent", "high_percent"), bytes,
          row.lost ? fmt::to_string(*row.lost) : "null",
          full_ns > 0 ? fmt::format("{:.4g}", ns / full_ns) : "null");
      first_row = false;
    }
  }
  json += fmt::format("\n], \"steal\": {:.4g}}}\n", steal_ns / cpu_ns);
  fmt::print("\nstolen by the hypervisor: {:.1f} % of the CPU time\n", steal_ns / cpu_ns * 100);
  if (only.empty()) print_targets(rows);
  std::ofstream file(json_path);
  file << json;
  file.close();
  if (!file) give_up("cannot write " + json_path);
  return 0;
}

}  // namespace gilscope::bench

int main(int argc, char** argv) {
  int rounds = 12;
  std::string only, json = "build/bench.json";
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string option = argv[i];
    if (option == "--rounds") rounds = std::max(1, std::atoi(argv[i + 1]));
    if (option == "--only") only = argv[i + 1];
    if (option == "--json") json = argv[i + 1];
  }
  return gilscope::bench::measure(rounds, only, json);
}
