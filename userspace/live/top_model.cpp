#include "userspace/live/top_model.h"

#include <algorithm>

#include "userspace/report/sums.h"

namespace gilscope {

Picture::Counts& Picture::Counts::operator+=(const Counts& other) {
  on_cpu_ns += other.on_cpu_ns;
  wakeups += other.wakeups;
  failed += other.failed;
  wasted_wakeups += other.wasted_wakeups;
  holder_preempted += other.holder_preempted;
  segments += other.segments;
  return *this;
}

namespace {

using Counts = Picture::Counts;

Counts counts_of(const CpuTrace& cpu) {
  return {cpu.on_cpu_ns,      cpu.wakeups.ran,      cpu.failed.total(),
          cpu.wasted_wakeups, cpu.holder_preempted, cpu.segments};
}

Counts counts_of(const gilscope_thread& thread) {
  const gilscope_slot& gil = thread.counted;
  return {thread.on_cpu_ns,
          thread.wakeups,
          gil.contended + gil.woken_lost + gil.timed_out + thread.undecided,
          thread.wasted_wakeups,
          thread.holder_preempted,
          thread.segments};
}

// Counters are read one after the other, while they grow.
uint64_t growth(uint64_t before, uint64_t now) {
  return now > before ? now - before : 0;
}

Counts growth(const Counts& before, const Counts& now) {
  return {growth(before.on_cpu_ns, now.on_cpu_ns),
          growth(before.wakeups, now.wakeups),
          growth(before.failed, now.failed),
          growth(before.wasted_wakeups, now.wasted_wakeups),
          growth(before.holder_preempted, now.holder_preempted),
          growth(before.segments, now.segments)};
}

bool is_holder(const LiveThread& live, const LiveProcess* process) {
  return process && process->holder && process->holder->held.value_or(false) &&
         process->holder->tid == static_cast<pid_t>(live.counters->tid);
}

Picture::Being being_of(const LiveThread& live, const LiveProcess* process) {
  if (is_holder(live, process)) return Picture::Being::holds;
  if (live.waiter->waiting) return Picture::Being::waits;
  if (live.counters->running) return Picture::Being::runs;
  const uint64_t asleep_ns = live.counters->asleep_ns;
  if (asleep_ns && live.counters->waking.last.woken_ns <= asleep_ns) return Picture::Being::asleep;
  return Picture::Being::ready;
}

}  // namespace

LockWatch& TopModel::watch_of(uint32_t process) {
  auto& watch = processes_[process].watch;
  if (!watch) watch = make_watch_();
  return *watch;
}

void TopModel::segments(uint32_t process, std::span<const gilscope_segment> segments) {
  if (read_) watch_of(process).segments(segments);
}

void TopModel::thread_ended(const LiveThread& thread) {
  if (read_) {
    LockWatch& watch = watch_of(thread.process);
    watch.thread(thread.slot, {thread.name, thread.counters->tid});
    watch.left(thread.slot);
  }
}

void TopModel::process_ended(uint32_t place, const std::vector<CpuTrace>&) {
  processes_.erase(place);
}

void TopModel::settled(uint64_t ns, const std::vector<LiveThread>& threads) {
  if (!read_) return;
  for (const LiveThread& live : threads) {
    watch_of(live.process).thread(live.slot, {live.name, live.counters->tid});
  }
  for (auto& [place, process] : processes_) {
    if (process.watch) process.watch->until(ns);
  }
}

void TopModel::read_segments(bool read) {
  if (read == read_) return;
  read_ = read;
  for (auto& [place, process] : processes_) process.watch.reset();
}

Picture::Thread TopModel::thread_of(const LiveThread& live, const LiveProcess* process,
                                    uint64_t now_ns) {
  if (threads_.size() <= live.slot) threads_.resize(live.slot + 1);
  OfThread& known = threads_[live.slot];
  if (known.entered_ns != live.counters->entered_ns) {
    known = {live.counters->entered_ns, {}};
  }
  Picture::Thread thread;
  thread.name = {live.name, live.counters->tid};
  thread.being = being_of(live, process);
  thread.cpu = live.counters->cpu == GILSCOPE_NO_CPU ? -1 : live.counters->cpu;
  const Counts now = counts_of(*live.counters);
  thread.counts = growth(known.before, now);
  known.before = now;
  if (!read_) return thread;
  LockWatch& watch = watch_of(live.process);
  if (thread.being == Picture::Being::waits) {
    const auto since = watch.waiting_since_ns(live.slot);
    if (since && *since <= now_ns) thread.waiting_for_ns = now_ns - *since;
  }
  return thread;
}

Picture::Process TopModel::process_of(const LiveProcess& live, uint64_t now_ns) {
  OfProcess& known = processes_[live.place];
  Picture::Process process;
  process.pid = live.pid;
  process.ended = live.ended;
  process.subject = live.subject;
  for (const CpuTrace& cpu : live.cpus) {
    Counts& before = known.before[cpu.cpu];
    const Counts now = counts_of(cpu);
    process.cpus.push_back({cpu.cpu, growth(before, now)});
    process.counts += process.cpus.back().counts;
    before = now;
  }
  if (live.holder) {
    Picture::Holder holder;
    holder.name = {live.holder->name, static_cast<uint32_t>(live.holder->tid)};
    holder.held = live.holder->held;
    const auto owner = known.watch ? known.watch->owner() : std::nullopt;
    if (owner && owner->thread.tid == holder.name.tid && owner->since_ns <= now_ns) {
      holder.for_ns = now_ns - owner->since_ns;
    }
    process.holder = std::move(holder);
  }
  return process;
}

Picture TopModel::picture(const LiveState& state, uint64_t began_ns) {
  Picture picture;
  picture.running_ns = growth(began_ns, state.ns);
  picture.span_ns = growth(last_ns_ ? last_ns_ : began_ns, state.ns);
  picture.lost = state.lost;
  last_ns_ = state.ns;

  std::map<uint32_t, std::pair<const LiveProcess*, Picture::Process>> by_place;
  for (const LiveProcess& live : state.processes) {
    if (live.ended && !live.subject) continue;  // a command before it executed its program
    by_place[live.place] = {&live, process_of(live, state.ns)};
  }
  for (const LiveThread& live : state.threads) {
    const auto process = by_place.find(live.process);
    if (process == by_place.end()) continue;
    auto& [of, drawn] = process->second;
    drawn.threads.push_back(thread_of(live, of, state.ns));
  }
  uint64_t segments = 0;
  for (auto& [place, both] : by_place) {
    Picture::Process& process = both.second;
    segments += process.counts.segments;
    if (read_) {
      process.since = watch_of(place).since_asked();
      std::map<uint32_t, uint64_t> waited;  // by tid
      for (const LockWatch::Waited& one : process.since->waited) waited[one.thread.tid] += one.ns;
      for (Picture::Thread& thread : process.threads) thread.waited_ns = waited[thread.name.tid];
    }
    picture.processes.push_back(std::move(process));
  }
  segments_per_s_ = picture.span_ns
                        ? static_cast<double>(segments) * 1e9 / static_cast<double>(picture.span_ns)
                        : 0;
  std::ranges::stable_sort(picture.processes, [](const auto& a, const auto& b) {
    if (a.subject.has_value() != b.subject.has_value()) return a.subject.has_value();
    if (a.ended != b.ended) return b.ended;
    return a.counts.on_cpu_ns > b.counts.on_cpu_ns;
  });
  return picture;
}

}  // namespace gilscope
