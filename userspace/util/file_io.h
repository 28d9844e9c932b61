// Reading and writing that goes on where the kernel hands over less than was asked for. `failure`
// is what an error says before errno's own words: "cannot write 'x'".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "userspace/util/result.h"

namespace gilscope {

Status write_all(int file, std::string_view bytes, const std::string& failure);

// From `offset` on, until `bytes` are there or the file ends; says how many there were.
Result<size_t> read_at(int file, uint64_t offset, void* into, size_t bytes,
                       const std::string& failure);

// To the end, be it a pipe's. More than `max_bytes` fails with Exit::no_data and the words of
// `too_large`.
Result<std::string> read_to_end(int file, size_t max_bytes, const std::string& failure,
                                const std::string& too_large);

// The next `bytes` of `from`, from where it stands, to where `to` stands, without a buffer here
// where the file system can do it itself. Says how many there were before `from` ended.
Result<uint64_t> copy_bytes(int from, int to, uint64_t bytes, const std::string& failure);

// Whether two files hold the same, from their beginnings to their ends.
Result<bool> same_contents(int one, int other, const std::string& failure);

}  // namespace gilscope
