// The cost of tracing a real interpreter, for gilscope and for what is used in its place: prints
// the table of `make bench-interpreters` and writes build/bench-interpreters.json. One process
// works in short phases, traced and untraced in turn, so that both have the same caches, memory and
// neighbours. Its CPU time by the kernel's accounts, for each unit of its work, is compared within
// each pair of phases.
//
//   bench_interpreters [--pairs N] [--json FILE] [--interpreter NAME] [--only PROGRAM]
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <thread>

#include "tests/bench/peers.h"
#include "tests/interpreters/subjects.h"
#include "tests/interpreters/symbols.h"
#include "tools/analysis/statistics.h"
#include "userspace/machine/cpus.h"
#include "userspace/machine/features/features.h"
#include "userspace/subject/subject.h"
#include "userspace/tracer/subject_tracer.h"

namespace gilscope::bench {
namespace {

constexpr double kPhaseS = 0.5;
// A peer takes seconds to start and to end: it observes so many phases at a time.
constexpr int kPhasesOfAPeer = 4;

struct Load {
  std::string name, program;
  std::vector<std::string> arguments;
  bool one_cpu;  // where the scheduler's choice of CPUs would be most of what differs
  double most;   // CPU time, traced by untraced, that the tracer was designed for
};

const Load kLoads[] = {
    {"pipes", "pipes.py", {"1", "0"}, true, 1.05},
    {"count", "count.py", {"2"}, false, 1.02},
    {"echo", "echo.py", {"1"}, false, 1.02},
};

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "bench_interpreters: {}\n", why);
  std::exit(2);
}

template <typename T>
T must(Result<T> result) {
  if (!result) give_up(result.error().message);
  return std::move(*result);
}

void must(const Status& status) {
  if (!status) give_up(status.error().message);
}

struct Phase {
  double cpu_ns = 0, work = 0, switches = 0;

  double cpu_of_work() const { return cpu_ns / work; }
};

// A process that works on demand, and its accounts.
class Worker {
 public:
  Worker(const Installed& interpreter, const Load& load)
      : at_work_(must(AtWork::start(interpreter, load.program, load.arguments))) {
    if (!load.one_cpu) return;
    cpu_set_t first;
    CPU_ZERO(&first);
    CPU_SET(must(allowed_cpus()).front(), &first);
    std::error_code error;
    std::filesystem::directory_iterator task(fmt::format("/proc/{}/task", pid()), error);
    for (; !error && task != std::filesystem::directory_iterator(); task.increment(error)) {
      ::sched_setaffinity(std::atoi(task->path().filename().c_str()), sizeof(first), &first);
    }
  }

  pid_t pid() const { return at_work_.pid(); }

  Phase phase() {
    const Phase before = accounts();
    must(at_work_.go(kPhaseS));
    const auto work = static_cast<double>(must(at_work_.done()));
    Phase phase = accounts();
    phase.cpu_ns -= before.cpu_ns;
    phase.switches -= before.switches;
    phase.work = work - work_;
    work_ = work;
    return phase;
  }

 private:
  // Of all threads, by the kernel, to the nanosecond.
  Phase accounts() const {
    Phase sum;
    std::error_code error;
    std::filesystem::directory_iterator task(fmt::format("/proc/{}/task", pid()), error);
    for (; !error && task != std::filesystem::directory_iterator(); task.increment(error)) {
      double ran = 0, waited = 0, slices = 0;
      std::ifstream(task->path() / "schedstat") >> ran >> waited >> slices;
      sum.cpu_ns += ran;
      std::ifstream status(task->path() / "status");
      for (std::string line; std::getline(status, line);) {
        const size_t at = line.find("ctxt_switches:");
        if (at != std::string::npos) sum.switches += std::strtod(line.c_str() + at + 14, nullptr);
      }
    }
    return sum;
  }

  AtWork at_work_;
  double work_ = 0;
};

// gilscope attached to a process, with or without a look at its GIL.
class Traced {
 public:
  Traced(pid_t pid, const std::vector<gilscope_gil>& gils, bool records)
      : records_(records), tracer_(must(SubjectTracer::load({.records = records}))) {
    must(tracer_.attach());
    const uint32_t place = must(tracer_.reserve_process());
    must(tracer_.enrol(place, static_cast<uint32_t>(pid)));
    if (!gils.empty()) tracer_.set_gils(place, gils);
    must(tracer_.open_window());
    reader_ = std::jthread([this](const std::stop_token& end) {
      while (!end.stop_requested()) {
        pollfd bell = {tracer_.doorbell_fd(), POLLIN, 0};
        ::poll(&bell, 1, 100);
        must(tracer_.drain([](std::span<const gilscope_segment>) { return Status(); }));
      }
    });
  }
  ~Traced() {
    must(tracer_.close_window());
    reader_.request_stop();
    reader_.join();
    tracer_.detach();
    if (records_ && tracer_.records() == 0) give_up("gilscope has traced nothing");
  }
  Traced(const Traced&) = delete;
  Traced& operator=(const Traced&) = delete;

 private:
  const bool records_;
  SubjectTracer tracer_;
  std::jthread reader_;
};

struct Way {
  std::string name;
  bool own;      // gilscope's: attached anew for each phase
  bool looks;    // at the GIL
  bool records;  // else counters alone
  std::function<Peer(pid_t, const std::string&)> peer;
};

struct Pair {
  Phase traced, untraced;
};

std::vector<Pair> pairs_of(const Way& way, Worker& worker, const std::vector<gilscope_gil>& gils,
                           const std::string& directory, bool traced_first) {
  std::vector<Pair> pairs(way.own || !way.peer ? 1 : kPhasesOfAPeer);
  if (way.own || !way.peer) {
    const auto traced = [&] {
      std::optional<Traced> tracing;
      if (way.own) {
        tracing.emplace(worker.pid(), way.looks ? gils : std::vector<gilscope_gil>(), way.records);
      }
      pairs[0].traced = worker.phase();
    };
    if (traced_first) traced();
    pairs[0].untraced = worker.phase();
    if (!traced_first) traced();
    return pairs;
  }
  for (int i = 0; i < kPhasesOfAPeer / 2; ++i) pairs[size_t(i)].untraced = worker.phase();
  {
    Peer peer = way.peer(worker.pid(), directory + "/peer");
    for (Pair& pair : pairs) pair.traced = worker.phase();
    must(peer.end());
  }
  for (int i = kPhasesOfAPeer / 2; i < kPhasesOfAPeer; ++i)
    pairs[size_t(i)].untraced = worker.phase();
  return pairs;
}

struct Row {
  std::vector<double> ratio, ns_per_switch, switches_per_s;

  void add(const Pair& pair) {
    const double added = pair.traced.cpu_of_work() - pair.untraced.cpu_of_work();
    ratio.push_back(pair.traced.cpu_of_work() / pair.untraced.cpu_of_work());
    ns_per_switch.push_back(added * pair.untraced.work / pair.untraced.switches);
    switches_per_s.push_back(pair.untraced.switches / kPhaseS);
  }
};

std::string with_interval(const std::vector<double>& values, int decimals) {
  const auto interval = median_interval(values);
  if (!interval) return fmt::format("{:.{}f}", *median(values), decimals);
  return fmt::format("{:.{}f} ({:.{}f} to {:.{}f})", *median(values), decimals, interval->low,
                     decimals, interval->high, decimals);
}

std::string json_of(const std::string& key, const std::vector<double>& values) {
  const auto interval = median_interval(values);
  return fmt::format("\"{0}\": {1:.5g}, \"{0}_low\": {2}, \"{0}_high\": {3}", key, *median(values),
                     interval ? fmt::format("{:.5g}", interval->low) : "null",
                     interval ? fmt::format("{:.5g}", interval->high) : "null");
}

using Rows = std::map<std::pair<std::string, std::string>, Row>;

void print_targets(const Rows& rows) {
  fmt::print("\ntargets\n");
  const auto print = [](const std::string& what, double value, double most) {
    fmt::print("  {:<52} {:>8.3f}  at most {:<6g} {}\n", what, value, most,
               value <= most ? "met" : "short");
  };
  for (const Load& load : kLoads) {
    print(load.name + ", full: CPU time, of untraced",
          *median(rows.at({load.name, "gilscope full"}).ratio), load.most);
  }
  const auto ns = [&](const char* way) { return *median(rows.at({"pipes", way}).ns_per_switch); };
  print("pipes: ns a switch, full, above segments alone",
        ns("gilscope full") - ns("segments alone"), 100);
}

}  // namespace

int measure(int pairs, const std::string& name, const std::string& only,
            const std::string& json_path) {
  must(require_tracing());
  const auto interpreter = installed(name);
  if (!interpreter) give_up("no interpreter " + name + " here");
  char pattern[] = "/var/tmp/gilscope-bench.XXXXXX";
  if (!::mkdtemp(pattern)) give_up("cannot make a directory below /var/tmp");
  const std::unique_ptr<const char, void (*)(const char*)> removed(
      pattern, [](const char* path) { std::filesystem::remove_all(path); });

  const std::vector<Way> ways = {
      {"nothing", false, false, false, nullptr},
      {"segments alone", true, false, true, nullptr},
      {"gilscope counters", true, true, false, nullptr},
      {"gilscope full", true, true, true, nullptr},
      {"perf record 1 kHz", false, false, false, perf_record},
      {"perf trace futex", false, false, false, perf_trace_futex},
      {"bpftrace uprobes", false, false, false, bpftrace_take_gil},
  };
  std::mt19937_64 random(std::random_device{}());
  Rows rows;
  std::string json = fmt::format("{{\"interpreter\": \"{}\", \"rows\": [", interpreter->path);
  bool first = true;
  for (const Load& load : kLoads) {
    if (!only.empty() && load.name != only) continue;
    Worker worker(*interpreter, load);
    const Subject subject = must(find_subject(worker.pid()));
    std::vector<gilscope_gil> gils;
    for (const GilPlace& place : subject.gils) gils.push_back(place.gil);
    worker.phase();  // warm
    for (int done = 0; done < pairs; done += kPhasesOfAPeer) {
      std::vector<const Way*> order;
      for (const Way& way : ways) {
        for (int i = 0; i < (way.peer ? 1 : kPhasesOfAPeer); ++i) order.push_back(&way);
      }
      std::ranges::shuffle(order, random);
      for (const Way* way : order) {
        for (const Pair& pair : pairs_of(*way, worker, gils, pattern, random() % 2)) {
          rows[{load.name, way->name}].add(pair);
        }
      }
      fmt::print(stderr, "{}: {} of {} pairs\n", load.name, done + kPhasesOfAPeer, pairs);
    }
    std::vector<double> rate;
    for (const Way& way : ways) {
      const auto& some = rows[{load.name, way.name}].switches_per_s;
      rate.insert(rate.end(), some.begin(), some.end());
    }
    fmt::print("\n{}: {} {} of CPython {}, {}; untraced {:.0f} switches a second\n", load.name,
               load.program, fmt::join(load.arguments, " "), subject.version,
               load.one_cpu ? "on 1 CPU" : "on every CPU", *median(rate));
    fmt::print("  {:<18} {:>26} {:>30}\n", "", "CPU time, of untraced", "added CPU ns a switch");
    for (const Way& way : ways) {
      const Row& row = rows[{load.name, way.name}];
      fmt::print("  {:<18} {:>26} {:>30}\n", way.name, with_interval(row.ratio, 3),
                 with_interval(row.ns_per_switch, 0));
      json += fmt::format("{}\n{{\"program\": \"{}\", \"tracer\": \"{}\", {}, {}}}",
                          first ? "" : ",", load.name, way.name, json_of("ratio", row.ratio),
                          json_of("added_ns_per_switch", row.ns_per_switch));
      first = false;
    }
  }
  json += "\n]}\n";
  if (only.empty()) print_targets(rows);
  std::ofstream file(json_path);
  file << json;
  file.close();
  if (!file) give_up("cannot write " + json_path);
  return 0;
}

}  // namespace gilscope::bench

int main(int argc, char** argv) {
  int pairs = 24;
  std::string interpreter = "python3", only, json = "build/bench-interpreters.json";
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string option = argv[i];
    if (option == "--pairs") pairs = std::max(1, std::atoi(argv[i + 1]));
    if (option == "--interpreter") interpreter = argv[i + 1];
    if (option == "--only") only = argv[i + 1];
    if (option == "--json") json = argv[i + 1];
  }
  return gilscope::bench::measure(pairs, interpreter, only, json);
}
