// The same run seen by perf, which shares nothing with gilscope but the kernel's tracepoints: both
// must have each segment, switch, wakeup and migration of each thread, and each run-queue wait must
// be equally long within the clocks' error.
#include <algorithm>
#include <cctype>
#include <map>

#include "tests/kernel/kernel_test.h"
#include "tests/kernel/perf_trace.h"
#include "tests/unit/temporary_directory.h"

namespace gilscope {
namespace {

using witness::SchedEvent;

// The counts that perf's events give for one CPU, or for all of them.
struct Counted {
  uint64_t segments = 0;
  WakeupCounts wakeups;
  MigrationCounts migrations;
};

struct Stretch {
  gilscope_segment segment{};
  bool missed = false;  // neither perf nor gilscope saw its switch-in
};

// The definitions of docs/metrics.md again, applied to perf's events of one thread.
class Replay {
 public:
  Replay(const ThreadTrace& trace, std::map<int, Counted>& cpus) : trace_(trace), cpus_(cpus) {}

  // Call in order of time.
  void visit(const SchedEvent& event) {
    if (left_) return;
    const int tid = static_cast<int>(trace_.tid);
    if (!entered_ && event.ns >= trace_.entered_ns) enter();
    if (event.kind == SchedEvent::switched) {
      // Out first, then in: a task never switches to itself.
      if (event.tid == tid) switch_out(event);
      if (event.next == tid) switch_in(event);
    } else if (event.tid == tid && entered_) {
      if (event.kind == SchedEvent::waking) waking(event);
      if (event.kind == SchedEvent::wakeup) wakeup(event);
      if (event.kind == SchedEvent::migrated) migrate(event);
    } else if (event.tid == tid && event.kind == SchedEvent::migrated) {
      last_cpu_ = event.to;
    }
  }

  bool left() const { return left_; }
  const std::vector<Stretch>& stretches() const { return stretches_; }

  uint64_t voluntary = 0, involuntary = 0, raw_wakeups = 0, wakeups = 0, raw_migrations = 0;
  uint64_t migrations_wakeup = 0, migrations_preempt = 0, preempt_waits = 0;
  uint64_t missed = 0;  // switches to the thread that no tracepoint reported

 private:
  void enter() {
    entered_ = true;
    running_ = true;
    now_ = {};
    now_.segment.run_ns = trace_.entered_ns;
    now_.segment.began = GILSCOPE_BEGAN_ENTERED;
    now_.segment.previous_cpu = GILSCOPE_NO_CPU;
  }

  void switch_in(const SchedEvent& event) {
    const int before = last_cpu_;
    last_cpu_ = event.cpu;
    if (!entered_) return;
    running_ = true;
    now_ = {};
    now_.segment.run_ns = event.ns;
    now_.segment.previous_cpu = static_cast<__u16>(before);
    Counted& cpu = cpus_[event.cpu];
    const bool moved = before != event.cpu;
    if (slept_ && woken_) {
      now_.segment.began = GILSCOPE_BEGAN_WOKEN;
      now_.segment.ready_ns = woken_->by.ns;
      now_.segment.waker_cpu = static_cast<__u16>(woken_->by.cpu);
      now_.segment.waker_tid = static_cast<__u32>(woken_->by.current);
      now_.segment.placed_cpu = static_cast<__u16>(woken_->placed);
      cpus_[woken_->by.cpu].wakeups.waker += 1;
      cpus_[before].wakeups.previous += 1;
      cpus_[woken_->placed].wakeups.placed += 1;
      cpu.wakeups.ran += 1;
      cpu.migrations.wakeup += moved;
      migrations_wakeup += moved;
      wakeups += 1;
    } else {
      now_.segment.began = GILSCOPE_BEGAN_PREEMPTED;
      now_.segment.ready_ns = out_ns_;
      cpu.migrations.preempt += moved;
      migrations_preempt += moved;
      preempt_waits += 1;
    }
    woken_.reset();
  }

  void switch_out(const SchedEvent& event) {
    if (!entered_) {
      last_cpu_ = event.cpu;
      return;
    }
    if (!running_) {  // no tracepoint reported its switch-in
      SchedEvent unseen = event;
      unseen.ns = 0;
      switch_in(unseen);
      now_.missed = true;
      missed += 1;
    }
    running_ = false;
    last_cpu_ = event.cpu;
    // The thread left during this stay; later events do not belong to the run.
    left_ = event.ns >= trace_.left_ns;
    now_.segment.cpu = static_cast<__u16>(event.cpu);
    now_.segment.end_ns = left_ ? trace_.left_ns : event.ns;
    now_.segment.ended = left_            ? GILSCOPE_ENDED_LEFT
                         : event.runnable ? GILSCOPE_ENDED_PREEMPTED
                                          : GILSCOPE_ENDED_BLOCKED;
    stretches_.push_back(now_);
    cpus_[event.cpu].segments += 1;
    if (!left_) (event.runnable ? involuntary : voluntary) += 1;
    slept_ = !event.runnable;
    out_ns_ = event.ns;
  }

  // The kernel handles one wakeup of a thread at a time.
  void waking(const SchedEvent& event) { waking_ = event; }

  // A wakeup ended a sleep unless the thread was still going to sleep, or was woken already: in
  // that case it ran unseen, and was going to sleep again.
  void wakeup(const SchedEvent& event) {
    raw_wakeups += 1;
    if (!running_ && slept_ && !woken_) woken_ = {waking_, event.to};
  }

  void migrate(const SchedEvent& event) {
    raw_migrations += 1;
    cpus_[event.from].migrations.raw_out += 1;
    cpus_[event.to].migrations.raw_in += 1;
  }

  const ThreadTrace& trace_;
  std::map<int, Counted>& cpus_;
  std::vector<Stretch> stretches_;
  Stretch now_;
  SchedEvent waking_;  // the latest
  struct Woken {
    SchedEvent by;
    int placed;
  };
  std::optional<Woken> woken_;  // woken from a sleep, and not seen running since
  int last_cpu_ = 0;
  uint64_t out_ns_ = 0;
  bool entered_ = false, left_ = false, running_ = false, slept_ = false;
};

struct RunWatch {
  gilscope::Run run;
  std::vector<std::vector<gilscope_segment>> records;  // by slot
  std::vector<SchedEvent> events;
};

struct Case {
  const char* policy;
  const char* arrangement;
  int threads;
  bool raw_programs;
};

uint64_t apart(uint64_t a, uint64_t b) {
  return a > b ? a - b : b - a;
}

class Perf : public KernelTest, public ::testing::WithParamInterface<Case> {
 protected:
  // One traced run with perf recording; repeated if perf lost events.
  std::optional<RunWatch> watch(const Cell& cell) {
    for (int attempt = 0; attempt < 5; ++attempt) {
      TemporaryDirectory directory;
      auto perf = witness::PerfRecording::start(directory.path());
      if (!perf) {
        ADD_FAILURE() << perf.error().message;
        return std::nullopt;
      }
      RunWatch watched;
      watched.records.resize(static_cast<size_t>(cell.threads) + 1);
      auto keep = [&](std::span<const gilscope_segment> segments) {
        for (const gilscope_segment& s : segments) watched.records[s.thread].push_back(s);
        return Status();
      };
      auto run = this->run(cell, {.traced = true, .sink = keep});
      if (!run || run->status != "done") return std::nullopt;
      auto events = perf->stop();
      if (!events) {
        ADD_FAILURE() << events.error().message;
        return std::nullopt;
      }
      if (!*events) continue;
      watched.run = std::move(*run);
      watched.events = std::move(**events);
      return watched;
    }
    ADD_FAILURE() << "perf lost events in each of five runs";
    return std::nullopt;
  }
};

void expect_same_counts(const Thread& thread, const Replay& replay, const Lost& lost) {
  const ThreadTrace& trace = *thread.trace;
  EXPECT_TRUE(replay.left());
  EXPECT_EQ(trace.segments, replay.stretches().size());
  EXPECT_EQ(trace.voluntary_switches, replay.voluntary);
  EXPECT_EQ(trace.involuntary_switches, replay.involuntary);
  EXPECT_EQ(trace.raw_wakeups, replay.raw_wakeups);
  EXPECT_EQ(trace.wakeups, replay.wakeups);
  EXPECT_EQ(trace.migrations_raw, replay.raw_migrations);
  EXPECT_EQ(trace.migrations_wakeup, replay.migrations_wakeup);
  EXPECT_EQ(trace.migrations_preempt, replay.migrations_preempt);
  // Waits of impossible length are discarded and counted as such. They occur only if a thread
  // arrived unseen, so that the time of its arrival is an estimate.
  EXPECT_LE(apart(trace.histograms.wake_to_run.count(), replay.wakeups), lost.discarded);
  EXPECT_LE(apart(trace.histograms.preempt_wait.count(), replay.preempt_waits), lost.discarded);
}

// The time in the run queue before the segment.
uint64_t wait_of(const gilscope_segment& segment) {
  if (segment.began == GILSCOPE_BEGAN_ENTERED) return 0;
  return segment.run_ns - std::min(segment.ready_ns, segment.run_ns);
}

void expect_same_segments(const std::vector<gilscope_segment>& records, const Replay& replay) {
  ASSERT_EQ(records.size(), replay.stretches().size());
  size_t differ = 0;
  for (size_t i = 0; i < records.size(); ++i) {
    const gilscope_segment &ours = records[i], &perfs = replay.stretches()[i].segment;
    SCOPED_TRACE(fmt::format("segment {}", i));
    const bool blocked = ours.ended == GILSCOPE_ENDED_BLOCKED_GIL;
    EXPECT_EQ(ours.cpu, perfs.cpu);
    EXPECT_EQ(ours.previous_cpu, perfs.previous_cpu);
    EXPECT_EQ(ours.began, perfs.began);
    EXPECT_EQ(blocked ? __u8{GILSCOPE_ENDED_BLOCKED} : ours.ended, perfs.ended);
    if (ours.began == GILSCOPE_BEGAN_WOKEN) {
      EXPECT_EQ(ours.waker_cpu, perfs.waker_cpu);
      EXPECT_EQ(ours.placed_cpu, perfs.placed_cpu);
      // perf has no tid for an exiting waker.
      if (perfs.waker_tid != static_cast<__u32>(-1)) {
        EXPECT_EQ(ours.waker_tid, perfs.waker_tid);
      }
    }
    if (::testing::Test::HasFailure()) return;
    if (replay.stretches()[i].missed) continue;
    const uint64_t run = ours.end_ns - ours.run_ns, perfs_run = perfs.end_ns - perfs.run_ns;
    const uint64_t wait = wait_of(ours), perfs_wait = wait_of(perfs);
    differ += apart(run, perfs_run) > std::max<uint64_t>(perfs_run / 100, 100'000) ||
              apart(wait, perfs_wait) > std::max<uint64_t>(perfs_wait / 100, 100'000);
  }
  // perf reads the clock at the same tracepoints, just before or after gilscope; now and then a
  // virtual CPU is held up between the two.
  EXPECT_LE(differ, 1 + records.size() / 20) << "of " << records.size() << " segments";
}

void expect_same_cpu(const CpuTrace& cpu, const Counted& perf) {
  SCOPED_TRACE(fmt::format("CPU {}", cpu.cpu));
  EXPECT_EQ(cpu.segments, perf.segments);
  EXPECT_EQ(cpu.wakeups.waker, perf.wakeups.waker);
  EXPECT_EQ(cpu.wakeups.previous, perf.wakeups.previous);
  EXPECT_EQ(cpu.wakeups.placed, perf.wakeups.placed);
  EXPECT_EQ(cpu.wakeups.ran, perf.wakeups.ran);
  EXPECT_EQ(cpu.migrations.wakeup, perf.migrations.wakeup);
  EXPECT_EQ(cpu.migrations.preempt, perf.migrations.preempt);
  EXPECT_EQ(cpu.migrations.raw_in, perf.migrations.raw_in);
  EXPECT_EQ(cpu.migrations.raw_out, perf.migrations.raw_out);
}

// The run-queue waits of one thread's or one CPU's segments.
struct Waits {
  std::vector<uint64_t> ours, perfs;

  void add(const gilscope_segment& segment, const gilscope_segment& perfs_segment) {
    if (segment.began == GILSCOPE_BEGAN_ENTERED) return;
    ours.push_back(wait_of(segment));
    perfs.push_back(wait_of(perfs_segment));
  }
};

uint64_t middle(std::vector<uint64_t> values) {
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

// A tracer that runs before the other at the waking and after it at the switch sees a wait that is
// longer by the time both programs take. Held-up virtual CPUs are too few to affect the median.
void expect_same_waits(const Waits& waits) {
  if (waits.ours.size() < 20) return;
  const uint64_t ours = middle(waits.ours), perfs = middle(waits.perfs);
  EXPECT_LE(apart(ours, perfs), std::max<uint64_t>(perfs / 20, 5'000))
      << ours << " ns; by perf " << perfs << " ns";
}

TEST_P(Perf, SawTheSame) {
  const Case& c = GetParam();
  load({.max_threads = static_cast<uint32_t>(c.threads) + 1, .raw_programs = c.raw_programs});
  Cell cell = make_cell(c.policy, "count:n=1M", c.threads, all_cpus(), c.arrangement);
  witness::NeverIdle never_idle(cell.cpu_list);
  auto watched = watch(cell);
  ASSERT_TRUE(watched);

  const Lost& lost = *watched->run.lost;
  std::map<int, Counted> cpus;
  std::map<int, Waits> waits_of_cpus;
  uint64_t missed = 0;
  for (size_t slot = 0; slot < watched->run.threads.size(); ++slot) {
    const Thread& thread = watched->run.threads[slot];
    SCOPED_TRACE(fmt::format("{}; {} switches and {} events missed", thread.name,
                             lost.missed_switches, lost.recursion_misses));
    ASSERT_TRUE(thread.trace);
    Replay replay(*thread.trace, cpus);
    for (const SchedEvent& event : watched->events) replay.visit(event);
    expect_same_counts(thread, replay, lost);
    expect_same_segments(watched->records[slot], replay);
    ASSERT_EQ(watched->records[slot].size(), replay.stretches().size());
    Waits waits;
    for (size_t i = 0; i < replay.stretches().size(); ++i) {
      if (replay.stretches()[i].missed) continue;
      const gilscope_segment& ours = watched->records[slot][i];
      waits.add(ours, replay.stretches()[i].segment);
      waits_of_cpus[ours.cpu].add(ours, replay.stretches()[i].segment);
    }
    expect_same_waits(waits);
    missed += replay.missed;
  }
  for (const CpuTrace& cpu : watched->run.cpus) expect_same_cpu(cpu, cpus[cpu.cpu]);
  for (const auto& [cpu, waits] : waits_of_cpus) {
    SCOPED_TRACE(fmt::format("CPU {}", cpu));
    expect_same_waits(waits);
  }
  EXPECT_LE(missed, lost.missed_switches);
  EXPECT_EQ(lost.segments, 0u);
}

INSTANTIATE_TEST_SUITE_P(Kernel, Perf,
                         ::testing::Values(Case{"check-interval:100", "threaded", 2, false},
                                           Case{"check-interval:100", "threaded", 8, false},
                                           Case{"check-interval:100", "threaded", 2, true},
                                           Case{"switch-interval:5ms", "threaded", 8, false},
                                           Case{"none", "threaded", 8, false},
                                           Case{"none", "sequential", 2, false}),
                         [](const auto& info) {
                           const Case& c = info.param;
                           std::string name = fmt::format("{}_{}_{}{}", c.policy, c.arrangement,
                                                          c.threads, c.raw_programs ? "_raw" : "");
                           std::replace_if(
                               name.begin(), name.end(),
                               [](unsigned char letter) { return !std::isalnum(letter); }, '_');
                           return name;
                         });

}  // namespace
}  // namespace gilscope
