// file:background=1,seconds=2[,size=4k][,dir=/var/tmp][,task=count]: each measured thread writes
// `size` bytes to a file of its own and syncs it, the GIL released for each of the two calls. The
// file has no name and is gone with the run.
#include <fcntl.h>

#include "userspace/base/fd.h"
#include "userspace/base/quote.h"
#include "userspace/eval/programs.h"
#include "userspace/workload/timed.h"

namespace gilscope {
namespace {

class File : public TimedWorkload {
 public:
  explicit File(const Parameters& parameters)
      : TimedWorkload(parameters),
        size_(parameters.number("size")),
        directory_(parameters.word("dir")) {}

  bool takes_samples() const override { return true; }

  Status prepare(size_t threads) override {
    files_.clear();
    for (size_t i = 0; i < threads; ++i) {
      files_.emplace_back(
          ::open(directory_.c_str(), O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600));
      if (!files_.back()) {
        return fail_errno(
            fmt::format("workload file: cannot make a file in {} (dir= names another directory)",
                        in_quotes(directory_)));
      }
    }
    return {};
  }

  std::vector<int> worker_descriptors() const override { return server_descriptors(); }
  std::vector<int> server_descriptors() const override {
    std::vector<int> files;
    for (const Fd& file : files_) files.push_back(file.get());
    return files;
  }

  Status run(const WorkThread& thread) override {
    // The thread overwrites these places in turn: the disk's speed matters, its size does not.
    constexpr uint64_t kPlaces = 64;
    const int file = files_[thread.index].get();
    const std::vector<char> data(size_, 'x');
    const uint64_t end = end_ns();
    Status status;
    const auto released = [&thread](auto call) {
      AllowThreads allow(thread.interpreter.gil(), thread.interpreter.thread());
      const auto result = call();
      return std::pair(result, errno);
    };
    const auto write_and_sync = [&]() -> int64_t {
      const uint64_t start = monotonic_ns();
      const auto place = static_cast<off_t>(thread.operations % kPlaces * size_);
      auto [written, write_error] =
          released([&] { return ::pwrite(file, data.data(), size_, place); });
      if (written != static_cast<ssize_t>(size_)) {
        // Only a part was written; writing the rest tells why.
        if (written >= 0) {
          const size_t rest = size_ - static_cast<size_t>(written);
          const ssize_t more = ::pwrite(file, data.data(), rest, place + written);
          write_error = more < 0 ? errno : EIO;
        }
        status = fail_errno(fmt::format("workload file: cannot write {} bytes into {}", size_,
                                        in_quotes(directory_)),
                            write_error);
        return 0;
      }
      auto [synced, sync_error] = released([&] { return ::fsync(file); });
      if (synced != 0) {
        status = fail_errno(
            fmt::format("workload file: fsync of a file in {}", in_quotes(directory_)), sync_error);
        return 0;
      }
      thread.samples.add(start, monotonic_ns());
      thread.count_operation();
      return 1;
    };
    const auto more = [&]() -> int64_t { return status && monotonic_ns() < end ? 1 : 0; };
    thread.interpreter.run(serving_loop(more, write_and_sync), {});
    return status;
  }

 private:
  const size_t size_;
  const std::string directory_;
  std::vector<Fd> files_;
};

}  // namespace

std::unique_ptr<Workload> make_file(const Parameters& parameters) {
  return std::make_unique<File>(parameters);
}

}  // namespace gilscope
