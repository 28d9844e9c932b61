// The tables of `show` that come from segments.
#include "tools/text/trace_tables.h"

#include <gmock/gmock.h>

#include <sstream>

#include <nlohmann/json.hpp>
#include "tests/unit/sample_trace.h"

#include "tools/json/summary_json.h"
#include "tools/trace/report_findings.h"

namespace gilscope {
namespace {

using sample::Traced;
using testing::HasSubstr;
using testing::Not;

std::vector<gilscope_segment> handed_over(uint32_t threads) {
  std::vector<sample::SegmentOf> all;
  uint64_t ns = 1000;
  for (uint32_t thread = 1; thread < threads; ++thread) {
    all.push_back({.thread = thread,
                   .ready_ns = 0,
                   .run_ns = ns,
                   .end_ns = ns + 100'000,
                   .began = GILSCOPE_BEGAN_ENTERED,
                   .ended = GILSCOPE_ENDED_BLOCKED_GIL,
                   .gil_state = GILSCOPE_WAITING});
  }
  // Each thread wakes the next on the other CPU, and the wakeup takes 50 us.
  for (uint32_t thread = 1; thread < threads; ++thread) {
    ns += 300'000;
    all.push_back({.thread = thread,
                   .ready_ns = ns,
                   .run_ns = ns + 50'000,
                   .end_ns = ns + 200'000,
                   .ended = GILSCOPE_ENDED_LEFT,
                   .acquires = 1,
                   .waker = thread - 1,
                   .cpu = 1});
  }
  return sample::segments(all);
}

std::string shown(const Traced& traced, std::optional<Per> per = {}, int width = 100) {
  auto findings = report_findings(traced.path(), traced.report);
  EXPECT_TRUE(findings) << findings.error().message;
  std::ostringstream out;
  print_text_report(
      out, traced.report,
      {.color = false, .width = width, .per = per, .all = !per.has_value(), .report = {}},
      *findings);
  return out.str();
}

size_t widest(const std::string& text) {
  std::istringstream in(text);
  size_t widest = 0;
  for (std::string line; std::getline(in, line);) widest = std::max(widest, line.size());
  return widest;
}

TEST(TextTrace, ShowsHowTheGilsTimeWent) {
  const Traced traced(handed_over(4), 4);
  const std::string text = shown(traced);
  EXPECT_THAT(text, HasSubstr("\nTHE GIL  "));
  EXPECT_THAT(text, HasSubstr("50.0 us")) << "hand-off, p50";
  EXPECT_THAT(text, HasSubstr("150 us")) << "three wakeups of 50 us in a chain";
  EXPECT_THAT(text, Not(HasSubstr("holes")));
}

TEST(TextTrace, FitsTheTerminal) {
  const Traced traced(handed_over(4), 4);
  for (const int width : {80, 120}) {
    for (const auto per : {std::optional<Per>(), std::optional(Per::cpu),
                           std::optional(Per::thread), std::optional(Per::block)}) {
      EXPECT_LE(widest(shown(traced, per, width)), size_t(width));
    }
  }
}

TEST(TextTrace, ShowsWhoWokeWhomAndWhereThreadsWent) {
  const Traced traced(handed_over(4), 4);
  const std::string threads = shown(traced, Per::thread), cpus = shown(traced, Per::cpu);
  EXPECT_THAT(threads, HasSubstr("WHO WOKE WHOM"));
  EXPECT_THAT(threads, HasSubstr("by Thread-1             .         .         1"));
  EXPECT_THAT(threads, HasSubstr("by MainThread"));
  EXPECT_THAT(cpus, HasSubstr("MIGRATIONS"));
  EXPECT_THAT(cpus, HasSubstr("from 0     .     3"));
}

TEST(TextTrace, ListsTheLargestWhereAMatrixWouldBeTooWide) {
  const Traced traced(handed_over(30), 30);
  const std::string text = shown(traced, Per::thread);
  EXPECT_THAT(text, HasSubstr("by Thread-1 Thread-2"));
  EXPECT_THAT(text, HasSubstr("and 9 pairs more"));
}

TEST(TextTrace, SaysWhatIsMissing) {
  Traced traced(handed_over(4), 4);
  traced.run().lost->segments = 5;
  EXPECT_THAT(shown(traced), HasSubstr("What comes from segments has holes: 5 records dropped."));
  std::filesystem::remove_all(traced.directory / "segments");
  const std::string text = shown(traced);
  EXPECT_THAT(text,
              HasSubstr("The segments of 1 run are not beside the report: what comes from them is "
                        "missing here."));
  EXPECT_THAT(text, Not(HasSubstr("\nTHE GIL  ")));
}

TEST(TextTrace, IsInTheJsonToo) {
  const Traced traced(handed_over(4), 4);
  auto findings = report_findings(traced.path(), traced.report);
  ASSERT_TRUE(findings);
  const auto json = nlohmann::json::parse(summary_json(traced.report, *findings));
  const auto& cell = json["cells"][0]["segments"];
  EXPECT_EQ(cell["gil"]["handoffs"], 2);
  EXPECT_EQ(cell["gil"]["handoff"]["max_ns"], 50'000);
  EXPECT_EQ(cell["gil"]["held_ns"].get<uint64_t>() + cell["gil"]["free_ns"].get<uint64_t>(),
            cell["span_ns"]);
  EXPECT_EQ(cell["each_run"][0]["block"], 4);
  EXPECT_EQ(cell["wakers"][1][2], 1);
  EXPECT_EQ(cell["migrations"][0]["migrations"], 3);
}

}  // namespace
}  // namespace gilscope
