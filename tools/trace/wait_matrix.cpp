#include "tools/trace/wait_matrix.h"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace gilscope {

WaitTime& WaitTime::operator+=(const WaitTime& other) {
  ns += other.ns;
  bounded_ns += other.bounded_ns;
  return *this;
}

WaitTime PairWaits::of(WaiterWas waiter) const {
  WaitTime sum;
  for (const WaitTime& time : times[static_cast<size_t>(waiter)]) sum += time;
  return sum;
}

WaitTime PairWaits::of(OwnerWas owner) const {
  WaitTime sum;
  for (const auto& row : times) sum += row[static_cast<size_t>(owner)];
  return sum;
}

WaitTime PairWaits::total() const {
  WaitTime sum;
  for (const auto& row : times) {
    for (const WaitTime& time : row) sum += time;
  }
  return sum;
}

PairWaits& PairWaits::operator+=(const PairWaits& other) {
  for (size_t waiter = 0; waiter < kWaiterWays; ++waiter) {
    for (size_t owner = 0; owner < kOwnerWays; ++owner) {
      times[waiter][owner] += other.times[waiter][owner];
    }
  }
  return *this;
}

uint64_t WaitMatrix::Row::nobody() const {
  return std::accumulate(nobody_ns.begin(), nobody_ns.end(), uint64_t{0});
}

uint64_t WaitMatrix::Row::waited_ns() const {
  uint64_t sum = nobody() + others.total().ns;
  for (const Pair& pair : pairs) sum += pair.waits.total().ns;
  return sum;
}

void WaitMatrix::resize(size_t threads) {
  rows_.resize(threads);
  owners_others_.resize(threads);
}

uint64_t WaitMatrix::waited_ns() const {
  uint64_t sum = 0;
  for (const Row& row : rows_) sum += row.waited_ns();
  return sum;
}

uint64_t WaitMatrix::nobody_ns() const {
  uint64_t sum = 0;
  for (const Row& row : rows_) sum += row.nobody();
  return sum;
}

PairWaits WaitMatrix::waiter(size_t slot) const {
  PairWaits sum = rows_[slot].others;
  for (const Pair& pair : rows_[slot].pairs) sum += pair.waits;
  return sum;
}

std::vector<PairWaits> WaitMatrix::owners() const {
  std::vector<PairWaits> sums = owners_others_;
  for (const Row& row : rows_) {
    for (const Pair& pair : row.pairs) sums[pair.owner] += pair.waits;
  }
  return sums;
}

PairWaits WaitMatrix::total() const {
  PairWaits sum;
  for (size_t slot = 0; slot < rows_.size(); ++slot) sum += waiter(slot);
  return sum;
}

std::vector<WaitMatrix::Worst> WaitMatrix::pairs() const {
  std::vector<Worst> all;
  for (uint32_t waiter = 0; waiter < rows_.size(); ++waiter) {
    for (const Pair& pair : rows_[waiter].pairs) {
      if (pair.waits.total().ns) all.push_back({waiter, pair.owner, pair.waits});
    }
  }
  std::ranges::stable_sort(all, std::greater<>(),
                           [](const Worst& pair) { return pair.waits.total().ns; });
  return all;
}

std::optional<WaitMatrix::Worst> WaitMatrix::worst() const {
  std::optional<Worst> worst;
  uint64_t most = 0;
  for (uint32_t waiter = 0; waiter < rows_.size(); ++waiter) {
    for (const Pair& pair : rows_[waiter].pairs) {
      const uint64_t ns = pair.waits.total().ns;
      if (ns > most) most = ns, worst = {waiter, pair.owner, pair.waits};
    }
  }
  return worst;
}

uint64_t WaitMatrix::others_ns() const {
  uint64_t sum = 0;
  for (const Row& row : rows_) sum += row.others.total().ns;
  return sum;
}

WaitMatrix& WaitMatrix::operator+=(const WaitMatrix& other) {
  if (other.rows_.size() > rows_.size()) resize(other.rows_.size());
  for (uint32_t waiter = 0; waiter < other.rows_.size(); ++waiter) {
    const Row& more = other.rows_[waiter];
    for (const Pair& pair : more.pairs) place(waiter, pair.owner) += pair.waits;
    rows_[waiter].others += more.others;
    for (size_t way = 0; way < kWaiterWays; ++way) {
      rows_[waiter].nobody_ns[way] += more.nobody_ns[way];
    }
    owners_others_[waiter] += other.owners_others_[waiter];
  }
  return *this;
}

PairWaits& WaitMatrix::place(uint32_t waiter, uint32_t owner) {
  Row& row = rows_[waiter];
  auto pair = std::ranges::lower_bound(row.pairs, owner, {}, &Pair::owner);
  if (pair != row.pairs.end() && pair->owner == owner) return pair->waits;
  if (row.pairs.size() == kOwners) {
    drop_least(row);
    pair = std::ranges::lower_bound(row.pairs, owner, {}, &Pair::owner);
  }
  return row.pairs.insert(pair, {owner, {}})->waits;
}

void WaitMatrix::drop_least(Row& row) {
  const auto least = std::ranges::min_element(
      row.pairs, {}, [](const Pair& pair) { return pair.waits.total().ns; });
  row.others += least->waits;
  owners_others_[least->owner] += least->waits;
  row.pairs.erase(least);
}

}  // namespace gilscope
