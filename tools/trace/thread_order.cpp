#include "tools/trace/thread_order.h"

#include <fcntl.h>

#include <algorithm>
#include <numeric>

namespace gilscope {
namespace {

constexpr size_t kAtOnce = 64;  // records of a thread that are written together
// Meant for large files, and unlike /tmp rarely in memory.
constexpr const char* kScratchDirectory = "/var/tmp";

Error scratch_failed(int error) {
  return {Exit::error, fmt::format("cannot use a scratch file in {}: {}", kScratchDirectory,
                                   std::strerror(error))};
}

}  // namespace

class ThreadOrder::Storage {
 public:
  Storage() = default;
  explicit Storage(std::vector<gilscope_segment> segments) : memory_(std::move(segments)) {}

  // Makes room for `records`.
  Status open(uint64_t records, uint64_t in_memory) {
    if (records <= in_memory) {
      memory_.resize(records);
      return {};
    }
    file_ = Fd(::open(kScratchDirectory, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600));
    return file_ ? Status() : fail(scratch_failed(errno));
  }

  Status put(uint64_t at, std::span<const gilscope_segment> segments) {
    if (!file_) {
      std::ranges::copy(segments, memory_.begin() + static_cast<ptrdiff_t>(at));
      return {};
    }
    auto* bytes = reinterpret_cast<const char*>(segments.data());
    return all(segments.size_bytes(), [&](size_t done, size_t left) {
      return ::pwrite(file_.get(), bytes + done, left, offset(at, done));
    });
  }

  Status get(uint64_t at, std::span<gilscope_segment> into) const {
    if (!file_) {
      std::copy_n(memory_.begin() + static_cast<ptrdiff_t>(at), into.size(), into.begin());
      return {};
    }
    auto* bytes = reinterpret_cast<char*>(into.data());
    return all(into.size_bytes(), [&](size_t done, size_t left) {
      return ::pread(file_.get(), bytes + done, left, offset(at, done));
    });
  }

 private:
  static off_t offset(uint64_t at, size_t done) {
    return static_cast<off_t>(at * sizeof(gilscope_segment) + done);
  }

  template <typename Move>
  static Status all(size_t bytes, Move move) {
    for (size_t done = 0; done < bytes;) {
      const ssize_t moved = move(done, bytes - done);
      if (moved < 0 && errno == EINTR) continue;
      if (moved <= 0) return fail(scratch_failed(moved < 0 ? errno : EIO));
      done += static_cast<size_t>(moved);
    }
    return {};
  }

  Fd file_;                               // for many records
  std::vector<gilscope_segment> memory_;  // for few
};

ThreadOrder::ThreadOrder() = default;
ThreadOrder::ThreadOrder(ThreadOrder&&) noexcept = default;
ThreadOrder& ThreadOrder::operator=(ThreadOrder&&) noexcept = default;
ThreadOrder::~ThreadOrder() = default;

namespace {

// Collects each thread's segments and writes them to their places in batches.
class Scatter {
 public:
  explicit Scatter(std::vector<uint64_t> begins)
      : next_(std::move(begins)), waiting_(next_.size()) {}

  template <typename Put>
  Status add(const gilscope_segment& segment, Put put) {
    std::vector<gilscope_segment>& waiting = waiting_[segment.thread];
    waiting.push_back(segment);
    return waiting.size() < kAtOnce ? Status() : flush(segment.thread, put);
  }

  template <typename Put>
  Status finish(Put put) {
    for (size_t thread = 0; thread < waiting_.size(); ++thread) {
      if (Status s = flush(thread, put); !s) return s;
    }
    return {};
  }

 private:
  template <typename Put>
  Status flush(size_t thread, Put put) {
    std::vector<gilscope_segment>& waiting = waiting_[thread];
    Status status = put(next_[thread], std::span<const gilscope_segment>(waiting));
    next_[thread] += waiting.size();
    waiting.clear();
    return status;
  }

  std::vector<uint64_t> next_;
  std::vector<std::vector<gilscope_segment>> waiting_;
};

}  // namespace

Result<ThreadOrder> ThreadOrder::of(const RunTrace& trace, uint64_t in_memory) {
  ThreadOrder order;
  order.counts_.resize(trace.run().threads.size());
  Status counted = trace.each([&](std::span<const gilscope_segment> segments) {
    for (const gilscope_segment& s : segments) order.counts_[s.thread] += 1;
    return Status();
  });
  if (!counted) return fail(counted.error());
  order.begins_.resize(order.counts_.size());
  std::exclusive_scan(order.counts_.begin(), order.counts_.end(), order.begins_.begin(),
                      uint64_t{0});

  order.storage_ = std::make_unique<Storage>();
  if (Status s = order.storage_->open(trace.records(), in_memory); !s) return fail(s.error());
  Scatter scatter(order.begins_);
  auto put = [&](uint64_t at, std::span<const gilscope_segment> segments) {
    return order.storage_->put(at, segments);
  };
  // Counts down, because the file may have changed since it was counted.
  std::vector<uint64_t> left = order.counts_;
  Status scattered = trace.each([&](std::span<const gilscope_segment> segments) -> Status {
    for (const gilscope_segment& s : segments) {
      if (left[s.thread]-- == 0) {
        return fail(Exit::no_data, trace.origin() + " changed while it was being read");
      }
      if (Status added = scatter.add(s, put); !added) return added;
    }
    return {};
  });
  if (!scattered) return fail(scattered.error());
  if (Status s = scatter.finish(put); !s) return fail(s.error());
  return order;
}

ThreadOrder ThreadOrder::of(std::span<const gilscope_segment> segments) {
  ThreadOrder order;
  std::vector<gilscope_segment> sorted(segments.begin(), segments.end());
  std::ranges::stable_sort(sorted, {}, &gilscope_segment::thread);
  if (!sorted.empty()) order.counts_.resize(size_t{sorted.back().thread} + 1);
  for (const gilscope_segment& s : sorted) order.counts_[s.thread] += 1;
  order.begins_.resize(order.counts_.size());
  std::exclusive_scan(order.counts_.begin(), order.counts_.end(), order.begins_.begin(),
                      uint64_t{0});
  order.storage_ = std::make_unique<Storage>(sorted);
  return order;
}

Result<std::span<gilscope_segment>> ThreadOrder::read(size_t thread, uint64_t first,
                                                      std::span<gilscope_segment> into) const {
  const uint64_t left = first < counts_[thread] ? counts_[thread] - first : 0;
  const auto wanted = into.first(static_cast<size_t>(std::min<uint64_t>(into.size(), left)));
  if (wanted.empty()) return wanted;
  if (Status s = storage_->get(begins_[thread] + first, wanted); !s) return fail(s.error());
  return wanted;
}

}  // namespace gilscope
