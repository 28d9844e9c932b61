// Another program's memory, to be read at its addresses: a process's own, or bytes of a test.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace gilscope {

class Memory {
 public:
  virtual ~Memory() = default;

  // All of the bytes, or false. Addresses come from the other program: any may be wrong.
  virtual bool read(uint64_t address, void* into, size_t bytes) const = 0;

  template <typename T>
  std::optional<T> get(uint64_t address) const {
    T value{};
    if (!read(address, &value, sizeof value)) return std::nullopt;
    return value;
  }
};

}  // namespace gilscope
