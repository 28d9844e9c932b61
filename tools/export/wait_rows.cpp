#include "tools/export/wait_rows.h"

#include <utility>

namespace gilscope {
namespace {

constexpr std::pair<WaiterWas, const char*> kWaiters[] = {{WaiterWas::asleep, "asleep"},
                                                          {WaiterWas::runnable, "runnable"},
                                                          {WaiterWas::running, "running"}};
constexpr std::pair<OwnerWas, const char*> kOwners[] = {{OwnerWas::running, "running"},
                                                        {OwnerWas::preempted, "preempted"},
                                                        {OwnerWas::asleep, "asleep"}};

class Rows {
 public:
  Rows(RowWriter& writer, const ExportedRun& exported) : writer_(writer), exported_(exported) {}

  // Empty: threads that found no place in the matrix.
  void pair(uint32_t waiter, std::optional<uint32_t> owner, const PairWaits& waits) const {
    for (const auto& [waiter_was, waiter_word] : kWaiters) {
      for (const auto& [owner_was, owner_word] : kOwners) {
        const WaitTime& time = waits.at(waiter_was, owner_was);
        if (time.ns) row(waiter, waiter_word, owner, owner_word, time);
      }
    }
  }

  void nobody(uint32_t waiter, const std::array<uint64_t, kWaiterWays>& times) const {
    for (const auto& [waiter_was, word] : kWaiters) {
      const uint64_t ns = times[static_cast<size_t>(waiter_was)];
      if (ns) row(waiter, word, std::nullopt, "unseen", {ns, 0});
    }
  }

 private:
  void row(uint32_t waiter, const char* waiter_was, std::optional<uint32_t> owner,
           const char* owner_was, const WaitTime& time) const {
    writer_.begin(RowKind::wait);
    writer_.number("cell", exported_.cell_index);
    writer_.number("block", static_cast<uint64_t>(exported_.run->block));
    writer_.number("waiter", waiter);
    writer_.text("waiter_name", name(waiter));
    writer_.text("waiter_was", waiter_was);
    if (owner) {
      writer_.number("owner", *owner);
      writer_.text("owner_name", name(*owner));
    } else {
      writer_.nothing("owner");
      writer_.nothing("owner_name");
    }
    writer_.text("owner_was", owner_was);
    writer_.number("ns", time.ns);
    writer_.number("bounded_ns", time.bounded_ns);
    writer_.number("run_records_dropped", exported_.dropped());
    writer_.end();
  }

  const std::string& name(uint32_t slot) const { return exported_.run->threads[slot].name; }

  RowWriter& writer_;
  const ExportedRun& exported_;
};

}  // namespace

void write_wait_rows(RowWriter& writer, const ExportedRun& exported, const WaitMatrix& waits) {
  const Rows rows(writer, exported);
  for (uint32_t waiter = 0; waiter < waits.threads(); ++waiter) {
    const WaitMatrix::Row& row = waits.rows()[waiter];
    for (const WaitMatrix::Pair& pair : row.pairs) rows.pair(waiter, pair.owner, pair.waits);
    rows.pair(waiter, std::nullopt, row.others);
    rows.nobody(waiter, row.nobody_ns);
  }
}

}  // namespace gilscope
