#include "userspace/workload/io.h"

#include <fcntl.h>
#include <sys/socket.h>

#include "userspace/eval/programs.h"
#include "userspace/util/quote.h"
#include "userspace/workload/sockets.h"
#include "userspace/workload/timed.h"

namespace gilscope {
namespace {

// What both share.
class InputOutput : public TimedWorkload {
 public:
  bool takes_samples() const override { return true; }

 protected:
  using TimedWorkload::TimedWorkload;

  static Parameter seconds_parameter() { return TimedWorkload::seconds_parameter(2'000'000'000); }
};

class File : public InputOutput {
 public:
  explicit File(const Parameters& parameters)
      : InputOutput(parameters),
        size_(parameters.number("size")),
        directory_(parameters.word("dir")) {}

  static std::vector<Parameter> parameters() {
    return {seconds_parameter(), count_parameter("size", 4'096, 1, 1 << 26),
            path_parameter("dir", "/var/tmp")};
  }

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

  std::vector<int> worker_descriptors() const override {
    std::vector<int> kept;
    for (const Fd& file : files_) kept.push_back(file.get());
    return kept;
  }

  Status run(const WorkThread& thread) override {
    // Written over and over: the disk's speed matters, its size does not.
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
        // A part was taken: the rest says why not all was.
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
      thread.did_one();
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

class Convoy : public InputOutput {
 public:
  explicit Convoy(const Parameters& parameters)
      : InputOutput(parameters), burst_(static_cast<int64_t>(parameters.number("burst"))) {}

  static std::vector<Parameter> parameters() {
    return {count_parameter("burst", 100, 0, INT64_MAX, true), seconds_parameter()};
  }

  Status prepare(size_t threads) override {
    auto connections = connect_udp(threads, 0);
    if (!connections) return fail(connections.error());
    connections_ = std::move(*connections);
    return {};
  }

  std::vector<int> worker_descriptors() const override {
    std::vector<int> kept;
    for (const Connection& connection : connections_) {
      kept.push_back(connection.server.get());
      kept.push_back(connection.client.get());
    }
    return kept;
  }

  Status run(const WorkThread& thread) override {
    const Connection& connection = connections_[thread.index];
    const uint64_t end = end_ns();
    Status status;
    bool first = true;
    const auto exchange = [&]() -> int64_t {
      if (first) {
        first = false;
        return 1;
      }
      const uint64_t start = monotonic_ns();
      char byte = 'x';
      ssize_t sent, got;
      int error = 0;
      {
        AllowThreads allow(thread.interpreter.gil(), thread.interpreter.thread());
        sent = ::send(connection.client.get(), &byte, 1, MSG_NOSIGNAL);
        if (sent < 0) error = errno;
      }
      if (sent == 1) {
        AllowThreads allow(thread.interpreter.gil(), thread.interpreter.thread());
        got = ::recv(connection.server.get(), &byte, 1, 0);
        if (got < 0) error = errno;
      }
      if (error != 0) {
        status = fail_errno("workload convoy: cannot send to itself over loopback", error);
        return 0;
      }
      const uint64_t now = monotonic_ns();
      thread.samples.add(start, now);
      thread.did_one();
      return now < end ? 1 : 0;
    };
    thread.interpreter.run(bursting_loop(exchange), {&burst_, 1});
    return status;
  }

 private:
  const int64_t burst_;
  std::vector<Connection> connections_;
};

}  // namespace

std::vector<Parameter> file_parameters() {
  return File::parameters();
}
std::unique_ptr<Workload> make_file(const Parameters& parameters) {
  return std::make_unique<File>(parameters);
}

std::vector<Parameter> convoy_parameters() {
  return Convoy::parameters();
}
std::unique_ptr<Workload> make_convoy(const Parameters& parameters) {
  return std::make_unique<Convoy>(parameters);
}

}  // namespace gilscope
