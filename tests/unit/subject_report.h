// A report of a real program that is small enough to work out by hand, with its segments: what
// `gilscope attach` leaves of a CPython process whose one thread computes while another answers.
//
// The window is 100 ms, in ten rounds of 10 ms. `compute` has the GIL from 0.5 ms of a round, on
// CPU 0, to 8 ms of it. `MainThread` wakes at 2 ms on CPU 1, finds the GIL taken, waits; its wait
// runs out at 7 ms, and at 8 ms it gets the GIL for half a millisecond: so it waits 6 ms a round,
// and `compute`, whose forced switch lasts as long, half a millisecond.
#pragma once

#include "tests/unit/sample_trace.h"

namespace gilscope::sample {

inline constexpr uint64_t kMs = 1'000'000;
inline constexpr uint64_t kSubjectOpened = 1000 * kMs;
inline constexpr int kRounds = 10;

inline std::vector<gilscope_segment> subject_segments() {
  std::vector<gilscope_segment> all;
  const auto add = [&](SegmentOf of, uint32_t contended = 0, uint32_t timed_out = 0) {
    gilscope_segment s = segment(of);
    s.contended = contended, s.timed_out = timed_out;
    all.push_back(s);
    return &all.back();
  };
  constexpr uint32_t kMain = 0, kCompute = 1;
  for (uint64_t round = 0; round < kRounds; ++round) {
    const uint64_t t = kSubjectOpened + round * 10 * kMs;
    const uint8_t began = round ? GILSCOPE_BEGAN_WOKEN : GILSCOPE_BEGAN_ENTERED;
    add({.thread = kMain,
         .ready_ns = round ? t + 2 * kMs - 4000 : 0,
         .run_ns = t + 2 * kMs - 1000,
         .end_ns = t + 2 * kMs,
         .began = began,
         .ended = GILSCOPE_ENDED_BLOCKED_GIL,
         .gil_state = GILSCOPE_WAITING,
         .cpu = 1,
         .previous_cpu = 1},
        1);
    add({.thread = kMain,
         .ready_ns = t + 7 * kMs,
         .run_ns = t + 7 * kMs + 1000,
         .end_ns = t + 7 * kMs + 2000,
         .ended = GILSCOPE_ENDED_BLOCKED_GIL,
         .gil_state = GILSCOPE_WAITING,
         .cpu = 1,
         .previous_cpu = 1},
        0, 1);
    gilscope_segment* computed = add({.thread = kCompute,
                                      .ready_ns = round ? t - 1500 * 1000 - 3000 : 0,
                                      .run_ns = round ? t - 1500 * 1000 : t + 500 * 1000,
                                      .end_ns = t + 8 * kMs,
                                      .began = began,
                                      .ended = GILSCOPE_ENDED_BLOCKED_GIL,
                                      .gil_state = GILSCOPE_WAITING,
                                      .acquires = round ? 1u : 0u,
                                      .waker = kMain,
                                      .cpu = 0,
                                      .previous_cpu = 0},
                                     1);
    // The kind of one attempt could not be told, and once the dropper ran into the mutex.
    if (round == 3) computed->contended = 0, computed->seen = GILSCOPE_SEEN_UNDECIDED;
    add({.thread = kMain,
         .ready_ns = t + 8 * kMs - 1000,
         .run_ns = t + 8 * kMs,
         .end_ns = t + 8500 * 1000,
         .ended = GILSCOPE_ENDED_BLOCKED,
         .gil_state = GILSCOPE_OUTSIDE,
         .acquires = 1,
         .waker = kCompute,
         .cpu = 1,
         .previous_cpu = 1});
  }
  std::ranges::stable_sort(all, {}, &gilscope_segment::end_ns);
  return all;
}

inline CellSubject some_subject(int pid = 1234) {
  CellSubject subject;
  subject.kind = "python";
  subject.interpreter = "CPython";
  subject.version = "3.11.2";
  subject.executable = "/usr/bin/python3.11";
  subject.build_id = "e3a1c0ffee";
  subject.pid = pid;
  subject.gil = SubjectGil{"/usr/bin/python3.11", "_PyRuntime", 360, "scan",
                           "interval 5000 us, holder is thread 1235"};
  return subject;
}

// Adds up the segments of a run, as the kernel side does.
inline void count_subject(Run& run, const std::vector<gilscope_segment>& segments) {
  run.gil = GilCounts::of_subject();
  run.cpus.clear();
  run.segment_records = segments.size();
  for (int cpu = 0; cpu < 2; ++cpu) {
    CpuTrace& of = run.cpus.emplace_back();
    of.cpu = cpu, of.observed = true;
    of.foreign_ns = 0, of.idle_ns = *run.window_ns, of.harness_ns = 0;
    of.failed.undecided = of.mutex_sleeps = of.release_stalls = of.acquired_after_wait = 0;
  }
  for (Thread& thread : run.threads) {
    thread.gil = GilCounts::of_subject();
    const uint32_t tid = thread.trace->tid;
    thread.trace = ThreadTrace{};
    thread.trace->tid = tid, thread.trace->entered_ns = kSubjectOpened;
  }
  uint64_t sleeps = 0;
  run.histograms = Histograms{};
  for (const gilscope_segment& s : segments) {
    CpuTrace& cpu = run.cpus[s.cpu];
    Thread& thread = run.threads[s.thread];
    const bool undecided = s.seen & GILSCOPE_SEEN_UNDECIDED;
    const bool woken = s.began == GILSCOPE_BEGAN_WOKEN;
    const bool wasted = woken && s.ended == GILSCOPE_ENDED_BLOCKED_GIL && s.acquires == 0;
    cpu.segments += 1, cpu.on_cpu_ns += s.end_ns - s.run_ns, *cpu.idle_ns -= s.end_ns - s.run_ns;
    cpu.failed.contended += s.contended, cpu.failed.timed_out += s.timed_out;
    *cpu.failed.undecided += undecided, *cpu.acquired_after_wait += s.acquires;
    cpu.wasted_wakeups += wasted, cpu.wakeups.ran += woken;
    cpu.wakeups.previous += woken, cpu.wakeups.placed += woken, cpu.wakeups.waker += woken;
    thread.gil.contended += s.contended, thread.gil.timed_out += s.timed_out;
    *thread.gil.undecided += undecided, *thread.gil.acquired_after_wait += s.acquires;
    ThreadTrace& trace = *thread.trace;
    trace.segments += 1, trace.on_cpu_ns += s.end_ns - s.run_ns, trace.wakeups += woken;
    trace.voluntary_switches += 1, trace.raw_wakeups += woken, trace.wasted_wakeups += wasted;
    sleeps += s.ended == GILSCOPE_ENDED_BLOCKED_GIL;
  }
  // One sleep on the mutex, and one while giving the GIL up.
  *run.threads[1].gil.mutex_sleeps += 1, *run.cpus[0].mutex_sleeps += 1;
  *run.threads[0].gil.release_stalls += 1, *run.cpus[1].release_stalls += 1;
  for (Thread& thread : run.threads) {
    thread.trace->gil = thread.gil;
    run.gil += thread.gil;
  }
  // Two sleeps continued a wait of glibc's, and three waits never slept.
  run.gil.waits_begun_again = 2, run.gil.sleeps = sleeps + 2, run.gil.unslept = 3;
  run.gil.waits_begun = sleeps + 3;
}

inline Cell subject_cell(const std::vector<gilscope_segment>& segments, int pid = 1234) {
  Cell cell;
  cell.policy = "python:/usr/bin/python3.11";
  cell.workload = "python3 app.py --port 80";
  cell.arrangement = "threaded";
  cell.threads = 2;
  cell.cpus = "all";
  cell.cpu_list = {0, 1};
  cell.cpus_by = "affinity";
  cell.cpu_order = "cores-first";
  cell.main_exit = "join";
  cell.bounded_by = "time";
  cell.subject = some_subject(pid);
  Run run;
  run.trace = "full";
  run.status = "done";
  run.started_at = "2026-11-30T12:00:00Z";
  run.wall_ns = 100 * kMs;
  run.window_ns = 100 * kMs;
  run.opened_ns = kSubjectOpened;
  run.lost = Lost{};
  run.lost->window_late_ns = 0;
  run.segments_file = "segments/run.bin";
  for (const char* name : {"MainThread", "compute"}) {
    Thread& thread = run.threads.emplace_back();
    thread.name = name;
    thread.role = run.threads.size() == 1 ? "main" : "worker";
    thread.ended = "running";
    thread.trace = ThreadTrace{};
    thread.trace->tid = kFirstTid + uint32_t(run.threads.size()) - 1;
  }
  count_subject(run, segments);
  cell.runs.push_back(std::move(run));
  return cell;
}

inline Report subject_report(const std::vector<gilscope_segment>& segments = subject_segments()) {
  Report report;
  report.id = "0f0f0f0f-0000-4000-8000-000000000002";
  report.gilscope = "0.1.0";
  report.created_at = "2026-11-30T12:00:00Z";
  report.status = "done";
  report.blocks_planned = 1;
  report.cells.push_back(subject_cell(segments));
  return report;
}

// The report and its segments on disk.
struct TracedSubject : Traced {
  explicit TracedSubject(const std::vector<gilscope_segment>& segments = subject_segments())
      : Traced(segments, 2) {
    report = subject_report(segments);
    header.block = 0;
    write();
  }
};

}  // namespace gilscope::sample
