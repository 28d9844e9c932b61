#include "userspace/recording/traced_run.h"

#include "userspace/recording/subject_cell.h"

namespace gilscope {

void add_trace(Run& run, FollowedProcess& process, const SubjectTracer& tracer,
               std::span<const int> cpus) {
  const gilscope_window& window = tracer.window();
  run.window_ns = window.close_ns - window.open_ns;
  run.opened_ns = window.open_ns;
  run.threads = std::move(process.threads);
  run.gil = gil_counts(tracer.processes()[process.place], process, run.threads);
  run.cpus = tracer.cpus_of(process.place, cpus);
  run.lost = tracer.lost_of(process.place);
  run.histograms.emplace();
  for (const CpuTrace& cpu : run.cpus) *run.histograms += cpu.histograms;
  run.segments_file = process.segments_file;
  run.segment_records = process.records;
  for (CpuTrace& cpu : run.cpus) {
    const auto dropped = process.dropped_on.find(cpu.cpu);
    if (dropped == process.dropped_on.end()) continue;
    cpu.records_dropped += dropped->second;
    run.lost->segments += dropped->second;
  }
}

}  // namespace gilscope
