// The report as plain data. Its numbers are rows of bpf/numbers.def, where each is defined;
// userspace/report/fields.h alone knows the keys in JSON. Times are nanoseconds of CLOCK_MONOTONIC
// unless a name says otherwise. What was not captured is an empty optional or vector, never 0.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "userspace/report/facts.h"
#include "userspace/report/numbers.h"

namespace gilscope {

inline constexpr int kReportMajor = 1;
// The latest version that added a key: a row's, or 5 for keys that are no numbers.
inline constexpr int kReportMinor = [] {
  int latest = 5;
  for (const int since : {
#define CPU_NUMBER(path, field, csv, from, since, ...) since,
#define THREAD_NUMBER(field, from, since, ...) since,
#define RUN(key, known, since, definition) since,
#define LOST(key, csv, from, since, definition) since,
#include "bpf/numbers.def"
       }) {
    if (since > latest) latest = since;
  }
  return latest;
}();

// A thread's own counts on its slot of the board; of a real program, the kernel side's counts of
// its sleeps.
struct GilCounts {
#define GIL(key, known, definition) numbers::Measured<numbers::Known::known, 0> key{0};
#define GIL_OF_SUBJECT(key, definition) std::optional<uint64_t> key = {};
#define GIL_OF_PROCESS(key, definition) std::optional<uint64_t> key = {};
#include "bpf/numbers.def"
  // Of a run alone: why the counts of its GIL are not to be believed; empty: no reason is known.
  std::string doubt = {};

  // Nothing yet, of a real program: where its sum begins, as GilCounts() is a model's.
  static GilCounts of_subject();

  uint64_t failed() const {
    return contended + woken_lost + timed_out + undecided.value_or(0);
  }
  // A number is unknown where one side does not say.
  GilCounts& operator+=(const GilCounts& other);
  bool operator==(const GilCounts&) const = default;
};

struct FailedCounts {
#define FAILED(key, from, since, ...) numbers::Counter<numbers::From::from, since> key{};
#include "bpf/numbers.def"

  uint64_t total() const {
    return contended + woken_lost + timed_out + undecided.value_or(0);
  }
  bool operator==(const FailedCounts&) const = default;
};

// One wakeup has four sides: the CPU that its waker ran on, the one that the thread last ran on,
// the one that the kernel placed it on, and the one that it ran on.
struct WakeupCounts {
#define WAKEUPS(key, from, since, ...) numbers::Counter<numbers::From::from, since> key{};
#include "bpf/numbers.def"

  bool operator==(const WakeupCounts&) const = default;
};

// `wakeup` and `preempt` come from consecutive segments; raw_* count sched_migrate_task.
struct MigrationCounts {
#define MIGRATIONS(key, from, since, ...) numbers::Counter<numbers::From::from, since> key{};
#include "bpf/numbers.def"

  bool operator==(const MigrationCounts&) const = default;
};

// Log-linear: 8 buckets an octave, so a value is known to 12.5 % (bpf/histogram.h).
struct Histogram {
  struct Bucket {
    uint64_t low_ns = 0;   // inclusive
    uint64_t high_ns = 0;  // exclusive
    uint64_t count = 0;

    bool operator==(const Bucket&) const = default;
  };
  std::vector<Bucket> buckets;  // only those with a count, ascending
  uint64_t max_ns = 0;          // exact

  uint64_t count() const;
  // The upper edge of the bucket that holds the q-quantile, never above max_ns; empty without
  // samples.
  std::optional<uint64_t> quantile_ns(double q) const;
  Histogram& operator+=(const Histogram& other);
  bool operator==(const Histogram&) const = default;
};

struct Histograms {
  Histogram wake_to_run;   // waking to running
  Histogram preempt_wait;  // preempted to running again
  Histogram run;           // length of a segment

  Histograms& operator+=(const Histograms& other);
  bool operator==(const Histograms&) const = default;
};

struct CpuTrace {
  int cpu = 0;
  bool observed = false;  // false: no switch happened there in the window; its times are unknown
#define CPU(key, from, since, ...) numbers::Counter<numbers::From::from, since> key{};
#include "bpf/numbers.def"
  WakeupCounts wakeups;
  MigrationCounts migrations;
  FailedCounts failed;
  Histograms histograms;

  // Empty: nobody saw the CPU.
  std::optional<uint64_t> known_on_cpu_ns() const {
    return observed || on_cpu_ns != 0 ? std::optional(on_cpu_ns) : std::nullopt;
  }
  bool operator==(const CpuTrace&) const = default;
};

// What the tracer saw of one thread.
struct ThreadTrace {
  uint32_t tid = 0;  // the kernel's, in the first PID namespace
  uint64_t entered_ns = 0, left_ns = 0;
#define THREAD_NUMBER(field, from, since, ...) numbers::Counter<numbers::From::from, since> field{};
#include "bpf/numbers.def"
  GilCounts gil;  // summed over the thread's segments: equals the thread's own
  Histograms histograms;

  bool operator==(const ThreadTrace&) const = default;
};

// The kernel's own accounts of one thread between entering and leaving: CLOCK_THREAD_CPUTIME_ID
// and getrusage(RUSAGE_THREAD), read by the thread itself.
struct ThreadUsage {
#define USAGE(key, definition) uint64_t key = 0;
#include "bpf/numbers.def"

  bool operator==(const ThreadUsage&) const = default;
};

// What the kernel's perf events counted of one thread from entering to leaving, in user and kernel.
// Empty: the counter could not be had, or was not on all the time; capabilities say why.
struct ThreadPerf {
#define PERF(key, event, definition) std::optional<uint64_t> key;
#include "bpf/numbers.def"

  bool operator==(const ThreadPerf&) const = default;
};

struct Thread {
  std::string name;
  std::string role;   // main | worker | background
  std::string ended;  // finished | killed | never_started | running (when the window closed)
  bool daemon = false;
  std::optional<uint64_t> operations;  // units of the workload done; empty: not finished
  GilCounts gil;                       // the thread's own
  std::optional<ThreadUsage> usage;    // empty: killed before it could read it
  std::optional<ThreadTrace> trace;    // empty: not traced
  std::optional<ThreadPerf> perf;      // empty: not asked for, or killed before it could read it

  bool operator==(const Thread&) const = default;
};

// Of the worker process, as getrusage(RUSAGE_CHILDREN) has it.
struct ResourceUsage {
#define RUSAGE(key, definition) uint64_t key = 0;
#include "bpf/numbers.def"

  bool operator==(const ResourceUsage&) const = default;
};

// The process at the other end of a workload's conversation.
struct Client {
  std::vector<int> cpus;  // that it could use: the run's own where there were no others
  uint64_t cpu_ns = 0;

  bool operator==(const Client&) const = default;
};

struct Lost {
#define LOST(key, csv, from, since, definition) \
  numbers::Measured<numbers::Known::always, since> key{};
#include "bpf/numbers.def"

  bool operator==(const Lost&) const = default;
};

struct TracerCost {
#define COST(key, definition) uint64_t key = 0;
#include "bpf/numbers.def"

  bool operator==(const TracerCost&) const = default;
};

// A disturbance limit that a run did not pass, or that could not be judged.
struct Disturbance {
  std::string kind;
  std::optional<double> value;  // above the limit; empty: it could not be judged
  double limit = 0;

  bool operator==(const Disturbance&) const = default;
};

// One cell, once.
struct Run {
  int block = 0;
  bool warmup = false;
  int order = 0;           // position within its block
  std::string trace;       // full | counters | off
  std::string status;      // done | failed | interrupted
  std::string failure;     // why, where status is failed
  std::string started_at;  // UTC, RFC 3339
  std::optional<int> pid;  // of a real program in an experiment, as gilscope saw it
#define RUN(key, known, since, definition) numbers::Measured<numbers::Known::known, since> key{};
#include "bpf/numbers.def"
  ResourceUsage rusage;
  GilCounts gil;
  std::vector<CpuTrace> cpus;  // empty: not traced
  std::vector<Thread> threads;
  std::optional<Histograms> histograms;
  std::optional<Lost> lost;
  std::optional<TracerCost> tracer_cost;   // warm-up runs only: the statistics cost time themselves
  std::map<std::string, double> workload;  // the workload's own results
  std::optional<Client> client;            // empty: the workload has none
  std::string samples_file;                // relative to the report; empty: none
  std::string segments_file;               // relative to the report; empty: none
  uint64_t segment_records = 0;
  std::vector<Disturbance> disturbances;  // hit, or not judged
  // What kept the run from running, by docs/metrics.md: "signal", "freezer", ...
  std::vector<std::string> stopped_by;

  bool traced() const {
    return trace != "off";
  }
  // Disturbed: the run stays in the report and counts in no summary.
  bool disturbed() const {
    for (const Disturbance& result : disturbances) {
      if (result.value) return true;
    }
    return false;
  }
  bool operator==(const Run&) const = default;
};

// Where one GIL of a real program was found.
struct SubjectGil {
  std::string object;    // the file that has the symbol or the words
  std::string symbol;    // empty: none was needed
  uint64_t offset = 0;   // from the symbol or, without one, from the object's start
  std::string found_by;  // symbols | debug offsets | scan | observation
  std::string confirmed_by;

  bool operator==(const SubjectGil&) const = default;
};

// A real program, where the cell is no model's.
struct CellSubject {
  std::string kind;         // python | pypy | ruby | jython | program
  std::string lock;         // mutex | rwlock | cond; empty: the interpreter's GIL
  std::string interpreter;  // CPython, PyPy, ...
  std::string version;
  std::string executable;
  std::string build_id;  // in hexadecimal; empty: none
  int pid = 0;           // as gilscope saw it; 0: of an experiment, each of whose runs has its own
  std::optional<SubjectGil> gil;           // empty: it ran without one
  std::vector<SubjectGil> gils_of_others;  // of sub-interpreters that have their own

  bool operator==(const CellSubject&) const = default;
};

struct Cell {
  std::string policy;
  std::string workload;
  std::string arrangement;  // sequential | threaded
  int threads = 0;
  std::string cpus;           // as asked for: "1", "all", "cpu:0,2-3"
  std::vector<int> cpu_list;  // as resolved on this machine
  std::string cpus_by;        // affinity | cpuset | hotplug
  std::string cpu_order;      // which CPUs a count takes first: cores-first, ...
  std::string main_exit;      // join | kill
  // What ends a run, as the workload declares: work | time. Empty in reports before 1.3;
  // bounded_by_time() handles both.
  std::string bounded_by;
  std::optional<CellSubject> subject;  // empty: a model of ours
  std::vector<Run> runs;

  // Two processes of one program differ in nothing else.
  int pid() const { return subject ? subject->pid : 0; }

  bool operator==(const Cell&) const = default;
};

// Whether there was a GIL to report on.
inline bool has_gil(const Cell& cell) {
  return !cell.subject || cell.subject->gil;
}

// Whether the cell's runs last for a set time, not until some work is done. Such runs have a rate,
// and a wall time that says nothing.
bool bounded_by_time(const Cell& cell);

struct Report {
  int major = kReportMajor, minor = kReportMinor;
  std::string id;          // UUID
  std::string gilscope;    // version that wrote it
  std::string created_at;  // UTC, RFC 3339
  std::string status;      // running | done | interrupted
  std::string spec;        // TOML, verbatim
  std::string spec_sha256;
  uint64_t seed = 0;
  int blocks_planned = 0;  // measured ones
  int warmup_planned = 0;
  // What the experiment expects of its threaded runs: slower | faster | same | "".
  std::string claim;
  Facts environment;         // constant during an experiment
  Facts environment_before;  // of the moment: load, steal, temperatures
  Facts environment_after;
  Facts capabilities;  // which programs and features the tracer used
  std::vector<Cell> cells;
  // The keys that a page's copy had no room for: "threads.histograms". Empty in every report that
  // an experiment wrote.
  std::vector<std::string> left_out;

  bool lacks(const std::string& what) const {
    for (const std::string& name : left_out) {
      if (name == what) return true;
    }
    return false;
  }
  bool operator==(const Report&) const = default;
};

}  // namespace gilscope
