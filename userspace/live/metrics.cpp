#include "userspace/live/metrics.h"

#include <algorithm>

#include "userspace/live/metric_table.h"

namespace gilscope {
namespace {

// Buckets of a histogram end at powers of two, where those of the kernel side end too: no value is
// put into a bucket that it does not belong to.
constexpr int kFirstPower = 10, kLastPower = 34, kPowerStep = 2;
constexpr size_t kBuckets = (kLastPower - kFirstPower) / kPowerStep + 1;

uint64_t end_of_bucket(size_t bucket) {
  return uint64_t{1} << (kFirstPower + kPowerStep * static_cast<int>(bucket));
}

// Adds what a number has grown by. Counters are read while they grow, so one may seem to stand
// below what was read before for a moment.
void add_growth(uint64_t& sum, uint64_t& before, uint64_t now) {
  if (now <= before) return;
  sum += now - before;
  before = now;
}

std::string value_text(bool seconds, uint64_t value) {
  return seconds ? seconds_text(value) : std::to_string(value);
}

}  // namespace

LockWatch* Metrics::watch_of(uint32_t process) {
  if (!make_watch_) return nullptr;
  auto& watch = processes_[process].watch;
  if (!watch) watch = make_watch_();
  return watch.get();
}

std::string Metrics::kept(const std::string& name) {
  if (name.empty()) return kept("other");  // its name has not been seen
  if (names_.contains(name) || names_.size() < kMostNames) {
    names_[name].resize(thread_metrics().size());
    return name;
  }
  names_["other"].resize(thread_metrics().size());
  return "other";
}

void Metrics::segments(uint32_t process, std::span<const gilscope_segment> segments) {
  if (LockWatch* const watch = watch_of(process)) watch->segments(segments);
}

void Metrics::take(const LiveThread& live) {
  if (threads_.size() <= live.slot) threads_.resize(live.slot + 1);
  OfThread& thread = threads_[live.slot];
  if (thread.entered_ns != live.counters->entered_ns) {
    thread.entered_ns = live.counters->entered_ns;
    thread.before.assign(thread_metrics().size(), 0);
  }
  Sums& sums = names_[kept(live.name)];
  for (size_t i = 0; i < thread_metrics().size(); ++i) {
    add_growth(sums[i], thread.before[i], thread_metrics()[i].value(*live.counters));
  }
}

void Metrics::take(uint32_t place, const std::vector<CpuTrace>& cpus) {
  OfProcess& process = processes_[place];
  for (const CpuTrace& cpu : cpus) {
    Sums& before = process.before[cpu.cpu];
    Sums& sums = cpus_[cpu.cpu];
    before.resize(cpu_metrics().size());
    sums.resize(cpu_metrics().size());
    for (size_t i = 0; i < cpu_metrics().size(); ++i) {
      add_growth(sums[i], before[i], cpu_metrics()[i].value(cpu).value_or(0));
    }
  }
}

void Metrics::take(LockWatch& watch) {
  const LockWatch::Since since = watch.since_asked();
  for (const LockWatch::Waited& waited : since.waited) {
    waited_ns_[kept(waited.thread.name)] += waited.ns;
  }
  for (const LockWatch::Pair& pair : since.pairs) {
    auto key = std::pair(kept(pair.waiter.name), kept(pair.owner.name));
    if (!pairs_.contains(key) && pairs_.size() >= kMostPairs) key = {"other", "other"};
    PairSum& sum = pairs_[key];
    sum.running_ns += pair.running_ns;
    sum.preempted_ns += pair.preempted_ns;
    sum.asleep_ns += pair.asleep_ns;
    sum.bounded_ns += pair.bounded_ns;
  }
  handoff_buckets_.resize(kBuckets);
  for (const Histogram::Bucket& bucket : since.handoff.buckets) {
    for (size_t i = 0; i < kBuckets; ++i) {
      if (bucket.high_ns <= end_of_bucket(i)) handoff_buckets_[i] += bucket.count;
    }
    handoff_number_ += bucket.count;
  }
  handoff_sum_ns_ += since.handoff_sum_ns;
  handoffs_unseen_ += since.handoffs_unseen;
}

void Metrics::thread_ended(const LiveThread& thread) {
  take(thread);  // which may be called again for it, at the recording's end
  if (LockWatch* const watch = watch_of(thread.process)) {
    watch->thread(thread.slot, {thread.name, thread.counters->tid});
    watch->left(thread.slot);
  }
}

void Metrics::process_ended(uint32_t place, const std::vector<CpuTrace>& cpus) {
  take(place, cpus);
  if (LockWatch* const watch = processes_[place].watch.get()) {
    watch->until(UINT64_MAX);
    take(*watch);
  }
  processes_.erase(place);
}

void Metrics::collect(const LiveState& state, uint64_t settled_ns) {
  running_threads_ = state.threads.size();
  for (const LiveThread& thread : state.threads) {
    // One that has just started may have no name yet, and counts later.
    if (!thread.name.empty()) take(thread);
    if (LockWatch* const watch = watch_of(thread.process)) {
      watch->thread(thread.slot, {thread.name, thread.counters->tid});
    }
  }
  running_processes_ = 0;
  for (const LiveProcess& process : state.processes) {
    take(process.place, process.cpus);
    if (!process.ended) ++running_processes_;
    if (!first_ && process.subject) first_ = process;
  }
  for (auto& [place, process] : processes_) {
    if (!process.watch) continue;
    process.watch->until(settled_ns);
    take(*process.watch);
  }
  lost_.resize(lost_metrics().size());
  for (size_t i = 0; i < lost_.size(); ++i) {
    lost_[i] = std::max(lost_[i], lost_metrics()[i].value(state.lost).value_or(0));
  }
}

std::string Metrics::text(bool up, uint64_t recorded_ns, uint64_t own_cpu_ns) const {
  const OtherMetrics& other = other_metrics();
  Exposition out;
  const auto alone = [&](const MetricFamily& family, const std::string& value) {
    out.family(family);
    out.sample({}, value);
  };
  alone(other.up, up ? "1" : "0");
  if (first_) {
    out.family(other.info);
    const CellSubject& subject = *first_->subject;
    out.sample({GILSCOPE_VERSION, std::to_string(first_->pid), subject.interpreter, subject.version,
                subject.lock.empty() ? "GIL" : subject.lock},
               "1");
  }
  alone(other.recorded, seconds_text(recorded_ns));
  alone(other.own_cpu, seconds_text(own_cpu_ns));
  alone(other.processes, std::to_string(running_processes_));
  alone(other.threads, std::to_string(running_threads_));
  for (size_t i = 0; i < cpu_metrics().size(); ++i) {
    const CpuMetric& metric = cpu_metrics()[i];
    out.family(metric.family);
    for (const auto& [cpu, sums] : cpus_) {
      out.sample({std::to_string(cpu)}, value_text(metric.seconds, sums[i]));
    }
  }
  for (size_t i = 0; i < thread_metrics().size(); ++i) {
    const ThreadMetric& metric = thread_metrics()[i];
    out.family(metric.family);
    for (const auto& [name, sums] : names_) {
      out.sample({name}, value_text(metric.seconds, sums[i]));
    }
  }
  if (make_watch_) {
    out.family(other.waited);
    for (const auto& [name, ns] : waited_ns_) out.sample({name}, seconds_text(ns));
    out.family(other.waited_for);
    for (const auto& [names, sum] : pairs_) {
      const auto& [waiter, owner] = names;
      out.sample({waiter, owner, "running"}, seconds_text(sum.running_ns));
      out.sample({waiter, owner, "preempted"}, seconds_text(sum.preempted_ns));
      out.sample({waiter, owner, "asleep"}, seconds_text(sum.asleep_ns));
    }
    out.family(other.waited_for_bounded);
    for (const auto& [names, sum] : pairs_) {
      out.sample({names.first, names.second}, seconds_text(sum.bounded_ns));
    }
    out.family(other.handoff);
    for (size_t i = 0; i < handoff_buckets_.size(); ++i) {
      out.bucket(seconds_text(end_of_bucket(i) - 1), handoff_buckets_[i]);
    }
    out.bucket("+Inf", handoff_number_);
    out.sum_and_count(seconds_text(handoff_sum_ns_), handoff_number_);
    alone(other.handoffs_unseen, std::to_string(handoffs_unseen_));
  }
  for (size_t i = 0; i < lost_.size(); ++i) {
    alone(lost_metrics()[i].family, std::to_string(lost_[i]));
  }
  return out.text();
}

}  // namespace gilscope
