#include "userspace/recording/followed.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "userspace/base/kernel_time.h"
#include "userspace/base/quote.h"
#include "userspace/recording/process_facts.h"
#include "userspace/recording/subject_cell.h"
#include "userspace/tracer/counters.h"

namespace gilscope {
namespace {

// Segments of a process that may yet turn out to run an interpreter: some megabytes.
constexpr size_t kMostWaiting = 100'000;

// Any bytes but a zero may be in a name.
std::string name_of(const gilscope_waiter& waiter) {
  return printable(std::string_view(waiter.name, strnlen(waiter.name, sizeof(waiter.name))));
}

void add(gilscope_looks& sum, const gilscope_looks& more) {
  sum.all += more.all;
  sum.unreadable += more.unreadable;
  sum.implausible += more.implausible;
  sum.held += more.held;
  sum.sleeps += more.sleeps;
  sum.waits_begun_again += more.waits_begun_again;
  sum.queue_waits += more.queue_waits;
}

}  // namespace

FollowedProcess& Followed::add(uint32_t place, pid_t pid) {
  FollowedProcess& process = processes_.emplace_back();
  by_place_[place] = &process;
  process.place = place;
  process.pid = pid;
  return process;
}

FollowedProcess* Followed::at(uint32_t place) {
  const auto found = by_place_.find(place);
  return found == by_place_.end() ? nullptr : found->second;
}

Status Followed::recognise(FollowedProcess& process, Subject subject) {
  process.subject = std::move(subject);
  process.cell = cells_++;
  if (!out_) {
    process.waiting = {};
    return {};
  }
  SegmentFileHeader header;
  header.cell = static_cast<uint32_t>(process.cell);
  header.block = static_cast<uint32_t>(block_);
  std::memcpy(header.report_id.data(), report_id_.data(),
              std::min(report_id_.size(), header.report_id.size()));
  auto created = out_->new_segments(header);
  if (!created) return fail(created.error());
  process.writer = std::move(created->first);
  process.segments_file = created->second;
  const std::vector<gilscope_segment> waiting = std::move(process.waiting);
  process.waiting = {};
  return process.writer->write(waiting);
}

Status Followed::write(FollowedProcess& process, std::span<const gilscope_segment> segments) {
  process.records += segments.size();
  if (reader_) {
    reader_->segments(process.place, segments);
    return {};
  }
  if (process.writer) return process.writer->write(segments);
  if (process.subject || !out_) return {};
  if (process.waiting.size() + segments.size() > kMostWaiting) {
    for (const gilscope_segment& segment : segments) ++process.dropped_on[segment.cpu];
    process.records -= segments.size();
    return {};
  }
  process.waiting.insert(process.waiting.end(), segments.begin(), segments.end());
  return {};
}

Followed::Owner& Followed::owner_of(uint32_t slot) {
  Owner& owner = owner_[slot];
  if (owner.process) return owner;
  const gilscope_waiter& waiter = tracer_.waiters()[slot];
  const gilscope_process& process = tracer_.processes()[waiter.process];
  FollowedProcess* known = at(waiter.process);
  if (!known) known = &add(waiter.process, static_cast<pid_t>(process.tgid));
  const auto expected = known->expected.find(tracer_.threads()[slot].tid);
  if (expected != known->expected.end()) {
    owner = {known, expected->second};
    known->expected.erase(expected);  // another thread may get its number
    return owner;
  }
  owner = {known, reader_ ? slot : known->threads.size()};
  if (!reader_) known->threads.emplace_back();
  return owner;
}

Status Followed::take(std::span<const gilscope_segment> segments) {
  std::vector<gilscope_segment> run;  // of one process, one after the other
  FollowedProcess* of = nullptr;
  Status status;
  const auto hand_on = [&] {
    if (of && status) status = write(*of, run);
    run.clear();
  };
  for (const gilscope_segment& segment : segments) {
    if (segment.thread >= owner_.size()) continue;
    const Owner& owner = owner_of(segment.thread);
    if (owner.process != of) hand_on();
    of = owner.process;
    run.push_back(segment);
    run.back().thread = static_cast<uint32_t>(owner.thread);
  }
  hand_on();
  return status;
}

void Followed::take_thread(uint32_t slot) {
  const gilscope_thread& traced = tracer_.threads()[slot];
  const gilscope_waiter& waiter = tracer_.waiters()[slot];
  const Owner& owner = owner_of(slot);
  gilscope::add(owner.process->looks, waiter.looks);
  owner.process->holder_seen = owner.process->holder_seen || waiter.looks.held > 0;
  if (reader_)
    return reader_->thread_ended({slot, waiter.process, name_of(waiter), &traced, &waiter});
  Thread& thread = owner.process->threads[owner.thread];
  thread.name = name_of(waiter);
  const gilscope_process& process = tracer_.processes()[owner.process->place];
  thread.role = traced.tid == process.tgid ? "main" : "worker";
  thread.ended = traced.exited ? "finished" : "running";
  thread.trace = trace_of(traced, true);
  thread.gil = thread.trace->gil;
  if (thread.trace->left_ns == 0) thread.trace->left_ns = tracer_.window().close_ns;
}

// A thread's last record is published before it is marked as left.
std::vector<uint32_t> Followed::ended_threads() const {
  std::vector<uint32_t> slots;
  for (uint32_t slot = 0; slot < tracer_.slots_used(); ++slot) {
    const __u64& left = tracer_.threads()[slot].left_ns;
    if (std::atomic_ref(const_cast<__u64&>(left)).load(std::memory_order_acquire)) {
      slots.push_back(slot);
    }
  }
  return slots;
}

void Followed::take_ended_threads(std::span<const uint32_t> slots) {
  for (const uint32_t slot : slots) {
    take_thread(slot);
    owner_[slot] = {};
    tracer_.free_thread(slot);
  }
}

// Whether a thread of the process still has a place in the table: records of it may be to come.
bool Followed::has_threads(uint32_t place) const {
  for (uint32_t slot = 0; slot < tracer_.slots_used(); ++slot) {
    if (tracer_.threads()[slot].entered_ns && tracer_.waiters()[slot].process == place) return true;
  }
  return false;
}

bool Followed::can_be_forgotten(const FollowedProcess& process) {
  return process.ended && (!process.subject || reader_) && process.place != 0 &&
         at(process.place) == &process && !has_threads(process.place);
}

void Followed::forget_ended() {
  for (auto process = processes_.begin(); process != processes_.end();) {
    const auto next = std::next(process);
    const gilscope_process& traced = tracer_.processes()[process->place];
    process->ended = process->ended || traced.state == GILSCOPE_PROCESS_ENDED;
    if (can_be_forgotten(*process)) {
      if (reader_) reader_->process_ended(process->place, tracer_.cpus_of(process->place, {}));
      by_place_.erase(process->place);
      process->threads = {};
      process->waiting = {};
      tracer_.free_process(process->place);
      if (reader_) processes_.erase(process);
    }
    process = next;
  }
}

void Followed::read_usages() {
  for (FollowedProcess& process : processes_) {
    if (process.ended) continue;
    if (const auto used = process_usage(process.pid)) process.usage = *used;
  }
}

LiveState Followed::live(std::span<const int> cpus) {
  LiveState state;
  state.ns = kernel_monotonic_ns();
  for (uint32_t slot = 0; slot < tracer_.slots_used(); ++slot) {
    const gilscope_thread& thread = tracer_.threads()[slot];
    if (!thread.entered_ns || thread.left_ns) continue;
    const gilscope_waiter& waiter = tracer_.waiters()[slot];
    state.threads.push_back({slot, waiter.process, name_of(waiter), &thread, &waiter});
  }
  for (const FollowedProcess& process : processes_) {
    state.processes.push_back(live_process(process, tracer_.cpus_of(process.place, cpus)));
  }
  state.lost = tracer_.lost_of_all();
  return state;
}

namespace {

// When the segment began that is not over, or that is to come; `never` without one.
uint64_t open_since_ns(const gilscope_thread& thread, uint64_t never) {
  const gilscope_segment& segment = thread.segment;
  if (thread.running) return segment.ready_ns ? segment.ready_ns : segment.run_ns;
  if (!thread.asleep_ns) return thread.out_ns;  // it was preempted
  return thread.waking.last.woken_ns > thread.asleep_ns ? thread.waking.last.woken_ns : never;
}

}  // namespace

uint64_t Followed::settled_ns() const {
  uint64_t settled = kernel_monotonic_ns();
  for (uint32_t slot = 0; slot < tracer_.slots_used(); ++slot) {
    const gilscope_thread& thread = tracer_.threads()[slot];
    if (thread.entered_ns && !thread.left_ns && thread.segment.cpu != GILSCOPE_NO_CPU) {
      settled = std::min(settled, open_since_ns(thread, settled));
    }
  }
  return settled;
}

void Followed::take_all_threads() {
  for (uint32_t slot = 0; slot < tracer_.slots_used(); ++slot) {
    if (tracer_.threads()[slot].entered_ns) take_thread(slot);
  }
}

Status Followed::finish() {
  for (FollowedProcess& process : processes_) {
    if (!process.writer) continue;
    if (Status finished = process.writer->finish(); !finished) return finished;
  }
  return {};
}

}  // namespace gilscope
