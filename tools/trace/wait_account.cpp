#include "tools/trace/wait_account.h"

#include <algorithm>
#include <utility>

namespace gilscope {

bool release_wakes(const Cell& cell) {
  return cell.subject ? cell.subject->kind != "pypy" : !cell.policy.starts_with("pypy");
}

WaitAccount::WaitAccount(const std::vector<uint32_t>& tids, bool one_owner, GilSpansReader& reader,
                         bool of_subject, Window window, bool release_wakes)
    : spans_(tids, one_owner, reader, of_subject),
      one_owner_(one_owner),
      of_subject_(of_subject),
      release_wakes_(release_wakes),
      window_(window),
      threads_(tids.size()),
      number_{tids.size(), 0, 0} {
  if (!one_owner) return;
  asked_.resize(tids.size());
  unasked_.resize(tids.size());
}

void WaitAccount::add_thread(uint32_t tid) {
  spans_.add_thread(tid);
  threads_.emplace_back();
  number_[static_cast<size_t>(Being::off)] += 1;
  if (!one_owner_) return;
  asked_.resize(threads_.size());
  unasked_.resize(threads_.size());
}

void WaitAccount::visit(const Moment& moment) {
  until(moment.ns);
  const uint32_t thread = moment.thread();
  count(thread);
  switch (moment.kind) {
    case Moment::Kind::ready:
      be(thread, Being::runnable);
      break;
    case Moment::Kind::ran:
      be(thread, Being::running);
      threads_[thread].stops_within = moment.segment.gil_state != GILSCOPE_WAITING;
      break;
    case Moment::Kind::ended:
      be(thread, Being::off);
      threads_[thread].stops_within = false;
      break;
  }
  if (moment.ns < last_ns_) {
    Moment late = moment;
    late.ns = last_ns_;
    spans_.visit(late);
  } else {
    spans_.visit(moment);
  }
  note_waiting(thread);
  const Owner owner = owner_now();
  if (owner == owner_) return;
  count_all();
  owner_ = owner;
}

void WaitAccount::until(uint64_t ns) {
  if (ns <= last_ns_) return;
  if (last_ns_) passed_ns_ += window_.length_ns(last_ns_, ns);
  last_ns_ = ns;
}

void WaitAccount::finish(uint64_t ns) {
  until(ns);
  count_all();
  spans_.finish(last_ns_);
  for (const uint32_t thread : waiting_) threads_[thread].waiting = false;
  waiting_.clear();
  owner_ = {};
}

WaitMatrix WaitAccount::so_far() {
  count_all();
  WaitMatrix all = asked_;
  all += unasked_;
  return all;
}

WaitMatrix WaitAccount::since_asked() {
  count_all();
  asked_ += unasked_;
  WaitMatrix answer;
  answer.resize(asked_.threads());
  std::swap(answer, unasked_);
  return answer;
}

void WaitAccount::be(uint32_t thread, Being now) {
  number_[static_cast<size_t>(threads_[thread].being)] -= 1;
  number_[static_cast<size_t>(now)] += 1;
  threads_[thread].being = now;
}

// A running owner's slot is to be believed throughout a segment where it says the same at both ends
// and no acquisition was counted; a real program's are not all counted. It does not matter while
// nobody else could run: a waiter fell asleep because the lock was taken, whoever gives it up wakes
// one, and those off their CPU do not have it.
WaitAccount::Owner WaitAccount::owner_now() const {
  Owner owner{.slot = spans_.owner()};
  if (!owner.slot) return owner;
  const bool alone = number(Being::runnable) + number(Being::running) == 1;
  switch (threads_[*owner.slot].being) {
    case Being::running:
      owner.was = OwnerWas::running;
      owner.bounded = (of_subject_ || !spans_.owner_is_certain()) && !(release_wakes_ && alone);
      return owner;
    case Being::runnable:
      owner.was = OwnerWas::preempted;
      break;
    case Being::off:
      owner.was = OwnerWas::asleep;
      break;
  }
  owner.bounded = !spans_.owner_is_certain();
  return owner;
}

// Its time since it was last counted, in which neither it nor the owner changed.
void WaitAccount::count(uint32_t thread) {
  OfThread& of = threads_[thread];
  const uint64_t ns = passed_ns_ - std::exchange(of.counted_ns, passed_ns_);
  if (!of.waiting || !ns) return;
  const WaiterWas was = of.being == Being::off        ? WaiterWas::asleep
                        : of.being == Being::runnable ? WaiterWas::runnable
                                                      : WaiterWas::running;
  if (!owner_.slot) {
    unasked_.nobody(thread)[static_cast<size_t>(was)] += ns;
  } else {
    unasked_.place(thread, *owner_.slot)
        .at(was, owner_.was)
        .add(ns, owner_.bounded || of.stops_within);
  }
}

void WaitAccount::count_all() {
  for (const uint32_t thread : waiting_) count(thread);
}

void WaitAccount::note_waiting(uint32_t thread) {
  OfThread& of = threads_[thread];
  const bool waiting = one_owner_ && spans_.waiting(thread);
  if (waiting == of.waiting) return;
  of.waiting = waiting;
  if (waiting) {
    waiting_.push_back(thread);
  } else {
    waiting_.erase(std::ranges::find(waiting_, thread));
  }
}

}  // namespace gilscope
