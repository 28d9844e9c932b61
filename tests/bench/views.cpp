// The cost of a trace's views: synthetic runs of 10^5, 10^6 and 10^7 segments, and the time and
// memory that `gilscope show`, `export` and `html` take for each. CPU time is given beside wall
// time, which includes waiting for the disk when gigabytes are written. docs/export.md has the
// results.
//   build/bench_views [GILSCOPE [LARGEST]]     GILSCOPE: the program; LARGEST: segments
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "tests/bench/cost.h"
#include "userspace/report/json.h"
#include "userspace/report/segment_file.h"

namespace gilscope {
namespace {

constexpr uint32_t kThreads = 4;  // besides main
constexpr uint64_t kStartNs = 1'000'000'000;

// Two CPUs whose threads take the GIL from one another, or are woken in vain.
class MadeUp {
 public:
  gilscope_segment next() {
    const auto cpu = static_cast<uint16_t>(count_++ % 2);
    const auto thread = static_cast<uint32_t>(1 + cpu + 2 * (random_() % 2));
    gilscope_segment s = {};
    s.thread = thread;
    s.cpu = s.previous_cpu = s.placed_cpu = cpu;
    s.waker_cpu = 1 - cpu;
    s.waker_tid = 100 + (2 - cpu);
    s.began = GILSCOPE_BEGAN_WOKEN;
    s.ended = GILSCOPE_ENDED_BLOCKED_GIL;
    s.gil_state = GILSCOPE_WAITING;
    s.run_ns = free_ns_[cpu] + 1000 + random_() % 20'000;
    s.ready_ns = std::max<uint64_t>(free_ns_[cpu], s.run_ns - random_() % 10'000);
    s.end_ns = s.run_ns + 1000 + random_() % 50'000;
    if (random_() % 3) {
      s.acquires = static_cast<uint32_t>(1 + random_() % 100);
    } else {
      s.woken_lost = 1;
    }
    free_ns_[cpu] = s.end_ns;
    return s;
  }

  uint64_t end_ns() const { return std::max(free_ns_[0], free_ns_[1]); }

 private:
  std::mt19937_64 random_{7};
  uint64_t count_ = 0;
  uint64_t free_ns_[2] = {kStartNs, kStartNs};
};

Thread a_thread(uint32_t slot) {
  Thread thread;
  thread.name = slot ? fmt::format("Thread-{}", slot) : "MainThread";
  thread.role = slot ? "worker" : "main";
  thread.ended = "finished";
  thread.trace.emplace();
  thread.trace->tid = 100 + slot;
  return thread;
}

Status make(const std::string& directory, uint64_t segments) {
  Report report;
  report.id = "0f0f0f0f-0000-4000-8000-000000000001";
  report.gilscope = "bench";
  report.created_at = "2026-03-01T12:00:00Z";
  report.status = "done";
  report.blocks_planned = 1;
  Cell cell;
  cell.policy = "check-interval:100", cell.workload = "count:n=1M", cell.arrangement = "threaded";
  cell.threads = kThreads, cell.cpus = "2", cell.cpu_list = {0, 1};
  cell.cpus_by = "affinity", cell.main_exit = "join", cell.cpu_order = "cores-first";
  Run run;
  run.trace = "full", run.status = "done", run.started_at = report.created_at;
  run.segments_file = "segments/run.bin";
  run.segment_records = segments;
  run.lost.emplace();
  for (uint32_t slot = 0; slot <= kThreads; ++slot) run.threads.push_back(a_thread(slot));

  std::filesystem::create_directories(directory + "/segments");
  Fd at(open((directory + "/segments").c_str(), O_RDONLY | O_DIRECTORY));
  SegmentFileHeader header;
  std::ranges::copy(report.id, header.report_id.begin());
  auto writer = SegmentWriter::create(at.get(), "run.bin", header);
  if (!writer) return fail(writer.error());
  MadeUp made_up;
  for (uint64_t i = 0; i < segments; ++i) {
    const gilscope_segment segment = made_up.next();
    if (Status s = writer->write({&segment, 1}); !s) return s;
  }
  if (Status s = writer->finish(); !s) return s;
  run.opened_ns = kStartNs;
  run.window_ns = run.wall_ns = made_up.end_ns() - kStartNs;
  cell.runs.push_back(run);
  report.cells.push_back(cell);
  return write_report(report, directory + "/report.json");
}

int run(const std::string& gilscope, uint64_t largest) {
  const std::string directory = "/var/tmp/gilscope-bench." + std::to_string(getpid());
  fmt::print("{:<18} {:>10} {:>9} {:>9} {:>12} {:>13}\n", "view", "segments", "wall, s", "CPU, s",
             "max RSS, MiB", "output, MiB");
  for (uint64_t segments = 100'000; segments <= largest; segments *= 10) {
    std::filesystem::remove_all(directory);
    if (Status made = make(directory, segments); !made) {
      fmt::print(stderr, "bench_views: {}\n", made.error().message);
      return 2;
    }
    const std::string report = directory + "/report.json", output = directory + "/output";
    for (const std::vector<std::string>& view :
         {std::vector<std::string>{"show"},
          {"export", "--format", "perfetto", "-o", output},
          {"export", "--format", "csv", "--rows", "segments", "-o", output},
          {"export", "--format", "ndjson", "-o", output},
          {"html", "-o", output}}) {
      std::vector<std::string> command{gilscope, view[0], report};
      command.insert(command.end(), view.begin() + 1, view.end());
      std::filesystem::remove(output);
      const Cost cost = cost_of(command);
      const bool written = std::filesystem::exists(output);
      const double mib = 1 << 20;
      fmt::print(
          "{:<18} {:>10} {:>9.2f} {:>9.2f} {:>12.1f} {:>13}{}\n",
          view[0] + (view.size() > 2 && view[0] == "export" ? " " + view[2] : ""), segments,
          cost.wall_s, cost.cpu_s, static_cast<double>(cost.max_rss_kib) / 1024,
          written
              ? fmt::format("{:.1f}", static_cast<double>(std::filesystem::file_size(output)) / mib)
              : "-",
          cost.done ? "" : "  FAILED");
      std::fflush(stdout);
    }
  }
  std::filesystem::remove_all(directory);
  return 0;
}

}  // namespace
}  // namespace gilscope

int main(int argc, char** argv) {
  return gilscope::run(argc > 1 ? argv[1] : "build/gilscope",
                       argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 10'000'000);
}
