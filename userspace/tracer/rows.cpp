#include "userspace/tracer/rows.h"

#include <algorithm>

namespace gilscope {

std::vector<Rows::Row> Rows::rows_with_records(uint64_t until_ns) const {
  std::vector<Row> rows;
  const size_t count = per_core_ ? std::min(cores_.size(), records_.size() / per_core_) : 0;
  for (size_t core = 0; core < count; ++core) {
    const uint64_t written = __atomic_load_n(&cores_[core].written, __ATOMIC_ACQUIRE);
    const Row row{core, cores_[core].taken, written};
    if (comes(row, until_ns)) rows.push_back(row);
  }
  return rows;
}

Result<uint64_t> Rows::take(uint64_t until_ns, const Sink& sink) {
  constexpr size_t kPiece = 1024;
  std::vector<Row> rows = rows_with_records(until_ns);
  const auto later = [this](const Row& a, const Row& b) { return at(a).end_ns > at(b).end_ns; };
  std::ranges::make_heap(rows, later);
  std::vector<gilscope_segment> piece;
  piece.reserve(kPiece);
  uint64_t taken = 0;
  Status said;
  const auto hand_over = [&] {
    taken += piece.size();
    if (said && !piece.empty()) said = sink(piece);
    piece.clear();
  };
  while (!rows.empty()) {
    std::ranges::pop_heap(rows, later);
    Row& row = rows.back();
    // The earliest record of the other buffers bounds how many this one hands over at once.
    const uint64_t until = rows.size() > 1 ? at(rows.front()).end_ns : until_ns;
    do {
      piece.push_back(at(row));
      ++row.next;
      if (piece.size() == kPiece) hand_over();
    } while (comes(row, until));
    __atomic_store_n(&cores_[row.core].taken, row.next, __ATOMIC_RELEASE);
    if (comes(row, until_ns)) {
      std::ranges::push_heap(rows, later);
    } else {
      rows.pop_back();
    }
  }
  hand_over();
  if (!said) return fail(said.error());
  return taken;
}

}  // namespace gilscope
