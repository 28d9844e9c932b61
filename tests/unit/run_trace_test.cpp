// Reading a run's segments back: segments of another run, or damaged ones, are refused; the run's
// own come in order of time, however many there are.
#include "tools/trace/run_trace.h"

#include <gmock/gmock.h>

#include <random>

#include "tests/unit/sample_trace.h"
#include "tools/trace/moments.h"
#include "tools/trace/thread_order.h"

namespace gilscope {
namespace {

using sample::SegmentOf;
using sample::Traced;
using testing::HasSubstr;

std::vector<gilscope_segment> two_segments() {
  return sample::segments({{.thread = 1, .ready_ns = 10, .run_ns = 20, .end_ns = 30},
                           {.thread = 2, .ready_ns = 15, .run_ns = 25, .end_ns = 40}});
}

// Any error of opening and reading; empty if there is none.
std::string trouble(const Traced& traced) {
  auto directory = TraceDirectory::of(traced.path());
  if (!directory) return directory.error().message;
  const Cell& cell = traced.report.cells[0];
  auto trace = RunTrace::open(*directory, traced.report, cell, cell.runs[0]);
  if (!trace) {
    return trace.error().message;
  }
  Status status = each_moment(*trace, [](const Moment&) {});
  return status ? "" : status.error().message;
}

TEST(RunTraceTest, ReadsItsOwn) {
  EXPECT_EQ(trouble(Traced(two_segments())), "");
  EXPECT_EQ(trouble(Traced({})), "") << "zero segments are valid";
}

TEST(RunTraceTest, RefusesWhatIsNotItsOwn) {
  Traced traced(two_segments());
  traced.header.cell = 1;
  traced.write();
  EXPECT_THAT(trouble(traced), HasSubstr("is of cell 1, block 4; the report names it for cell 0"));
  traced.header = {.block = 5};
  traced.write();
  EXPECT_THAT(trouble(traced), HasSubstr("block 5"));
  traced.header = {.block = 4};
  traced.write();
  EXPECT_EQ(trouble(traced), "");
  traced.report.id.back() = '7';
  EXPECT_THAT(trouble(traced), HasSubstr("belongs to the report"));
}

TEST(RunTraceTest, RefusesAnotherNumberOfRecords) {
  Traced traced(two_segments());
  traced.run().segment_records = 3;
  EXPECT_THAT(trouble(traced), HasSubstr("holds 2 records, but the report says 3"));
}

TEST(RunTraceTest, FollowsNoNameOutOfTheReportsDirectory) {
  Traced traced(two_segments());
  for (const char* name : {"/etc/passwd", "../run.bin", "segments/../../x", "segments/.."}) {
    traced.run().segments_file = name;
    EXPECT_THAT(trouble(traced), HasSubstr("not beside it")) << name;
  }
  std::filesystem::create_symlink(traced.directory / "segments/run.bin",
                                  traced.directory / "segments/link.bin");
  traced.run().segments_file = "segments/link.bin";
  EXPECT_THAT(trouble(traced), HasSubstr("cannot open"));
}

TEST(RunTraceTest, SaysThatThereAreNone) {
  Traced traced(two_segments());
  traced.run().segments_file = "";
  EXPECT_THAT(trouble(traced), HasSubstr("--trace full"));
  traced.run().segments_file = "segments/gone.bin";
  auto directory = TraceDirectory::of(traced.directory.path());
  ASSERT_TRUE(directory);
  EXPECT_FALSE(directory->has("segments/gone.bin"));
  EXPECT_TRUE(directory->has("segments/run.bin"));
  EXPECT_FALSE(directory->has("../segments/run.bin"));
}

TEST(RunTraceTest, RefusesRecordsThatCannotBe) {
  const auto with = [](auto change) {
    auto segments = two_segments();
    change(segments[1]);
    return trouble(Traced(segments));
  };
  EXPECT_THAT(with([](auto& s) { s.thread = 3; }),
              HasSubstr("record 1 is damaged: it is of thread 3"));
  EXPECT_THAT(with([](auto& s) { s.thread = UINT32_MAX; }), HasSubstr("of thread 4294967295"));
  EXPECT_THAT(with([](auto& s) { s.began = 3; }), HasSubstr("beginning 3"));
  EXPECT_THAT(with([](auto& s) { s.ended = 5; }), HasSubstr("end 5"));
  EXPECT_THAT(with([](auto& s) { s.gil_state = 3; }), HasSubstr("GIL state 3"));
  EXPECT_THAT(with([](auto& s) { s.end_ns = 24; }), HasSubstr("ended at 24"));
  EXPECT_THAT(with([](auto& s) { s.ready_ns = 26; }), HasSubstr("ready at 26"));
  EXPECT_THAT(with([](auto& s) { s.thread = 1, s.run_ns = s.end_ns = 29; }),
              HasSubstr("ended before its thread's previous record"));
}

// A synthetic run: threads that sleep and run at random.
std::vector<gilscope_segment> many_segments(size_t threads, size_t count) {
  std::mt19937_64 random(7);
  std::vector<uint64_t> end_ns(threads, 1000);
  std::vector<gilscope_segment> segments;
  for (size_t i = 0; i < count; ++i) {
    const auto thread = static_cast<uint32_t>(random() % threads);
    SegmentOf of{.thread = thread, .ready_ns = 0, .run_ns = 0, .end_ns = 0};
    of.ready_ns = end_ns[thread] + random() % 1000;
    of.run_ns = of.ready_ns + random() % 100;
    of.end_ns = end_ns[thread] = of.run_ns + random() % 2000;
    of.acquires = static_cast<uint32_t>(i);
    segments.push_back(sample::segment(of));
  }
  // In the order in which the reader delivers them.
  std::ranges::stable_sort(segments, {}, &gilscope_segment::end_ns);
  return segments;
}

TEST(ThreadOrderTest, IsTheSameInMemoryAndOnDisk) {
  const Traced traced(many_segments(9, 5000), 9);
  auto directory = TraceDirectory::of(traced.path());
  ASSERT_TRUE(directory);
  const Cell& cell = traced.report.cells[0];
  auto trace = RunTrace::open(*directory, traced.report, cell, cell.runs[0]);
  ASSERT_TRUE(trace) << trace.error().message;
  for (const uint64_t in_memory : {0, 4999, 5000}) {
    auto order = ThreadOrder::of(*trace, in_memory);
    ASSERT_TRUE(order) << order.error().message;
    ASSERT_EQ(order->threads(), 9u);
    for (uint32_t thread = 0; thread < 9; ++thread) {
      std::vector<uint32_t> expected, read;
      for (const gilscope_segment& s : traced.segments) {
        if (s.thread == thread) expected.push_back(s.acquires);
      }
      std::vector<gilscope_segment> piece(7);
      for (;;) {
        auto got = order->read(thread, read.size(), piece);
        ASSERT_TRUE(got);
        if (got->empty()) break;
        for (const gilscope_segment& s : *got) read.push_back(s.acquires);
      }
      EXPECT_EQ(read, expected) << "thread " << thread << ", in memory up to " << in_memory;
    }
  }
}

TEST(Moments, AreAllThereAndInTheOrderOfTime) {
  const auto segments = many_segments(9, 5000);
  uint64_t last_ns = 0;
  std::map<Moment::Kind, size_t> count;
  std::vector<Moment::Kind> of_thread(9, Moment::Kind::ended);
  each_moment(segments, [&](const Moment& moment) {
    EXPECT_LE(last_ns, moment.ns);
    last_ns = moment.ns;
    count[moment.kind] += 1;
    // ready, ran, ended, and so on
    const Moment::Kind last = std::exchange(of_thread[moment.thread()], moment.kind);
    EXPECT_EQ(moment.kind, last == Moment::Kind::ended   ? Moment::Kind::ready
                           : last == Moment::Kind::ready ? Moment::Kind::ran
                                                         : Moment::Kind::ended);
  });
  EXPECT_EQ(count[Moment::Kind::ready], 5000u);
  EXPECT_EQ(count[Moment::Kind::ran], 5000u);
  EXPECT_EQ(count[Moment::Kind::ended], 5000u);
}

TEST(Moments, KnowWhatWasBefore) {
  const auto segments = sample::segments({
      {.thread = 0,
       .ready_ns = 0,
       .run_ns = 10,
       .end_ns = 20,
       .began = GILSCOPE_BEGAN_ENTERED,
       .ended = GILSCOPE_ENDED_BLOCKED_GIL,
       .gil_state = GILSCOPE_WAITING},
      {.thread = 0, .ready_ns = 19, .run_ns = 30, .end_ns = 40},
  });
  std::vector<std::string> seen;
  each_moment(segments, [&](const Moment& m) {
    seen.push_back(
        fmt::format("{} {} {} {}", m.ns, static_cast<int>(m.kind), m.gil_before, m.last_end_ns));
  });
  // It was woken while going to sleep; here, its waking does not come before its end.
  EXPECT_EQ(seen, (std::vector<std::string>{"10 2 0 0", "20 0 0 0", "20 1 1 20", "30 2 1 20",
                                            "40 0 1 20"}));
}

}  // namespace
}  // namespace gilscope
