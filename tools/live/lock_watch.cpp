#include "tools/live/lock_watch.h"

#include <algorithm>
#include <map>

#include "tools/live/ordered_moments.h"
#include "tools/trace/wait_account.h"
#include "userspace/report/histogram.h"

namespace gilscope {
namespace {

// Hand-offs, and since when the lock has its owner.
class Handoffs : public GilSpansReader {
 public:
  void handoff(const Handoff& handoff) override {
    ++number_;
    if (const auto latency = handoff.latency_ns()) {
      gilscope_histogram_add(&latencies_, *latency);
      sum_ns_ += *latency;
    } else {
      ++unseen_;
    }
  }
  void take_into(LockWatch::Since& since) {
    since.handoff = to_report(latencies_);
    since.handoff_sum_ns = std::exchange(sum_ns_, 0);
    since.handoffs = std::exchange(number_, 0);
    since.handoffs_unseen = std::exchange(unseen_, 0);
    latencies_ = {};
  }

 private:
  uint64_t sum_ns_ = 0, number_ = 0, unseen_ = 0;
  gilscope_histogram latencies_ = {};
};

// Threads have numbers of this class's own: that of a thread that has ended is given to another
// only once all that is known of it has been asked for.
class Watch : public LockWatch {
 public:
  Watch() : account_({}, true, handoffs_, true) {}

  void thread(uint32_t slot, const ThreadName& thread) override {
    const auto known = number_of_.find(slot);
    if (known == number_of_.end()) {
      begin(slot, thread);
      return;
    }
    const uint32_t tid = threads_[known->second].name.tid;
    if (tid != 0 && tid != thread.tid) {
      left(slot);
      begin(slot, thread);
      return;
    }
    threads_[known->second].name = thread;
    if (tid == 0) account_.set_thread(known->second, thread.tid);
  }

  void left(uint32_t slot) override {
    const auto known = number_of_.find(slot);
    if (known == number_of_.end()) return;
    leaving_.push_back(known->second);
    number_of_.erase(known);
  }

  void segments(std::span<const gilscope_segment> segments) override {
    renumbered_.assign(segments.begin(), segments.end());
    for (gilscope_segment& segment : renumbered_) {
      const auto known = number_of_.find(segment.thread);
      // A segment does not have its thread's tid, which thread() tells later.
      segment.thread = known != number_of_.end() ? known->second : begin(segment.thread, {});
    }
    moments_.add(renumbered_);
  }

  void until(uint64_t ns) override {
    moments_.until(ns, [this](const Moment& moment) { visit(moment); });
    account_.until(ns);
  }

  Since since_asked() override;

  std::optional<Owner> owner() const override {
    const auto owner = account_.spans().owner();
    if (!owner) return {};
    return Owner{threads_[*owner].name, threads_[*owner].since_ns};
  }

  std::optional<uint64_t> waiting_since_ns(uint32_t slot) const override {
    const auto known = number_of_.find(slot);
    if (known == number_of_.end() || !account_.spans().waiting(known->second)) return {};
    return threads_[known->second].waiting_since_ns;
  }

  size_t kept() const override { return moments_.kept(); }

 private:
  struct OfThread {
    ThreadName name;
    uint64_t since_ns = 0;  // when it became the owner
    uint64_t waiting_since_ns = 0;
  };

  uint32_t begin(uint32_t slot, const ThreadName& thread) {
    uint32_t number = 0;
    if (free_.empty()) {
      number = static_cast<uint32_t>(threads_.size());
      threads_.emplace_back();
      account_.add_thread(thread.tid);
    } else {
      number = free_.back();
      free_.pop_back();
      threads_[number] = {};
      account_.set_thread(number, thread.tid);
    }
    threads_[number].name = thread;
    number_of_[slot] = number;
    return number;
  }

  void visit(const Moment& moment) {
    const auto before = account_.spans().owner();
    const uint32_t thread = moment.thread();
    const bool waited = account_.spans().waiting(thread);
    account_.visit(moment);
    const auto owner = account_.spans().owner();
    if (owner && owner != before) threads_[*owner].since_ns = moment.ns;
    if (!waited && account_.spans().waiting(thread)) threads_[thread].waiting_since_ns = moment.ns;
  }

  void free_those_that_left();

  Handoffs handoffs_;
  WaitAccount account_;
  OrderedMoments moments_;
  std::map<uint32_t, uint32_t> number_of_;  // by slot
  std::vector<OfThread> threads_;           // by number
  std::vector<uint32_t> free_, leaving_;    // numbers
  std::vector<gilscope_segment> renumbered_;
  uint64_t late_ = 0;
};

LockWatch::Since Watch::since_asked() {
  Since since;
  handoffs_.take_into(since);
  const WaitMatrix matrix = account_.since_asked();
  for (const WaitMatrix::Worst& pair : matrix.pairs()) {
    const WaitTime total = pair.waits.total();
    since.pairs.push_back({threads_[pair.waiter].name, threads_[pair.owner].name, total.ns,
                           total.bounded_ns, pair.waits.of(OwnerWas::running).ns,
                           pair.waits.of(OwnerWas::preempted).ns,
                           pair.waits.of(OwnerWas::asleep).ns});
  }
  for (uint32_t thread = 0; thread < matrix.threads(); ++thread) {
    const auto& row = matrix.rows()[thread];
    if (const uint64_t ns = row.waited_ns()) {
      since.waited.push_back({threads_[thread].name, ns, row.nobody() + row.others.total().ns});
    }
  }
  since.late = moments_.late() - std::exchange(late_, moments_.late());
  free_those_that_left();
  return since;
}

void Watch::free_those_that_left() {
  std::erase_if(leaving_, [this](uint32_t number) {
    if (!moments_.passed_all_of(number)) return false;
    moments_.forget(number);
    // Its last record may be among those that were dropped.
    Moment gone{};
    gone.ns = moments_.passed_ns();
    gone.kind = Moment::Kind::ended;
    gone.segment.thread = number;
    gone.segment.ended = GILSCOPE_ENDED_EXITED;
    account_.visit(gone);
    free_.push_back(number);
    return true;
  });
}

}  // namespace

std::unique_ptr<LockWatch> make_lock_watch() {
  return std::make_unique<Watch>();
}

}  // namespace gilscope
