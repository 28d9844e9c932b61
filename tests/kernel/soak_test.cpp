// The tracer at full rate for a long time (GILSCOPE_SOAK_SECONDS; `make soak`), under every
// adversity that a machine can offer: every invariant holds, and dropped records are counted
// exactly.
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <thread>

#include "tests/kernel/exact.h"
#include "tests/kernel/kernel_test.h"
#include "tests/unit/temporary_directory.h"
#include "userspace/base/fd.h"
#include "userspace/base/time.h"
#include "userspace/report/segment_file.h"

namespace gilscope {
namespace {

class Soak : public KernelTest {
 protected:
  static uint64_t seconds() {
    const char* asked = std::getenv("GILSCOPE_SOAK_SECONDS");
    return asked ? std::strtoull(asked, nullptr, 10) : 2;
  }

  // Run after run until the time is up. Each is exact, and each of its records reaches the sink or
  // is counted as dropped.
  void soak(
      const std::vector<Cell>& cells, useconds_t reader_sleeps,
      const std::function<void()>& before_a_run = [] {}) {
    const uint64_t end = monotonic_ns() + seconds() * 1'000'000'000;
    uint64_t wall_ns = 0;
    for (size_t i = 0; monotonic_ns() < end || i < cells.size(); ++i) {
      uint64_t received = 0;
      before_a_run();
      ++begun_;
      auto traced = run(cells[i % cells.size()],
                        {.traced = true, .sink = [&](std::span<const gilscope_segment> some) {
                           received += some.size();
                           if (reader_sleeps) ::usleep(reader_sleeps);
                           return file_ ? file_->write(some) : Status();
                         }});
      ASSERT_TRUE(traced);
      expect_exact(*traced);
      ASSERT_FALSE(HasFailure()) << "run " << i;
      EXPECT_EQ(received, traced->segment_records);
      segments_ += traced->segment_records + traced->lost->segments;
      dropped_ += traced->lost->segments;
      wall_ns += traced->wall_ns;
      runs_ += 1;
    }
    RecordProperty("segments", std::to_string(segments_));
    RecordProperty("dropped", std::to_string(dropped_));
    const double wall_s = double(wall_ns) / 1e9;
    std::printf("%zu runs, %lu segments in %.0f s (%.2f million a second), %lu dropped\n", runs_,
                segments_, wall_s, double(segments_) / wall_s / 1e6, dropped_);
  }

  SegmentWriter* file_ = nullptr;    // receives the records, if set
  std::atomic<uint64_t> begun_ = 0;  // runs started
  size_t runs_ = 0;
  uint64_t segments_ = 0, dropped_ = 0;
};

// As many segments as the CPUs can make, written to disk as by `gilscope run --out`: two threads
// per CPU that yield to each other.
TEST_F(Soak, LosesNothingAtFullRate) {
  const int threads = 2 * static_cast<int>(all_cpus().size());
  load({.max_threads = static_cast<uint32_t>(threads) + 1});
  const TemporaryDirectory directory;
  const Fd in(::open(directory.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  auto file = SegmentWriter::create(in.get(), "segments", {});
  ASSERT_TRUE(file) << file.error().message;
  file_ = &*file;
  soak({make_cell("none", fmt::format("yield:seconds={}", seconds()), threads, all_cpus())}, 0);
  EXPECT_TRUE(file->finish());
  EXPECT_EQ(dropped_, 0u);
}

// Two threads that only wake each other on one CPU.
TEST_F(Soak, LosesNoWakeup) {
  load({.max_threads = 3});
  soak({make_cell("none", fmt::format("ping-pong:seconds={}", seconds()), 2, {all_cpus().front()})},
       0);
  EXPECT_EQ(dropped_, 0u);
}

TEST_F(Soak, ThreadsThatComeAndGo) {
  load({.max_threads = 129});
  soak({make_cell("fifo:1", "count:n=300", 128, all_cpus()),
        make_cell("check-interval:100,yield", "count:n=2k", 64, all_cpus()),
        make_cell("none", "ping-pong:seconds=100ms", 128, all_cpus())},
       0);
}

TEST_F(Soak, ASlowReader) {
  load({.max_threads = 9, .records_bytes = 16 << 10});
  soak({make_cell("none", "ping-pong:seconds=500ms", 8, all_cpus())}, 2000);
  EXPECT_GT(dropped_, 0u);
}

// A CPU that goes offline while threads are on it, and comes back, if the machine allows it.
TEST_F(Soak, ACpuThatGoesOffline) {
  const int last = all_cpus().back();
  const std::string path = fmt::format("/sys/devices/system/cpu/cpu{}/online", last);
  const Fd online(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (last == 0 || !online) GTEST_SKIP() << "no CPU here can go offline";
  const auto set = [&online](const char* to) { return ::pwrite(online.get(), to, 1, 0) == 1; };
  load({.max_threads = 9});
  std::atomic<bool> over = false;
  std::atomic<uint64_t> times = 0, seen = 0;
  // Takes the CPU offline for a moment in the middle of each run.
  std::thread switcher([&] {
    while (!over) {
      ::usleep(10'000);
      if (begun_ == seen) continue;
      ::usleep(200'000);
      times += set("0");
      ::usleep(100'000);
      EXPECT_TRUE(set("1"));
      seen = begun_.load();
    }
  });
  // A run is refused an offline CPU, so each begins when the CPU is back.
  const auto wait_for_the_cpu = [&] {
    while (begun_ != seen) ::usleep(10'000);
  };
  soak({make_cell("none", "ping-pong:seconds=500ms", 8, all_cpus()),
        make_cell("check-interval:100,yield", "count:n=5M", 4, all_cpus())},
       0, wait_for_the_cpu);
  over = true;
  switcher.join();
  EXPECT_GT(times, 0u);
}

}  // namespace
}  // namespace gilscope
