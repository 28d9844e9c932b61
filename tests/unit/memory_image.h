// Memory of another program that is made by a test: bytes at an address.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "userspace/subject/memory.h"

namespace gilscope {

class MemoryImage : public Memory {
 public:
  MemoryImage(uint64_t start, size_t bytes) : start_(start), bytes_(bytes) {}

  bool read(uint64_t address, void* into, size_t bytes) const override {
    if (address < start_ || bytes > bytes_.size() || address - start_ > bytes_.size() - bytes) {
      return false;
    }
    std::memcpy(into, bytes_.data() + (address - start_), bytes);
    return true;
  }
  template <typename T>
  void put(uint64_t address, T value) {
    std::memcpy(&bytes_.at(address - start_ + sizeof value - 1) - (sizeof value - 1), &value,
                sizeof value);
  }
  std::vector<uint8_t>& bytes() { return bytes_; }
  uint64_t start() const { return start_; }

 private:
  uint64_t start_;
  std::vector<uint8_t> bytes_;
};

}  // namespace gilscope
