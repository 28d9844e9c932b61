#include "userspace/subject/debug_offsets.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace gilscope {
namespace {

constexpr size_t kWords = 40;
constexpr uint64_t kLargest = 1 << 24;  // of an interpreter's state, which is some 400 KB

// Takes the table's values in their order.
class Values {
 public:
  explicit Values(const std::array<uint64_t, kWords>& words) : words_(words) {}
  uint64_t next() { return words_[at_++]; }
  void skip(size_t count) { at_ += count; }

 private:
  const std::array<uint64_t, kWords>& words_;
  size_t at_ = 0;
};

}  // namespace

// Include/internal/pycore_runtime.h (3.13), pycore_debug_offsets.h (3.14, 3.15).
std::optional<DebugOffsets> read_debug_offsets(const Memory& memory, uint64_t runtime) {
  std::array<uint64_t, kWords> words;
  if (!memory.read(runtime, words.data(), sizeof words)) return std::nullopt;
  if (std::memcmp(words.data(), kDebugCookie, 8) != 0) return std::nullopt;
  Values values(words);
  DebugOffsets offsets;
  values.skip(1);
  const uint64_t version = values.next();  // PY_VERSION_HEX: 0x030d00f0
  offsets.major = static_cast<int>(version >> 24);
  offsets.minor = static_cast<int>(version >> 16 & 0xff);
  offsets.micro = static_cast<int>(version >> 8 & 0xff);
  if (offsets.major != 3 || offsets.minor < 13 || offsets.minor > 15) return std::nullopt;
  offsets.free_threaded = values.next() != 0;
  // The runtime.
  values.skip(2);  // size, finalizing
  offsets.interpreters_head = values.next();
  // An interpreter.
  offsets.interpreter_bytes = values.next();
  offsets.id = values.next();
  offsets.next = values.next();
  offsets.threads_head = values.next();
  if (offsets.minor >= 14) values.skip(1);  // threads_main
  values.skip(4);                           // gc, imports_modules, sysdict, builtins
  offsets.ceval_gil = values.next();
  const uint64_t own_gil = values.next();
  offsets.gil_enabled = values.next();
  values.skip(1);  // locked
  offsets.gil_holder = values.next() - own_gil;
  const bool in_bounds = std::ranges::all_of(
      std::array{offsets.interpreters_head, offsets.interpreter_bytes, offsets.id, offsets.next,
                 offsets.threads_head, offsets.ceval_gil, offsets.gil_enabled, offsets.gil_holder},
      [](uint64_t value) { return value <= kLargest; });
  // The interval, 8 bytes, is before the holder, and a free-threaded build's `enabled` before that.
  return in_bounds && offsets.gil_holder >= 8 && offsets.gil_holder <= 64 ? std::optional(offsets)
                                                                          : std::nullopt;
}

}  // namespace gilscope
