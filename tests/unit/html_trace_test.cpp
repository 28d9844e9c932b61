// The timelines of a page: the stretch shown, its contents, and the effect of bad segments.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "tests/unit/command.h"
#include "tests/unit/sample_report.h"
#include "tests/unit/temporary_directory.h"
#include "tools/cli/tools.h"
#include "tools/html/timeline.h"
#include "tools/html/windows.h"
#include "userspace/report/json.h"
#include "userspace/report/report_file.h"

namespace gilscope {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Segments = std::vector<gilscope_segment>;

constexpr uint64_t kMs = 1'000'000;
constexpr uint64_t kBegin = 1000 * kMs;

gilscope_segment segment(uint32_t thread, uint64_t run_us, uint64_t end_us, bool wasted) {
  gilscope_segment s{};
  s.thread = thread;
  s.run_ns = kBegin + run_us * 1000;
  s.ready_ns = s.run_ns - 500;
  s.end_ns = kBegin + end_us * 1000;
  s.previous_cpu = s.cpu = uint16_t(thread);
  s.waker_tid = 4001 - thread;
  s.waker_cpu = s.placed_cpu = uint16_t(thread);
  s.began = GILSCOPE_BEGAN_WOKEN;
  s.ended = GILSCOPE_ENDED_BLOCKED_GIL;
  s.gil_state = GILSCOPE_WAITING;
  s.acquires = wasted ? 0 : 3;
  return s;
}

// 200 ms of two threads; every wakeup between 120 and 140 ms is wasted.
Segments some_segments() {
  Segments all;
  for (uint64_t us = 0; us < 200'000; us += 1000) {
    const bool wasted = us >= 120'000 && us < 140'000;
    all.push_back(segment(0, us, us + 300, wasted));
    all.push_back(segment(1, us + 400, us + 900, wasted));
  }
  return all;
}

class HtmlTrace : public testing::Test {
 protected:
  HtmlTrace() : report(sample::report(2, 0)) {
    report.cells.erase(report.cells.begin(), report.cells.begin() + 3);
    report.cells.resize(1);
    for (gilscope::Run& run : report.cells[0].runs) {
      if (!run.traced()) run.segments_file.clear();
      run.samples_file.clear();
      run.segment_records = 0;
      if (!run.traced()) continue;
      run.segment_records = some_segments().size();
      run.threads[0].name = "<script>alert(1)</script>";
      save(run, some_segments());
    }
    save();
  }

  void save() { directory.write("report.json", to_json(report)); }
  void save(const gilscope::Run& run, const Segments& segments, int block = -1) {
    std::filesystem::create_directories(directory / "segments");
    std::filesystem::remove(directory / run.segments_file);
    const Fd at(::open(directory.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    SegmentFileHeader header;
    header.block = uint32_t(block < 0 ? run.block : block);
    std::copy(report.id.begin(), report.id.end(), header.report_id.begin());
    auto writer = SegmentWriter::create(at.get(), run.segments_file, header);
    ASSERT_TRUE(writer) << writer.error().message;
    ASSERT_TRUE(writer->write(segments));
    ASSERT_TRUE(writer->finish());
  }
  const gilscope::Run& traced(size_t n) const {
    for (const gilscope::Run& run : report.cells[0].runs) {
      if (run.traced() && n-- == 0) return run;
    }
    return report.cells[0].runs[0];
  }

  CellWindows windows() {
    const auto at = TraceDirectory::of(directory.path());
    auto result = cell_windows(*at, report, report.cells[0]);
    EXPECT_TRUE(result) << result.error().message;
    return result ? std::move(*result) : CellWindows();
  }

  Exit html(const std::string& out = "page.html") {
    const Outcome outcome =
        run_command(add_html, {"html", directory.path(), "-o", directory / out});
    error_ = outcome.err;
    return Exit(outcome.exit);
  }
  std::string refusal() {
    const Exit exit = html();
    std::string error = error_;
    EXPECT_EQ(exit, Exit::no_data) << error;
    // Leaves neither a page nor a part of one.
    for (const auto& file : std::filesystem::directory_iterator(directory.path())) {
      EXPECT_THAT(file.path().filename().string(), Not(HasSubstr("page"))) << error;
    }
    EXPECT_EQ(std::ranges::count(error, '\n'), 1) << error;
    return error;
  }
  std::string page() const {
    std::ifstream file(directory / "page.html", std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  TemporaryDirectory directory;
  Report report;
  std::string error_;  // the message of the last html()
};

TEST_F(HtmlTrace, ShowsTheFirstAndTheWorstStretch) {
  const CellWindows found = windows();
  ASSERT_TRUE(found.first && found.worst);
  EXPECT_EQ(found.first->from_ns, kBegin);
  EXPECT_EQ(found.first->to_ns, kBegin + kWindowNs);
  EXPECT_EQ(found.first->wasted_wakeups, 0U);
  // 50 of each thread, and the next one.
  EXPECT_EQ(found.first->segments(), 102U);
  // The earliest 50 ms that contain all 40 of them.
  EXPECT_EQ(found.worst->wasted_wakeups, 40U);
  EXPECT_LE(found.worst->from_ns, kBegin + 120 * kMs);
  EXPECT_GE(found.worst->to_ns, kBegin + 140 * kMs);
  // And the last segment of each thread before it.
  EXPECT_EQ(found.worst->segments(), 104U);
}

TEST_F(HtmlTrace, WorstIsOfAllRunsAndByWaitsWhereNoWakeupWasWasted) {
  Segments calm = some_segments();
  for (auto& s : calm) s.acquires = 1;
  save(traced(0), calm);
  calm[100].ready_ns -= 400'000;  // at 50 ms
  save(traced(1), calm);
  const CellWindows found = windows();
  ASSERT_TRUE(found.worst);
  EXPECT_EQ(found.worst->run, &traced(1));
  EXPECT_LE(found.worst->from_ns, calm[100].run_ns);
  EXPECT_GT(found.worst->to_ns, calm[100].run_ns);
}

TEST_F(HtmlTrace, NoRunLeftOutByADisturbanceLimitIsShown) {
  for (gilscope::Run& run : report.cells[0].runs) run.disturbances = {{"steal", 0.5, 0.1}};
  const CellWindows found = windows();
  EXPECT_FALSE(found.first);
}

TEST_F(HtmlTrace, AWindowIsCutToTheRoomAndSaysSo) {
  TraceWindow window = *windows().worst;
  const std::string whole = timeline("a", "The worst 50 ms.", window, 100'000);
  EXPECT_THAT(whole, AllOf(HasSubstr("data-length=\"50000000\""), HasSubstr("40 wasted wakeups"),
                           Not(HasSubstr("Cut short"))));
  const std::string cut = timeline("a", "The worst 50 ms.", window, 800);
  EXPECT_THAT(cut, AllOf(HasSubstr("Cut short"), Not(HasSubstr("data-length=\"50000000\""))));
  const size_t from = cut.find("octet-stream\">") + 14;
  EXPECT_LE(cut.find("</script>") - from, 800U);
  EXPECT_GT(cut.find("</script>") - from, 400U);
}

TEST_F(HtmlTrace, PacksAsTheHeaderSays) {
  TraceWindow window;
  window.run = &traced(0);
  window.from_ns = kBegin, window.to_ns = kBegin + kWindowNs;
  window.threads = {{segment(0, 1, 2, true)}, {}};
  window.threads[0][0].cpu = 300;
  using namespace std::string_literals;
  // The version, two threads; one segment: woken, blocked on the GIL, waiting; run, ready, length;
  // CPU 300, from 0; woken by the second thread on CPU 0, placed on 0. No segment of the second.
  EXPECT_EQ(packed(window),
            "\x01\x02\x01\x25\xd0\x0f\xf4\x03\xe8\x07\xac\x02\x01\x03\x01\x01\x00"s);
}

TEST_F(HtmlTrace, SaysOnTheFaceThatRecordsWereDropped) {
  for (gilscope::Run& run : report.cells[0].runs) {
    if (run.lost) run.lost->segments = 17;
  }
  save();
  ASSERT_EQ(html(), Exit::done);
  EXPECT_THAT(page(), AllOf(HasSubstr("17 records of this run found no room"),
                            HasSubstr("34 segment records found no room"),
                            HasSubstr("34 records of this cell found no room")));
}

TEST_F(HtmlTrace, NamesOfThreadsAreText) {
  ASSERT_EQ(html(), Exit::done);
  EXPECT_THAT(page(), AllOf(HasSubstr("<li>&lt;script&gt;alert(1)&lt;/script&gt;</li>"),
                            Not(HasSubstr("<script>alert"))));
}

TEST_F(HtmlTrace, WithoutItsSegmentsAReportHasAPageThatSaysSo) {
  std::filesystem::remove_all(directory / "segments");
  ASSERT_EQ(html(), Exit::done);
  EXPECT_THAT(page(), AllOf(HasSubstr("The segments of 2 runs were not beside the report"),
                            Not(HasSubstr("<figure class=\"timeline\""))));
}

TEST_F(HtmlTrace, OneThatIsMissingIsAnError) {
  std::filesystem::remove(directory / traced(1).segments_file);
  EXPECT_THAT(refusal(), AllOf(HasSubstr(traced(1).segments_file), HasSubstr("is missing")));
}

TEST_F(HtmlTrace, ATruncatedOneIsAnError) {
  std::filesystem::resize_file(directory / traced(1).segments_file, 72 + 48 * 10 + 3);
  EXPECT_THAT(refusal(), HasSubstr(traced(1).segments_file));
  std::filesystem::resize_file(directory / traced(1).segments_file, 72 + 48 * 10);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("holds 10 records"), HasSubstr("truncated")));
}

TEST_F(HtmlTrace, OneOfAnotherRunOrVersionIsAnError) {
  save(traced(1), some_segments(), 77);
  EXPECT_THAT(refusal(), HasSubstr("block 77"));
  save(traced(1), some_segments());
  std::fstream file(directory / traced(1).segments_file,
                    std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(8);
  file.put(9);
  file.close();
  EXPECT_THAT(refusal(), HasSubstr("version 9"));
}

TEST_F(HtmlTrace, NoFinishedRunIsNoPage) {
  for (gilscope::Run& run : report.cells[0].runs) run.status = "failed";
  save();
  EXPECT_THAT(refusal(), HasSubstr("no run has finished"));
}

TEST_F(HtmlTrace, APageThatCannotBeWrittenLeavesTheOldOne) {
  std::filesystem::create_symlink("report.json", directory / "link");
  EXPECT_EQ(html("link"), Exit::error);
  EXPECT_THAT(error_, HasSubstr("symbolic link"));
  EXPECT_TRUE(read_report(directory / "report.json"));
}

}  // namespace
}  // namespace gilscope
