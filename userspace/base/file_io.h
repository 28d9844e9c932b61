// Reads and writes that continue after short counts. An error's message is `failure` ("cannot write
// 'x'") followed by errno's text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "userspace/base/result.h"

namespace gilscope {

Status write_all(int file, std::string_view bytes, const std::string& failure);

// Reads from `offset` until it has `bytes` or the file ends; returns how many bytes it read.
Result<size_t> read_at(int file, uint64_t offset, void* into, size_t bytes,
                       const std::string& failure);

// Reads to the end of a file or pipe. More than `max_bytes` fails with Exit::no_data and the
// message `too_large`.
Result<std::string> read_to_end(int file, size_t max_bytes, const std::string& failure,
                                const std::string& too_large);

// Copies the next `bytes` of `from` to `to`, each at its current offset, inside the kernel where
// the file system supports that. Returns how many bytes there were before `from` ended.
Result<uint64_t> copy_bytes(int from, int to, uint64_t bytes, const std::string& failure);

// Compares two files from their beginnings to their ends.
Result<bool> same_contents(int one, int other, const std::string& failure);

}  // namespace gilscope
