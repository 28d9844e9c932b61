// The report as plain data. userspace/report/fields.h alone knows its keys in
// JSON; docs/metrics.md defines every number here. Times are nanoseconds of CLOCK_MONOTONIC
// unless a name says otherwise. What was not captured is an empty optional or vector, never 0.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace gilscope {

inline constexpr int kReportMajor = 1;
inline constexpr int kReportMinor = 3;

// What a thread counted about itself on its slot of the board.
struct GilCounts {
  uint64_t acquires = 0;
  uint64_t releases = 0;
  uint64_t contended = 0;   // failed: found it taken without having slept for it
  uint64_t woken_lost = 0;  // failed: woken, tried again, lost
  uint64_t timed_out = 0;   // failed: a timed wait ran out and the GIL was still taken
  uint64_t drop_requests = 0;

  uint64_t failed() const { return contended + woken_lost + timed_out; }
  GilCounts& operator+=(const GilCounts& other);
  bool operator==(const GilCounts&) const = default;
};

struct FailedCounts {
  uint64_t contended = 0, woken_lost = 0, timed_out = 0;

  uint64_t total() const { return contended + woken_lost + timed_out; }
  bool operator==(const FailedCounts&) const = default;
};

// One wakeup, seen from four sides: the core that its waker ran on, the one that the thread last
// ran on, the one that the kernel placed it on, and the one that it ran on.
struct WakeupCounts {
  uint64_t waker = 0, previous = 0, placed = 0, ran = 0;

  bool operator==(const WakeupCounts&) const = default;
};

// `wakeup` and `preempt` come from consecutive segments; raw_* count sched_migrate_task.
struct MigrationCounts {
  uint64_t wakeup = 0, preempt = 0, raw_in = 0, raw_out = 0;

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
  // The upper edge of the bucket that holds the quantile, never above max_ns; empty without
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

struct Core {
  int cpu = 0;
  bool observed = false;  // false: no switch happened there in the window; its times are unknown
  uint64_t segments = 0;
  uint64_t records_dropped = 0;
  uint64_t on_cpu_ns = 0;              // the run's threads
  std::optional<uint64_t> foreign_ns;  // other processes
  std::optional<uint64_t> idle_ns;
  std::optional<uint64_t>
      harness_ns;  // the worker's threads before they entered and after they left
  WakeupCounts wakeups;
  MigrationCounts migrations;
  FailedCounts failed;
  uint64_t acquires = 0;
  uint64_t wasted_wakeups = 0;
  uint64_t holder_preempted = 0;
  std::optional<uint64_t> drop_requests;  // reports before 1.3 do not say
  Histograms histograms;

  bool operator==(const Core&) const = default;
};

// What the tracer saw of one thread.
struct ThreadTrace {
  uint32_t tid = 0;  // the kernel's, in the first PID namespace
  uint64_t entered_ns = 0, left_ns = 0;
  uint64_t segments = 0;
  uint64_t on_cpu_ns = 0;
  uint64_t stolen_ns = 0;  // of on_cpu_ns: time that the kernel did not charge (steal, interrupts)
  uint64_t voluntary_switches = 0, involuntary_switches = 0;
  uint64_t wakeups = 0;      // that ended a sleep
  uint64_t raw_wakeups = 0;  // every sched_waking
  uint64_t migrations_wakeup = 0, migrations_preempt = 0, migrations_raw = 0;
  uint64_t wasted_wakeups = 0, holder_preempted = 0;
  GilCounts gil;  // summed over the thread's segments: equals the thread's own
  Histograms histograms;

  bool operator==(const ThreadTrace&) const = default;
};

// The kernel's own accounts of one thread between entering and leaving: CLOCK_THREAD_CPUTIME_ID
// and getrusage(RUSAGE_THREAD), read by the thread itself.
struct ThreadUsage {
  uint64_t cpu_ns = 0;
  uint64_t voluntary_switches = 0, involuntary_switches = 0;
  // Switches between the thread's look at its accounts and its entering or leaving, which stand on
  // one side only: the two agree to this many.
  uint64_t slack_switches = 0;

  bool operator==(const ThreadUsage&) const = default;
};

// What the kernel's perf events counted of one thread while it was traced (or would have been),
// user and kernel. Empty: the counter could not be had, or was not on all the time; capabilities
// say why.
struct ThreadPerf {
  std::optional<uint64_t> cycles, instructions, cache_misses;
  std::optional<uint64_t> context_switches, migrations;

  bool operator==(const ThreadPerf&) const = default;
};

struct Thread {
  std::string name;
  std::string role;   // main | worker | background
  std::string ended;  // finished | killed | never_started
  bool daemon = false;
  std::optional<uint64_t> operations;  // units of the workload done; empty: not finished
  GilCounts gil;                       // the thread's own
  std::optional<ThreadUsage> usage;    // empty: killed before it could read it
  std::optional<ThreadTrace> trace;    // empty: not traced
  std::optional<ThreadPerf> perf;      // empty: not asked for, or killed before it could read it

  bool operator==(const Thread&) const = default;
};

struct ResourceUsage {  // of the worker process, getrusage(RUSAGE_CHILDREN) terms
  uint64_t user_ns = 0, system_ns = 0;
  uint64_t voluntary_switches = 0, involuntary_switches = 0;
  uint64_t minor_faults = 0, major_faults = 0;
  uint64_t max_rss_bytes = 0;

  bool operator==(const ResourceUsage&) const = default;
};

// The process at the other end of a workload's conversation.
struct Client {
  std::vector<int> cpus;  // the run's own, where there were no others
  uint64_t cpu_ns = 0;

  bool operator==(const Client&) const = default;
};

struct Lost {
  uint64_t segments = 0;           // records that found their core's row full
  uint64_t discarded = 0;          // timestamps out of order
  uint64_t censored = 0;           // waits that the end of the window cut off
  uint64_t untracked_threads = 0;  // threads of the worker that started in the window, not entered
  uint64_t missed_switches = 0;    // the kernel switched, and its tracepoint did not fire
  uint64_t recursion_misses = 0;   // events that the kernel skipped because a program was running
  // By how much an edge of the window came later than it was announced; a core's times may be off
  // by as much. Reports before 1.2 do not say.
  std::optional<uint64_t> window_late_ns;

  bool operator==(const Lost&) const = default;
};

struct TracerCost {
  uint64_t bpf_ns = 0, bpf_runs = 0;

  bool operator==(const TracerCost&) const = default;
};

// What a gate said of a run that it did not let pass.
struct GateResult {
  std::string gate;
  std::optional<double> value;  // above the limit; empty: it could not be judged
  double limit = 0;

  bool operator==(const GateResult&) const = default;
};

// One cell, once.
struct Run {
  int block = 0;
  bool warmup = false;
  int order = 0;                      // position within its block
  std::string trace;                  // full | counters | off
  std::string status;                 // done | failed | interrupted
  std::string failure;                // why, where status is failed
  std::string started_at;             // UTC, RFC 3339
  uint64_t wall_ns = 0;               // gate opened to last join
  std::optional<uint64_t> window_ns;  // traced: opened to closed in the kernel
  std::optional<uint64_t> opened_ns;  // traced: when that was
  std::optional<uint64_t> steal_ns;   // of the cell's CPUs over the run, /proc/stat, 10 ms steps
  // How long that was counted: from before the worker was started until after it had ended. Empty:
  // steal_ns is, or the report is older than 1.3.
  std::optional<uint64_t> steal_over_ns;
  ResourceUsage rusage;
  GilCounts gil;
  std::vector<Core> cores;  // empty: not traced
  std::vector<Thread> threads;
  std::optional<Histograms> histograms;
  std::optional<Lost> lost;
  std::optional<TracerCost> tracer_cost;   // warm-up runs only: the statistics cost time themselves
  std::map<std::string, double> workload;  // the workload's own results
  std::optional<Client> client;            // empty: the workload has none
  std::string samples_file;                // relative to the report; empty: none
  std::string segments_file;               // relative to the report; empty: none
  uint64_t segment_records = 0;
  std::vector<GateResult> gates;  // hit, or not judged
  // What kept the run from running, in the words of docs/metrics.md: "signal", "freezer", ...
  std::vector<std::string> stopped_by;

  bool traced() const { return trace != "off"; }
  // Disturbed: it stays in the report and counts in no summary.
  bool gated() const {
    for (const GateResult& result : gates) {
      if (result.value) return true;
    }
    return false;
  }
  bool operator==(const Run&) const = default;
};

struct Cell {
  std::string policy;
  std::string workload;
  std::string arrangement;  // sequential | threaded
  int threads = 0;
  std::string cpus;           // as asked for: "1", "all", "cpu:0,2-3"
  std::vector<int> cpu_list;  // as resolved on this box
  std::string cpus_by;        // affinity | cpuset | hotplug
  std::string cpu_order;      // which of the box a count takes first: cores-first, ...
  std::string main_exit;      // join | kill
  // What ends a run: work | time, as the workload declares it; empty: reports before 1.3 do not
  // say. bounded_by_time() knows about both.
  std::string bounded_by;
  std::vector<Run> runs;

  bool operator==(const Cell&) const = default;
};

// Whether the cell's runs last as long as they are told to, and not until some work is done: they
// have a rate, and a wall time that says nothing.
bool bounded_by_time(const Cell& cell);

// One fact about the box. Keys are dotted paths ("kernel.release"); a fact that could not be had is
// null with its reason.
struct Fact {
  std::string key;
  std::variant<std::monostate, bool, int64_t, double, std::string, std::vector<int64_t>,
               std::vector<std::string>>
      value;
  std::string reason;

  bool operator==(const Fact&) const = default;
};
using Facts = std::vector<Fact>;

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
  std::string
      claim;  // what the experiment expects of its threaded runs: slower, faster, same; or ""
  Facts environment;         // what does not change during an experiment
  Facts environment_before;  // what does: load, steal, temperatures of the moment
  Facts environment_after;
  Facts capabilities;  // which programs and features the tracer used
  std::vector<Cell> cells;
  // What a page's copy had no room for, by the report's own keys: "threads.histograms". Empty in
  // every report that an experiment wrote.
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
