#include "userspace/tracer/record_buffers.h"

#include <algorithm>

namespace gilscope {

std::vector<RecordBuffers::Buffer> RecordBuffers::buffers_with_records(uint64_t until_ns) const {
  std::vector<Buffer> buffers;
  const size_t count = per_cpu_ ? std::min(cpus_.size(), records_.size() / per_cpu_) : 0;
  for (size_t cpu = 0; cpu < count; ++cpu) {
    const uint64_t written = __atomic_load_n(&cpus_[cpu].written, __ATOMIC_ACQUIRE);
    const Buffer buffer{cpu, cpus_[cpu].taken, written};
    if (has_record(buffer, until_ns)) buffers.push_back(buffer);
  }
  return buffers;
}

Result<uint64_t> RecordBuffers::take(uint64_t until_ns, const Sink& sink) {
  constexpr size_t kPiece = 1024;
  std::vector<Buffer> buffers = buffers_with_records(until_ns);
  const auto later = [this](const Buffer& a, const Buffer& b) {
    return at(a).end_ns > at(b).end_ns;
  };
  std::ranges::make_heap(buffers, later);
  std::vector<gilscope_segment> piece;
  piece.reserve(kPiece);
  uint64_t taken = 0;
  Status status;
  const auto hand_over = [&] {
    taken += piece.size();
    if (status && !piece.empty()) status = sink(piece);
    piece.clear();
  };
  while (!buffers.empty()) {
    std::ranges::pop_heap(buffers, later);
    Buffer& buffer = buffers.back();
    // The earliest record of the other buffers bounds how many this one hands over at once.
    const uint64_t until = buffers.size() > 1 ? at(buffers.front()).end_ns : until_ns;
    do {
      piece.push_back(at(buffer));
      ++buffer.next;
      if (piece.size() == kPiece) hand_over();
    } while (has_record(buffer, until));
    __atomic_store_n(&cpus_[buffer.cpu].taken, buffer.next, __ATOMIC_RELEASE);
    if (has_record(buffer, until_ns)) {
      std::ranges::push_heap(buffers, later);
    } else {
      buffers.pop_back();
    }
  }
  hand_over();
  if (!status) return fail(status.error());
  return taken;
}

void RecordBuffers::skip() {
  for (gilscope_cpu& cpu : cpus_) {
    __atomic_store_n(&cpu.taken, __atomic_load_n(&cpu.written, __ATOMIC_ACQUIRE), __ATOMIC_RELEASE);
  }
}

}  // namespace gilscope
