// The size of a page. This needs no kernel, but the optimized program: with sanitizers it would
// take minutes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tests/unit/large_report.h"
#include "tools/html/markup.h"
#include "tools/html/page.h"
#include "tools/text/report.h"
#include "userspace/report/embedded_report.h"
#include "userspace/report/json.h"

namespace gilscope {
namespace {

using testing::HasSubstr;

std::string shown(const Report& report) {
  std::ostringstream out;
  print_text_report(out, report,
                    {.color = false, .width = 100, .per = {}, .all = true, .report = {}});
  return out.str();
}

TEST(PageSize, OfTenThousandRunsIsBelowTwoMegabytes) {
  const Report report = sample::large_report(625);  // 8 cells, traced and untraced
  size_t runs = 0;
  for (const Cell& cell : report.cells) runs += cell.runs.size();
  ASSERT_EQ(runs, 10'000U);
  const std::string page = html_page(report, to_json(report), {});
  EXPECT_LT(page.size(), 2'000'000U);
  const auto carried = unpack_report(page, "page");
  ASSERT_TRUE(carried) << carried.error().message;
  EXPECT_TRUE(from_json(*carried, "page"));
}

TEST(PageSize, CarriesAsMuchOfItsReportAsThereIsRoomFor) {
  const Report report = sample::large_report(12);
  const std::string json = to_json(report);
  std::vector<std::string> last;
  const size_t without = html_page(report, json, {}, 1000).size();
  for (const size_t beside : {1'300'000, 220'000, 120'000, 30'000}) {
    const size_t room = without + beside;
    const std::string page = html_page(report, json, {}, room);
    EXPECT_LT(page.size(), room);
    const auto text = unpack_report(page, "page");
    ASSERT_TRUE(text) << text.error().message;
    // The page contains a report that names what it lacks.
    const auto copy = from_json(*text, "page");
    ASSERT_TRUE(copy) << copy.error().message;
    EXPECT_GE(copy->left_out.size(), last.size());
    last = copy->left_out;
    EXPECT_EQ(copy->cells[0].runs.size(), report.cells[0].runs.size());
    EXPECT_EQ(copy->lacks("threads.histograms"),
              copy->cells[3].runs[1].threads.empty() ||
                  copy->cells[3].runs[1].threads[0].trace->histograms.run.buckets.empty());
    for (const std::string& name : last) {
      EXPECT_THAT(page, HasSubstr(name));
      EXPECT_THAT(shown(*copy), HasSubstr(name));
    }
    // The page's own numbers are those of the whole report.
    const Summary whole(report);
    EXPECT_THAT(page, HasSubstr("data-value=\"" + plain(*whole.cells[3].cpus[0].segments) + "\""));
  }
  EXPECT_FALSE(last.empty());
  EXPECT_EQ(last.front(), "threads.histograms");
  EXPECT_THAT(html_page(report, json, {}, 1000), HasSubstr("no room for a copy of its report"));
}

}  // namespace
}  // namespace gilscope
