// Owns a memory mapping of `count` objects of type T.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <span>
#include <utility>

#include "userspace/base/refusal.h"
#include "userspace/base/result.h"

namespace gilscope {

template <typename T>
class Mapping {
 public:
  Mapping() = default;
  Mapping(Mapping&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), count_(std::exchange(other.count_, 0)) {}
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
    return *this;
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    if (data_) ::munmap(data_, count_ * sizeof(T));
  }

  // Zeroed memory that a forked worker shares with its parent.
  static Result<Mapping> shared_anonymous(size_t count) {
    return make(count, MAP_SHARED | MAP_ANONYMOUS, -1);
  }

  // The same, without reserving it: pages are allocated as they are touched, which may fail then.
  static Result<Mapping> shared_reserve(size_t count) {
    return make(count, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1);
  }

  // A file, or a BPF array map made with BPF_F_MMAPABLE.
  static Result<Mapping> of_fd(int fd, size_t count) { return make(count, MAP_SHARED, fd); }

  T* data() const { return data_; }
  std::span<T> span() const { return {data_, count_}; }
  T& operator[](size_t index) const { return data_[index]; }

 private:
  static Result<Mapping> make(size_t count, int flags, int fd) {
    void* memory = ::mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE, flags, fd, 0);
    if (memory == MAP_FAILED) {
      return refused(fmt::format("cannot map {} bytes", count * sizeof(T)));
    }
    Mapping mapping;
    mapping.data_ = static_cast<T*>(memory);
    mapping.count_ = count;
    return mapping;
  }

  T* data_ = nullptr;
  size_t count_ = 0;
};

}  // namespace gilscope
