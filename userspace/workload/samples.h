// Every latency that a run measured, in memory that its processes share. Each writer has a part of
// its own, so that writing is two stores. A sample that finds its part full is counted as lost.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "userspace/base/mapping.h"
#include "userspace/base/result.h"

namespace gilscope {

struct Sample {
  uint64_t sent_ns;  // CLOCK_MONOTONIC
  uint64_t latency_ns;
};

// Writes one measured thread's samples, in the order of their ends.
class SampleWriter {
 public:
  struct Fill {
    uint64_t count, lost;
  };

  SampleWriter() = default;  // keeps nothing
  SampleWriter(Fill& fill, std::span<Sample> room) : fill_(&fill), room_(room) {}

  void add(uint64_t sent_ns, uint64_t now_ns) const {
    if (fill_ == nullptr) return;
    if (fill_->count == room_.size()) {
      ++fill_->lost;
      return;
    }
    room_[fill_->count++] = {sent_ns, now_ns - sent_ns};
  }

 private:
  Fill* fill_ = nullptr;
  std::span<Sample> room_;
};

// A default-constructed book has no writers, and those that it hands out keep nothing.
class SampleBook {
 public:
  // Memory is used as samples come.
  static Result<SampleBook> make(size_t writers, size_t samples_each);

  size_t writers() const { return fills_.span().size(); }
  SampleWriter writer(size_t index) const;
  std::span<const Sample> samples(size_t writer) const;
  uint64_t lost() const;

 private:
  Mapping<SampleWriter::Fill> fills_;
  Mapping<Sample> room_;
  size_t each_ = 0;
};

}  // namespace gilscope
