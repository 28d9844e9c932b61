#include "tools/trace/trace_findings.h"

#include <algorithm>

#include "bpf/segment.h"
#include "tools/trace/gil_spans.h"
#include "tools/trace/moments.h"
#include "tools/trace/wait_account.h"
#include "userspace/report/histogram.h"

namespace gilscope {
namespace {

std::vector<uint32_t> tids_of(const Run& run) {
  std::vector<uint32_t> tids;
  for (const Thread& thread : run.threads) tids.push_back(thread.trace ? thread.trace->tid : 0);
  return tids;
}

Window window_of(const Run& run) {
  if (!run.opened_ns || !run.window_ns) return {};
  return {*run.opened_ns, *run.opened_ns + *run.window_ns};
}

class Chains {
 public:
  explicit Chains(const std::vector<uint32_t>& tids) : threads_(tids.size()) {
    for (size_t slot = 0; slot < tids.size(); ++slot) {
      if (tids[slot]) slot_of_[tids[slot]] = slot;
    }
  }

  // The slot of a waker; empty if it is not a thread of the run.
  std::optional<size_t> slot_of(uint32_t tid) const {
    auto found = slot_of_.find(tid);
    return found == slot_of_.end() ? std::nullopt : std::optional(found->second);
  }

  void visit(const Moment& moment) {
    Link& link = threads_[moment.thread()];
    const gilscope_segment& segment = moment.segment;
    const bool woken = segment.began == GILSCOPE_BEGAN_WOKEN;
    if (moment.kind == Moment::Kind::ready) {
      link.ready_ns = moment.ns;
      if (!woken) return;
      const auto waker = slot_of(segment.waker_tid);
      link.coming = waker ? threads_[*waker].now : Chain();
    } else if (moment.kind == Moment::Kind::ran && segment.began != GILSCOPE_BEGAN_ENTERED) {
      if (woken) link.now = {link.coming.delay_ns, link.coming.wakeups + 1};
      link.now.delay_ns += moment.ns - link.ready_ns;
      if (woken) gilscope_histogram_add(&delays_, link.now.delay_ns);
      if (link.now.delay_ns > longest_.delay_ns) longest_ = link.now;
    }
  }

  ChainDelay result() const { return {to_report(delays_), longest_.delay_ns, longest_.wakeups}; }

 private:
  struct Chain {
    uint64_t delay_ns = 0, wakeups = 0;
  };
  struct Link {
    Chain now, coming;
    uint64_t ready_ns = 0;
  };

  std::vector<Link> threads_;
  std::map<uint32_t, size_t> slot_of_;
  gilscope_histogram delays_{};
  Chain longest_;
};

// Adds up the time between moments by the state of the GIL and of the threads.
class Clock : GilSpansReader {
 public:
  Clock(const RunTrace& trace, const std::vector<uint32_t>& tids, Window window)
      : window_(window),
        last_ns_(window.from_ns),
        cpus_(trace.cell().cpu_list.size()),
        waits_(tids, has_one_owner(trace.cell()), *this, trace.cell().subject.has_value(), window,
               release_wakes(trace.cell())) {}

  void visit(const Moment& moment) {
    pass(moment.ns);
    waits_.visit(moment);
  }

  void finish(uint64_t ns, bool one_owner, TraceFindings& findings) {
    pass(ns);
    waits_.finish(ns);
    findings.holding = to_report(holding_);
    findings.waiting = to_report(waiting_);
    use_.handoff = to_report(latencies_);
    if (!one_owner) return;
    findings.gil = use_;
    findings.waits = waits_.so_far();
  }

 private:
  using Being = WaitAccount::Being;

  void pass(uint64_t ns) {
    const uint64_t span = last_ns_ ? window_.length_ns(last_ns_, ns) : 0;
    last_ns_ = ns;
    const auto owner = waits_.spans().owner();
    if (!owner) {
      use_.free_ns += span;
      if (waits_.number(Being::runnable) && waits_.number(Being::running) < cpus_)
        use_.idle_while_free_ns += span;
      return;
    }
    (waits_.being(*owner) == Being::running ? use_.held_on_cpu_ns : use_.held_off_cpu_ns) += span;
    if (waits_.spans().overlapping()) use_.overlapping_ns += span;
  }

  void span(const GilSpan& span) override {
    gilscope_histogram_add(span.kind == GilSpan::Kind::holding ? &holding_ : &waiting_,
                           span.to_ns - span.from_ns);
  }

  void handoff(const Handoff& handoff) override {
    use_.handoffs += 1;
    use_.convoy[handoff.waiters] += 1;
    if (auto latency = handoff.latency_ns()) {
      gilscope_histogram_add(&latencies_, *latency);
    } else {
      use_.handoffs_unseen += 1;
    }
  }

  Window window_;
  uint64_t last_ns_;
  size_t cpus_;
  GilUse use_;
  gilscope_histogram latencies_{}, holding_{}, waiting_{};
  WaitAccount waits_;
};

void count(const gilscope_segment& segment, Window window, const Chains& chains,
           TraceFindings& findings) {
  findings.records += 1;
  findings.on_cpu_ns += window.length_ns(segment.run_ns, segment.end_ns);
  findings.acquires += segment.acquires;
  findings.failed.contended += segment.contended;
  findings.failed.woken_lost += segment.woken_lost;
  findings.failed.timed_out += segment.timed_out;
  findings.wasted_wakeups += gilscope_wasted_wakeup(&segment) ? 1 : 0;
  if (segment.previous_cpu != GILSCOPE_NO_CPU && segment.previous_cpu != segment.cpu) {
    findings.moves[{segment.previous_cpu, segment.cpu}] += 1;
  }
  if (segment.began != GILSCOPE_BEGAN_WOKEN) return;
  findings.wakeups += 1;
  const auto waker = chains.slot_of(segment.waker_tid);
  findings.wakers[waker.value_or(findings.wakers.size() - 1)][segment.thread] += 1;
}

bool counts(const Run& run) {
  return run.status == "done" && !run.warmup && !run.disturbed() && run.traced();
}

}  // namespace

Result<TraceFindings> trace_findings(const RunTrace& trace) {
  const std::vector<uint32_t> tids = tids_of(trace.run());
  TraceFindings findings;
  findings.runs = 1;
  findings.of_subject = trace.cell().subject && has_gil(trace.cell());
  findings.dropped = trace.dropped();
  findings.wakers.assign(tids.size() + 1, std::vector<uint64_t>(tids.size()));

  const Window window = window_of(trace.run());
  Chains chains(tids);
  Clock clock(trace, tids, window);
  uint64_t first_ns = 0, last_ns = 0;
  Status walked = each_moment(trace, [&](const Moment& moment) {
    if (!first_ns) first_ns = moment.ns;
    last_ns = moment.ns;
    chains.visit(moment);
    clock.visit(moment);
    if (moment.kind == Moment::Kind::ended) count(moment.segment, window, chains, findings);
  });
  if (!walked) return fail(walked.error());
  findings.chain = chains.result();
  if (window.known()) first_ns = window.from_ns, last_ns = std::max(last_ns, window.to_ns);
  clock.finish(last_ns, has_one_owner(trace.cell()), findings);
  findings.span_ns = window.length_ns(first_ns, last_ns);
  return findings;
}

TraceFindings& operator+=(TraceFindings& sum, const TraceFindings& other) {
  sum.runs += other.runs;
  sum.of_subject = sum.of_subject || other.of_subject;
  sum.records += other.records;
  sum.dropped += other.dropped;
  sum.span_ns += other.span_ns;
  if (other.gil) {
    if (!sum.gil) sum.gil.emplace();
    GilUse& use = *sum.gil;
    use.held_on_cpu_ns += other.gil->held_on_cpu_ns;
    use.held_off_cpu_ns += other.gil->held_off_cpu_ns;
    use.overlapping_ns += other.gil->overlapping_ns;
    use.free_ns += other.gil->free_ns;
    use.idle_while_free_ns += other.gil->idle_while_free_ns;
    use.handoffs += other.gil->handoffs;
    use.handoffs_unseen += other.gil->handoffs_unseen;
    use.handoff += other.gil->handoff;
    for (const auto& [waiters, handoffs] : other.gil->convoy) use.convoy[waiters] += handoffs;
  }
  sum.waits += other.waits;
  sum.holding += other.holding;
  sum.waiting += other.waiting;
  sum.chain.delay += other.chain.delay;
  if (other.chain.longest_ns > sum.chain.longest_ns) {
    sum.chain.longest_ns = other.chain.longest_ns;
    sum.chain.longest_wakeups = other.chain.longest_wakeups;
  }
  // Runs of a cell have the same threads.
  if (sum.wakers.size() < other.wakers.size()) sum.wakers.resize(other.wakers.size());
  for (size_t waker = 0; waker < other.wakers.size(); ++waker) {
    std::vector<uint64_t>& row = sum.wakers[waker];
    const std::vector<uint64_t>& more = other.wakers[waker];
    if (row.size() < more.size()) row.resize(more.size());
    for (size_t wakee = 0; wakee < more.size(); ++wakee) row[wakee] += more[wakee];
  }
  for (const auto& [cpus, migrations] : other.moves) sum.moves[cpus] += migrations;
  sum.wakeups += other.wakeups;
  sum.wasted_wakeups += other.wasted_wakeups;
  sum.on_cpu_ns += other.on_cpu_ns;
  sum.acquires += other.acquires;
  sum.failed.contended += other.failed.contended;
  sum.failed.woken_lost += other.failed.woken_lost;
  sum.failed.timed_out += other.failed.timed_out;
  return sum;
}

Result<std::optional<CellFindings>> cell_findings(const TraceDirectory& directory,
                                                  const Report& report, const Cell& cell) {
  CellFindings found;
  for (const Run& run : cell.runs) {
    if (!counts(run) || run.segments_file.empty()) continue;
    if (!directory.has(run.segments_file)) continue;
    auto trace = RunTrace::open(directory, report, cell, run);
    if (!trace) return fail(trace.error());
    auto findings = trace_findings(*trace);
    if (!findings) return fail(findings.error());
    found.sum += *findings;
    found.runs.emplace_back(&run, std::move(*findings));
  }
  if (found.runs.empty()) return std::optional<CellFindings>();
  return std::optional(std::move(found));
}

}  // namespace gilscope
