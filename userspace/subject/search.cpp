#include "userspace/subject/search.h"

#include <algorithm>
#include <cstring>

namespace gilscope {
namespace {

constexpr uint64_t kPiece = uint64_t{1} << 20;
constexpr uint64_t kMostData = uint64_t{256} << 20;

}  // namespace

bool search_memory(
    const Memory& memory, std::span<const MappedRange> ranges, size_t overlap, uint64_t most_bytes,
    const std::function<bool(uint64_t address, std::span<const uint8_t> piece)>& look) {
  std::vector<uint8_t> piece;
  for (const MappedRange& range : ranges) {
    for (uint64_t at = range.start; at < range.end; at += kPiece) {
      const uint64_t bytes = std::min({kPiece + overlap, range.end - at, most_bytes});
      if (bytes == 0) return false;
      piece.resize(bytes);
      if (!memory.read(at, piece.data(), bytes)) continue;
      if (look(at, piece)) return true;
      most_bytes -= std::min(bytes, kPiece);
    }
  }
  return false;
}

std::vector<uint64_t> find_word(const Memory& memory, std::span<const MappedRange> ranges,
                                uint64_t value, size_t most) {
  std::vector<uint64_t> found;
  search_memory(memory, ranges, 0, kMostData, [&](uint64_t address, auto piece) {
    for (size_t at = 0; at + 8 <= piece.size(); at += 8) {
      uint64_t word;
      std::memcpy(&word, piece.data() + at, sizeof word);
      if (word == value) found.push_back(address + at);
      if (found.size() == most) return true;
    }
    return false;
  });
  return found;
}

}  // namespace gilscope
