#include "userspace/tracer/tracer.h"

#include <bpf/bpf.h>

#include <chrono>
#include <thread>

#include "userspace/tracer/counters.h"
#include "userspace/tracer/programs.h"

namespace gilscope {

struct Tracer::State {
  Options options;
  Programs programs;
  Fd statistics;
  ProgramStatistics statistics_before;
  RecordSink sink;

  bool all_left() const;
};

bool Tracer::State::all_left() const {
  const gilscope_window& window = programs.window();
  return __atomic_load_n(&window.left, __ATOMIC_ACQUIRE) >=
         __atomic_load_n(&window.entered, __ATOMIC_ACQUIRE);
}

Tracer::Tracer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Tracer::Tracer(Tracer&&) noexcept = default;
Tracer& Tracer::operator=(Tracer&&) noexcept = default;
Tracer::~Tracer() = default;

Result<Tracer> Tracer::load(const Options& options) {
  auto programs = Programs::load({.max_threads = options.max_threads,
                                  .records_bytes = options.records_bytes,
                                  .records = options.records,
                                  .raw_programs = options.raw_programs});
  if (!programs) return fail(programs.error());
  return Tracer(std::unique_ptr<State>(new State{
      .options = options,
      .programs = std::move(*programs),
      .statistics = {},
      .statistics_before = {},
      .sink = {},
  }));
}

Status Tracer::begin(RecordSink sink, bool statistics) {
  state_->sink = std::move(sink);
  state_->programs.clear();
  if (statistics) state_->statistics = Fd(bpf_enable_stats(BPF_STATS_RUN_TIME));
  state_->statistics_before = state_->programs.statistics();
  Status attached = state_->programs.attach();
  if (!attached) state_->statistics = Fd();
  return attached;
}

TraceControl Tracer::control() const {
  auto& p = state_->programs.skeleton().progs;
  return TraceControl({bpf_program__fd(p.open_window), bpf_program__fd(p.close_window),
                       bpf_program__fd(p.enter), bpf_program__fd(p.leave), -1,
                       static_cast<uint64_t>(state_->options.lead.count())});
}

std::span<gilscope_slot> Tracer::board() const {
  return state_->programs.board();
}

int Tracer::doorbell_fd() const {
  return state_->programs.doorbell_fd();
}

Status Tracer::drain() {
  return state_->programs.drain(state_->sink);
}

Status Tracer::end(Run& run, std::span<const int> cpus) {
  // A thread's last segment is counted at its last switch-out, which may come a moment after the
  // parent learns of the worker's death.
  using namespace std::chrono_literals;
  for (int tries = 0; !state_->all_left() && tries < 1000; ++tries)
    std::this_thread::sleep_for(1ms);
  bool complete = state_->all_left();
  const ProgramStatistics statistics = state_->programs.statistics();
  bool timed = static_cast<bool>(state_->statistics);
  abandon();
  Status drained = drain();
  if (!drained) return drained;
  const gilscope_window& window = state_->programs.window();
  if (!complete) {
    return fail(fmt::format("{} of {} threads were never switched out for the last time",
                            window.entered - window.left, window.entered));
  }
  if (window.open_ns == GILSCOPE_NEVER || window.close_ns == GILSCOPE_NEVER) {
    return fail("the worker died before its window was opened and closed");
  }

  std::span<const gilscope_thread> threads = state_->programs.threads().first(run.threads.size());
  run.window_ns = window.close_ns - window.open_ns;
  run.opened_ns = window.open_ns;
  run.cpus = cpus_of(state_->programs.cpus(), window, cpus);
  run.histograms.emplace();
  run.lost = lost_of(state_->programs.cpus(), window);
  run.lost->recursion_misses =
      statistics.recursion_misses - state_->statistics_before.recursion_misses;
  if (timed) {
    run.tracer_cost = TracerCost{statistics.ns - state_->statistics_before.ns,
                                 statistics.runs - state_->statistics_before.runs};
  }
  run.segment_records = state_->programs.records();
  for (const CpuTrace& cpu : run.cpus) {
    run.histograms->wake_to_run += cpu.histograms.wake_to_run;
    run.histograms->preempt_wait += cpu.histograms.preempt_wait;
    run.histograms->run += cpu.histograms.run;
  }
  for (size_t slot = 0; slot < threads.size(); ++slot) {
    if (threads[slot].entered_ns) run.threads[slot].trace = trace_of(threads[slot]);
  }
  return {};
}

void Tracer::abandon() {
  state_->programs.detach();
  state_->statistics = Fd();
}

Facts Tracer::capabilities() const {
  return state_->programs.capabilities();
}

}  // namespace gilscope
