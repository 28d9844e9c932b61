// The counts on one CPU, or of one thread, of a cell: medians over its runs. The members, and
// the columns that show them, are rows of bpf/numbers.def.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/analysis/numbers.h"
#include "userspace/report/model.h"

namespace gilscope {

// Over the traced, measured, finished runs.
struct CpuSummary {
  int cpu = 0;
#define CPU_NUMBER(path, field, csv, from, since, member, ...) std::optional<double> member;
#include "bpf/numbers.def"
  Histograms histograms;  // of all these runs

  // A thread of the run came near it.
  bool touched() const {
    return segments.value_or(0) > 0 || waker.value_or(0) > 0 || placed.value_or(0) > 0 ||
           acquires_per_s.value_or(0) > 0;
  }
};

// Over the measured, finished runs: the tracer's numbers, or where there are none the kernel's own.
struct ThreadSummary {
  std::string name;
#define THREAD_NUMBER(field, from, since, member, ...) std::optional<double> member;
#define THREAD_DERIVED(member, ...) std::optional<double> member;
#include "bpf/numbers.def"
  Histograms histograms;  // of all its traced runs
  bool perf = false;      // asked for
  std::optional<double> perf_switches, perf_migrations, instructions_per_cycle, cache_misses;
};

struct CpuOfRun {
  const CpuTrace* cpu;
  double window_ns;
};

CpuSummary summarize(int cpu, const std::vector<CpuOfRun>& cpus);
// One thread, as it was in each run.
ThreadSummary summarize(const std::vector<const Thread*>& threads);

// A column of the views: a median, and how it is headed and written.
template <typename Of>
struct SummaryColumn {
  std::string key;         // of the number that it is made from, as docs/metrics.md defines it
  std::string median_key;  // as `show --json` has it
  numbers::Whose whose;
  numbers::Column column;
  std::optional<double> Of::*median;

  // The median as people read it.
  Number number(const Of& of, const Times& times) const;
};

inline numbers::Whose whose(const Cell& cell) {
  return cell.subject ? numbers::Whose::subjects : numbers::Whose::models;
}

// From the left. Of `whose` cells: those that have a number in one of them.
std::vector<SummaryColumn<CpuSummary>> cpu_columns(numbers::View view, numbers::Whose whose);
std::vector<SummaryColumn<ThreadSummary>> thread_columns(numbers::Whose whose);

}  // namespace gilscope
