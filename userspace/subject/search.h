// Looks for text and words in another program's memory, piece by piece.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "userspace/subject/maps.h"
#include "userspace/subject/memory.h"

namespace gilscope {

// Calls `look` with each piece of the ranges that can be read and the address where it begins.
// Pieces overlap by `overlap` bytes, so that nothing shorter lies across two. Ends when `look`
// returns true, and returns whether it did. At most `most_bytes` are read in all.
bool search_memory(
    const Memory& memory, std::span<const MappedRange> ranges, size_t overlap, uint64_t most_bytes,
    const std::function<bool(uint64_t address, std::span<const uint8_t> piece)>& look);

// The aligned addresses of words with that value, at most `most` of them.
std::vector<uint64_t> find_word(const Memory& memory, std::span<const MappedRange> ranges,
                                uint64_t value, size_t most = 16);

}  // namespace gilscope
