// The wait matrices of real runs: whatever the policy, and however many records are missing, the
// matrix shares out each thread's waiting without a rest.
#include <unistd.h>

#include "tests/every_policy.h"
#include "tests/kernel/kernel_test.h"
#include "tools/trace/wait_account.h"

namespace gilscope {
namespace {

constexpr int kThreads = 3;

// The lengths of waiting within the window, by the spans alone.
struct Waits : GilSpansReader {
  explicit Waits(Window window) : window(window) {}
  void span(const GilSpan& s) override {
    if (s.kind == GilSpan::Kind::waiting) ns[s.thread] += window.length_ns(s.from_ns, s.to_ns);
  }
  Window window;
  std::array<uint64_t, kThreads + 1> ns{};
};

class WaitMatrices : public KernelTest {
 protected:
  void run_and_compare(const Cell& cell, useconds_t reader_sleeps) {
    SCOPED_TRACE(cell.policy);
    std::vector<gilscope_segment> segments;
    const auto traced =
        run(cell, {.traced = true, .sink = [&](std::span<const gilscope_segment> some) {
                     segments.insert(segments.end(), some.begin(), some.end());
                     if (reader_sleeps) usleep(reader_sleeps);
                     return Status();
                   }});
    ASSERT_TRUE(traced);
    dropped_ += traced->lost->segments;
    std::vector<uint32_t> tids;
    for (const Thread& thread : traced->threads) tids.push_back(thread.trace->tid);
    ASSERT_EQ(tids.size(), size_t(kThreads) + 1);

    Window window{*traced->opened_ns, *traced->opened_ns + *traced->window_ns};
    Waits waits(window);
    WaitAccount account(tids, has_one_owner(cell), waits, false, window, release_wakes(cell));
    WaitMatrix asked;
    size_t moments = 0;
    each_moment(segments, [&](const Moment& moment) {
      account.visit(moment);
      if (++moments % 100 == 0) asked += account.since_asked();
    });
    account.finish(window.to_ns);
    asked += account.since_asked();
    const WaitMatrix matrix = account.so_far();
    EXPECT_EQ(asked, matrix);
    ASSERT_EQ(matrix.threads(), has_one_owner(cell) ? tids.size() : 0);
    for (size_t thread = 0; thread < matrix.threads(); ++thread) {
      EXPECT_EQ(matrix.waited_ns(thread), waits.ns[thread]) << thread;
      EXPECT_LE(matrix.waited_ns(thread), *traced->window_ns) << thread;
    }
    waited_ns_ += matrix.waited_ns();
  }

  uint64_t dropped_ = 0, waited_ns_ = 0;
};

TEST_F(WaitMatrices, ShareOutAllWaitingUnderEveryPolicy) {
  load({.max_threads = kThreads + 1, .records_bytes = 16 << 20});
  for (const std::string& policy : every_policy({.opcodes = 1000, .ns = 5'000'000})) {
    run_and_compare(make_cell(policy, "count:n=100k", kThreads, all_cpus()), 0);
  }
  EXPECT_EQ(dropped_, 0u) << "the buffers were large enough";
  EXPECT_GT(waited_ns_, 0u);
}

TEST_F(WaitMatrices, ShareOutWhatIsLeftWhereRecordsWereDropped) {
  load({.max_threads = kThreads + 1, .records_bytes = 4096});
  // Threads that cannot keep the GIL for long, so that there are many more segments than room.
  run_and_compare(make_cell("check-interval:100,yield", "count:n=500k", kThreads, all_cpus()),
                  1000);
  EXPECT_GT(dropped_, 0u);
}

}  // namespace
}  // namespace gilscope
