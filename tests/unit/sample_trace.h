// A report with one traced run and its segments on disk, as a run leaves them.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "tests/unit/temporary_directory.h"
#include "userspace/report/json.h"
#include "userspace/report/model.h"
#include "userspace/report/segment_file.h"

namespace gilscope::sample {

inline constexpr uint32_t kFirstTid = 100;  // the tid of slot 0; the others follow

// The fields of a segment that tests set.
struct SegmentOf {
  uint32_t thread;
  uint64_t ready_ns, run_ns, end_ns;
  uint8_t began = GILSCOPE_BEGAN_WOKEN;
  uint8_t ended = GILSCOPE_ENDED_BLOCKED;
  uint8_t gil_state = GILSCOPE_OUTSIDE;
  uint32_t acquires = 0;
  uint32_t waker = UINT32_MAX;  // slot; by default not a thread of the run
  uint16_t cpu = 0;
  uint16_t previous_cpu = 0;
};

inline gilscope_segment segment(const SegmentOf& of) {
  gilscope_segment s = {};
  s.thread = of.thread;
  s.ready_ns = of.ready_ns, s.run_ns = of.run_ns, s.end_ns = of.end_ns;
  s.began = of.began, s.ended = of.ended, s.gil_state = of.gil_state;
  s.acquires = of.acquires;
  s.waker_tid = of.waker == UINT32_MAX ? 1 : kFirstTid + of.waker;
  s.cpu = of.cpu, s.previous_cpu = of.previous_cpu;
  s.waker_cpu = s.placed_cpu = of.cpu;
  if (of.began == GILSCOPE_BEGAN_ENTERED) s.previous_cpu = GILSCOPE_NO_CPU;
  if (of.began != GILSCOPE_BEGAN_WOKEN) {
    s.waker_tid = 0;
    s.waker_cpu = s.placed_cpu = GILSCOPE_NO_CPU;
  }
  return s;
}

inline std::vector<gilscope_segment> segments(const std::vector<SegmentOf>& all) {
  std::vector<gilscope_segment> result;
  for (const SegmentOf& of : all) result.push_back(segment(of));
  return result;
}

struct Traced {
  explicit Traced(std::vector<gilscope_segment> written, size_t threads = 3, int cpus = 2,
                  const std::string& policy = "check-interval:100")
      : segments(std::move(written)) {
    report.id = "0f0f0f0f-0000-4000-8000-000000000001";
    report.gilscope = "0.1.0";
    report.created_at = "2026-03-01T12:00:00Z";
    report.status = "done";
    Cell cell;
    cell.policy = policy;
    cell.workload = "count:n=1M";
    cell.arrangement = "threaded";
    cell.threads = static_cast<int>(threads) - 1;
    cell.cpus = std::to_string(cpus);
    for (int cpu = 0; cpu < cpus; ++cpu) cell.cpu_list.push_back(cpu);
    cell.cpus_by = "affinity";
    cell.main_exit = "join";
    Run run;
    run.trace = "full";
    run.status = "done";
    run.block = 4;
    run.wall_ns = 1'000'000;
    run.segments_file = "segments/run.bin";
    run.segment_records = segments.size();
    run.lost = Lost{};
    for (size_t slot = 0; slot < threads; ++slot) {
      Thread thread;
      thread.name = slot ? "Thread-" + std::to_string(slot) : "MainThread";
      thread.role = slot ? "worker" : "main";
      thread.ended = "finished";
      thread.trace = ThreadTrace{};
      thread.trace->tid = kFirstTid + static_cast<uint32_t>(slot);
      run.threads.push_back(thread);
    }
    cell.runs.push_back(run);
    report.cells.push_back(cell);
    write();
  }

  // Writes everything again, after a change.
  void write() {
    std::filesystem::remove_all(directory / "segments");
    std::filesystem::create_directories(directory / "segments");
    Fd at(open((directory / "segments").c_str(), O_RDONLY | O_DIRECTORY));
    SegmentFileHeader header = this->header;
    std::strncpy(header.report_id.data(), report.id.c_str(), header.report_id.size());
    auto writer = SegmentWriter::create(at.get(), "run.bin", header);
    ASSERT_TRUE(writer) << writer.error().message;
    ASSERT_TRUE(writer->write(segments));
    ASSERT_TRUE(writer->finish());
    ASSERT_TRUE(write_report(report, directory / "report.json"));
  }

  Run& run() { return report.cells[0].runs[0]; }
  std::string path() const { return directory / "report.json"; }

  TemporaryDirectory directory;
  Report report;
  // Version 1 can also hold invalid records.
  SegmentFileHeader header = {.version = 1, .record_bytes = sizeof(gilscope_segment), .block = 4};
  std::vector<gilscope_segment> segments;
};

}  // namespace gilscope::sample
