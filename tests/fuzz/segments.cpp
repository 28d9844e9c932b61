// A file of segments that does not match its report: gilscope refuses it, or its numbers add up.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "tools/trace/trace_findings.h"
#include "userspace/report/segment_file.h"

namespace gilscope {
namespace {

constexpr size_t kThreads = 4;

Report a_report(size_t records) {
  Report report;
  report.id = "0f0f0f0f-0000-4000-8000-000000000001";
  Cell cell;
  cell.policy = "check-interval:100";
  cell.cpu_list = {0, 1};
  Run run;
  run.segments_file = "run.bin";
  run.segment_records = records;
  run.threads.resize(kThreads);
  for (size_t slot = 0; slot < kThreads; ++slot) {
    run.threads[slot].trace.emplace();
    run.threads[slot].trace->tid = static_cast<uint32_t>(slot);
  }
  cell.runs.push_back(run);
  report.cells.push_back(cell);
  return report;
}

// Turns records with a small thread number into plausible segments; leaves the others as they are.
void make_likely(gilscope_segment& segment) {
  if (segment.thread >= 256) return;
  segment.thread %= kThreads;
  segment.waker_tid %= kThreads + 1;
  segment.began %= 3, segment.ended %= 5, segment.gil_state %= 3;
  segment.ready_ns %= 1 << 20;
  segment.run_ns = segment.ready_ns + segment.run_ns % 1024;
  segment.end_ns = segment.run_ns + segment.end_ns % 1024;
}

class Directory {
 public:
  Directory() {
    char name[] = "/tmp/gilscope-fuzz-XXXXXX";
    if (mkdtemp(name)) path_ = name;
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

void check(const Report& report, const std::string& directory) {
  auto at = TraceDirectory::of(directory);
  if (!at) return;
  const Cell& cell = report.cells[0];
  auto trace = RunTrace::open(*at, report, cell, cell.runs[0]);
  if (!trace) return;
  auto findings = trace_findings(*trace);
  if (!findings) return;
  if (findings->records != trace->records()) __builtin_trap();
  const GilUse& use = *findings->gil;
  if (use.held_ns() + use.free_ns != findings->span_ns) __builtin_trap();
  if (use.handoffs != use.handoffs_unseen + use.handoff.count()) __builtin_trap();
}

}  // namespace
}  // namespace gilscope

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gilscope;
  static const Directory directory;
  const Report report = a_report(size < 2 ? 0 : (size - 1) / sizeof(gilscope_segment));
  std::string bytes(reinterpret_cast<const char*>(data), size);
  // Every second input gets the right header and plausible records.
  if (size && data[0] % 2) {
    SegmentFileHeader header;
    header.version = 1;  // its records are segments as in memory
    header.record_bytes = sizeof(gilscope_segment);
    std::copy(report.id.begin(), report.id.end(), header.report_id.begin());
    std::vector<gilscope_segment> segments(report.cells[0].runs[0].segment_records);
    if (!segments.empty())
      std::memcpy(segments.data(), data + 1, segments.size() * sizeof(segments[0]));
    std::ranges::for_each(segments, make_likely);
    if (data[0] % 4 == 1) std::ranges::stable_sort(segments, {}, &gilscope_segment::end_ns);
    bytes.assign(reinterpret_cast<const char*>(&header), sizeof(header));
    bytes.append(reinterpret_cast<const char*>(segments.data()),
                 segments.size() * sizeof(gilscope_segment));
  }
  Fd file(open((directory.path() + "/run.bin").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600));
  if (!file || write(file.get(), bytes.data(), bytes.size()) < 0) return 0;
  check(report, directory.path());
  return 0;
}
