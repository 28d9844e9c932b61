// The page of a report: its contents, its size, and that nothing in a report becomes markup.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "tests/unit/sample_report.h"
#include "tests/unit/temporary_directory.h"
#include "tools/cli/tools.h"
#include "tools/html/definitions.h"
#include "tools/html/forest_plot.h"
#include "tools/html/heat_map.h"
#include "tools/html/histogram_plot.h"
#include "tools/html/markup.h"
#include "tools/html/page.h"
#include "tools/html/timeline.h"
#include "tools/text/report.h"
#include "userspace/report/embedded_report.h"
#include "userspace/report/invariants.h"
#include "userspace/report/json.h"
#include "userspace/report/report_file.h"

namespace gilscope {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kScript = "<script>alert(1)</script>";

std::string page_of(const Report& report) {
  return html_page(report, to_json(report), {});
}

std::string shown(const Report& report) {
  std::ostringstream out;
  print_text_report(out, report,
                    {.color = false, .width = 100, .per = {}, .all = true, .report = {}});
  return out.str();
}

TEST(Markup, EscapesWhatCouldBecomeMarkup) {
  EXPECT_EQ(escaped("<a href=\"x\" b='y'>&"), "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;");
  EXPECT_EQ(escaped("\x1b[1m"), "\\x1b[1m");
  EXPECT_EQ(escaped_lines("a<\nb\n"), "a&lt;\nb\n");
}

TEST(Definitions, HaveEveryNameThatATableNames) {
  EXPECT_EQ(definition_of("wasted_wakeups"), "def-wasted_wakeups");
  EXPECT_EQ(definition_of("slowdown"), "def-slowdown");
  EXPECT_EQ(definition_of("no such number"), "");
}

TEST(Definitions, ReadMarkdown) {
  EXPECT_EQ(html_of_markdown("# A\n\nb `c<d`\n**e f**\n"),
            "<h3>A</h3>\n<p>b <code>c&lt;d</code> <b id=\"def-e-f\">e f</b></p>\n");
  EXPECT_EQ(html_of_markdown("- a\n  b\n- c\n"), "<ul>\n<li>a b</li>\n<li>c</li>\n</ul>\n");
  EXPECT_THAT(html_of_markdown("| key |\n|---|\n| `x` |\n| `x` |\n"),
              AllOf(HasSubstr("<th>key</tr>"), HasSubstr("<code id=\"def-x\">x</code>"),
                    HasSubstr("<td><code>x</code></tr>")));
}

TEST(ForestPlot, DrawsEachBlockTheMedianAndTheInterval) {
  const std::string plot = forest_plot(
      {"Slowdown", "slowdown", "block", 1.0},
      {{"old GIL", "2 CPUs", {1.0, 1.5, 2.0}, 1.5, Interval{1.0, 2.0}, "data-cell=\"3\""}});
  // Across 1000: a margin of 4 % of the range 1 to 2 on either side.
  EXPECT_THAT(plot, HasSubstr("class=\"dots\" d=\"M37 5h0M500 12h0M963 8h0\""));
  EXPECT_THAT(plot, HasSubstr("class=\"median\" d=\"M500.0 1v18\""));
  EXPECT_THAT(plot, HasSubstr("class=\"interval\" x=\"37.0\" y=\"3\" width=\"925.9\""));
  EXPECT_THAT(plot, HasSubstr("<td data-key=\"slowdown\" data-value=\"1.5\">1.50"));
  EXPECT_THAT(plot, HasSubstr("class=\"reference\" d=\"M37 0v20\""));
}

TEST(ForestPlot, HasAnAxisForOneValueAndForNone) {
  EXPECT_THAT(
      forest_plot({"Wall time", "wall_ns", "run", std::nullopt, true},
                  {{"", "a", {5e9}, 5e9, std::nullopt, ""}, {"", "b", {}, {}, {}, ""}}),
      AllOf(HasSubstr("5.00 <small>s</small>"), Not(HasSubstr("nan")), Not(HasSubstr("inf"))));
}

TEST(HistogramPlot, HasNothingToDrawWithoutSamples) {
  EXPECT_THAT(histogram_plot("a", "a", Histogram()), IsEmpty());
  const std::string plot = histogram_plot("a", "a", sample::histogram(100, 4000));
  EXPECT_THAT(plot, HasSubstr("data-key=\"a.p50\" data-value=\"4500\""));
  EXPECT_THAT(plot, HasSubstr("data-key=\"a.max\" data-value=\"35993\""));
}

TEST(HeatMap, PutsTheSmallOnesTogether) {
  HeatMap map;
  for (size_t i = 0; i < 100; ++i) {
    map.rows.push_back(std::to_string(i));
    map.columns.push_back(std::to_string(i));
    map.counts.emplace_back(100, 1);
  }
  map.counts[77][42] = 50;
  const std::string html = heat_map(map);
  EXPECT_THAT(html, AllOf(HasSubstr("<th scope=\"row\">77"), HasSubstr("<th scope=\"col\">42"),
                          HasSubstr("data-value=\"50\">50"), HasSubstr("77 others"),
                          Not(HasSubstr("<th scope=\"row\">99"))));
}

TEST(Page, SaysWhatTheTextSays) {
  const Report report = sample::report();
  const std::string page = page_of(report);
  EXPECT_THAT(page, HasSubstr("<h1>demo</h1>"));
  EXPECT_THAT(page, HasSubstr("check-interval:100 ran 1.4x slower together than in sequence"));
  EXPECT_THAT(page, HasSubstr("Linux 6.18.4, AMD EPYC, 2 CPUs, in a VM (kvm)"));
  EXPECT_THAT(page, HasSubstr("The machine changed during the experiment"));
  EXPECT_THAT(page, HasSubstr("unknown: cannot read /sys/kernel/debug/sched/preempt: not root"));
  EXPECT_THAT(page, HasSubstr("names no segments"));
  EXPECT_THAT(page, Not(HasSubstr("http://")));
  EXPECT_THAT(page, Not(HasSubstr("https://")));
}

TEST(Page, OfEmulatedCpusShowsNoTime) {
  Report report = sample::report();
  EXPECT_THAT(page_of(report), Not(HasSubstr("EMULATED CPUs")));
  std::erase_if(report.environment,
                [](const Fact& fact) { return fact.key == "virtualization.emulated"; });
  report.environment.push_back({"virtualization.emulated", true, ""});
  const std::string page = page_of(report);
  EXPECT_THAT(page, HasSubstr("EMULATED CPUs"));
  EXPECT_THAT(page, HasSubstr(">emulated<"));
  EXPECT_THAT(page, Not(HasSubstr("slower together")));
  EXPECT_THAT(page, Not(HasSubstr("<h4>Distributions")));
}

TEST(Page, LeadsWithWhatCostSomething) {
  Report report = sample::report();
  for (Cell& cell : report.cells) {
    if (cell.policy != "switch-interval:5ms" || cell.arrangement != "threaded") continue;
    for (gilscope::Run& run : cell.runs) run.wall_ns /= 10;
  }
  const std::string page = page_of(report);
  EXPECT_THAT(page, HasSubstr("switch-interval:5ms ran 9."));  // times faster: farther from 1
  EXPECT_THAT(page,
              testing::ContainsRegex("<p class=\"lead\">[^<]*check-interval:100 ran 1.4x slower"));
}

TEST(Page, RunsNothingThatAReportSays) {
  Report report = sample::report();
  report.spec = std::string("name = \"") + kScript + "\"\n";
  report.id = report.gilscope = report.created_at = report.spec_sha256 = kScript;
  report.environment.push_back({kScript, std::string(kScript), ""});
  report.environment_before.push_back({kScript, std::vector<std::string>{kScript}, ""});
  report.capabilities.push_back({kScript, std::monostate(), kScript});
  for (Cell& cell : report.cells) {
    cell.policy += kScript, cell.workload = cell.cpus_by = cell.main_exit = kScript;
    cell.cpus = std::string("cpu:") + kScript;
    for (gilscope::Run& run : cell.runs) {
      run.disturbances.push_back({kScript, 2.0, 1.0});
      for (Thread& thread : run.threads) thread.name = kScript;
    }
  }
  report.cells[0].runs[3].status = "failed";
  report.cells[0].runs[3].failure = kScript;
  // One element without exceeded limits, so that it is in the tables.
  for (gilscope::Run& run : report.cells[3].runs) run.disturbances.clear();
  const std::string page = page_of(report);
  EXPECT_THAT(page, Not(HasSubstr(kScript)));
  EXPECT_THAT(page, HasSubstr("<th scope=\"row\">&lt;script&gt;alert(1)&lt;/script&gt;"));
}

TEST(Page, CarriesItsReport) {
  const Report report = sample::report();
  const std::string page = page_of(report);
  const auto text = unpack_report(page, "page");
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(*text, to_json(report));
  EXPECT_THAT(page, HasSubstr("carries its whole report"));
}

TEST(Page, IsReadLikeItsReport) {
  const TemporaryDirectory directory;
  const Report report = sample::report();
  directory.write("page.html", page_of(report));
  const auto read = read_report(directory / "page.html");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(shown(*read), shown(report));
}

TEST(Page, DamagedIsRefused) {
  const std::string page = page_of(sample::report());
  const size_t at = page.find("application/x-gilscope-report");
  ASSERT_NE(at, std::string::npos);
  const auto refusal = [](const std::string& text) -> std::string {
    const auto result = unpack_report(text, "page.html");
    if (result) return "not refused";
    EXPECT_EQ(result.error().code, Exit::no_data);
    return result.error().message;
  };
  EXPECT_EQ(refusal(page.substr(0, at)),
            "page.html: this page carries no report; it may be cut short");
  EXPECT_EQ(refusal(page + page),
            "page.html: carries more than one report; give each page by itself");
  EXPECT_EQ(refusal(page.substr(0, at + 2000)), "page.html: the report in this page is cut short");
  std::string other = page;
  other[at + 1000] = other[at + 1000] == 'A' ? 'B' : 'A';
  EXPECT_EQ(refusal(other), "page.html: the report in this page is damaged");
  other[at + 1000] = '!';
  EXPECT_EQ(refusal(other), "page.html: the report in this page is damaged");
  // The packed report is cut short, though the element is complete.
  std::string less = page;
  less.erase(at + 1000, 400);
  EXPECT_EQ(refusal(less), "page.html: the report in this page is damaged");
}

TEST(Page, OfALittleThatUnpacksToALotIsRefused) {
  const std::string packed = pack_report(std::string(16 << 20, ' '), 1 << 20);
  ASSERT_THAT(packed, Not(IsEmpty()));
  ASSERT_LT(packed.size(), 10'000U);
  const auto text = unpack_report(embed_report(packed), "page.html", 4 << 20);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, Exit::no_data);
  EXPECT_EQ(text.error().message, "page.html: unpacks to more than 4 MiB, not a report");
}

TEST(Page, OfManyCellsSaysWhichHaveNoRoom) {
  Report report = sample::report(2, 0);
  const std::vector<Cell> cells = report.cells;
  for (int i = 0; i < 40; ++i) {
    for (Cell cell : cells) {
      cell.policy = "check-interval:" + std::to_string(1000 + i) + cell.policy;
      report.cells.push_back(cell);
    }
  }
  const std::string page = page_of(report);
  EXPECT_LT(page.size(), 2'000'000U);
  EXPECT_THAT(page, HasSubstr("cells have no room in this page"));
}

TEST(EmbeddedReport, LeftOutIsKeptAndNotMistakenForABrokenSum) {
  Report report = sample::report(6, 1);
  EXPECT_THAT(broken_invariants(report), IsEmpty());
  for (Cell& cell : report.cells) {
    for (gilscope::Run& run : cell.runs) run.threads.clear(), run.cpus.clear();
  }
  EXPECT_THAT(broken_invariants(report), Not(IsEmpty()));
  report.left_out = {"threads", "cores"};
  EXPECT_THAT(broken_invariants(report), IsEmpty());
  const auto read = from_json(to_json(report), "report");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->left_out, report.left_out);
}

}  // namespace
}  // namespace gilscope
