// The sample report in any size.
#pragma once

#include <random>

#include "tests/unit/sample_report.h"

namespace gilscope::sample {

// The runs differ, so that they compress badly.
inline Report large_report(int runs_of_each) {
  Report report = sample::report(runs_of_each - 1, 1);
  std::mt19937_64 random(7);
  const auto vary = [&](uint64_t& value) { value += random() % (value / 3 + 1000); };
  for (Cell& cell : report.cells) {
    for (gilscope::Run& run : cell.runs) {
      vary(run.wall_ns), vary(run.rusage.user_ns), vary(run.rusage.system_ns);
      vary(*run.gil.acquires), vary(run.gil.contended), vary(run.gil.woken_lost);
      const auto fill = [&](Histogram& histogram) {
        histogram.buckets.clear();
        for (uint64_t low = 1000; low < 40000; low += low / 8) {
          histogram.buckets.push_back({low, low + low / 8, 1 + random() % 3000});
        }
        histogram.max_ns = 40000 + random() % 1000000;
      };
      const auto fill_all = [&](Histograms& all) {
        fill(all.wake_to_run), fill(all.preempt_wait), fill(all.run);
      };
      if (run.histograms) fill_all(*run.histograms);
      for (CpuTrace& cpu : run.cpus) {
        vary(cpu.on_cpu_ns), vary(cpu.segments), vary(*cpu.acquires), vary(cpu.wakeups.ran);
        fill_all(cpu.histograms);
      }
      for (Thread& thread : run.threads) {
        vary(*thread.gil.acquires);
        if (!thread.trace) continue;
        vary(thread.trace->on_cpu_ns), vary(thread.trace->segments);
        vary(thread.trace->stolen_ns), vary(thread.trace->wakeups);
        fill_all(thread.trace->histograms);
      }
    }
  }
  return report;
}

}  // namespace gilscope::sample
