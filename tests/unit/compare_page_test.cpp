// The page of a comparison.
#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>

#include "tests/unit/comparable_report.h"
#include "tools/compare/metrics.h"
#include "tools/html/definitions.h"
#include "userspace/report/embedded_report.h"
#include "userspace/report/metric_names.h"

namespace gilscope {
namespace {

using Json = nlohmann::json;
using sample::comparable;
using sample::Comparable;
using sample::put;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

Outcome html(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "html");
  return run_command(add_html, std::move(arguments));
}

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

class ComparePage : public testing::Test {
 protected:
  std::string page(const std::vector<std::string>& reports) {
    std::vector<std::string> arguments = reports;
    arguments.insert(arguments.end(), {"-o", directory_ / "page.html"});
    const auto outcome = html(arguments);
    EXPECT_EQ(outcome.exit, 0) << outcome.err;
    return text_of(directory_ / "page.html");
  }

  TemporaryDirectory directory_;
};

TEST_F(ComparePage, SaysWhatDiffersBeforeWhatWasFound) {
  Report other = comparable({.seed = 2, .times = 1.2});
  for (Fact& fact : other.environment) {
    if (fact.key == "cpu.model") fact.value = std::string("Another");
  }
  const std::string text = page({put(directory_, "a", comparable()), put(directory_, "b", other)});
  EXPECT_LT(text.find("environment.cpu.model"), text.find("slower with b than with a"));
  EXPECT_THAT(text, AllOf(HasSubstr("Distributions side by side"), HasSubstr("Each CPU"),
                          HasSubstr("class=\"forest\"")));
}

TEST_F(ComparePage, ItsNumbersAreThoseOfTheComparison) {
  const std::string a = put(directory_, "a", comparable());
  const std::string b = put(directory_, "b", comparable({.seed = 2, .times = 1.2}));
  const std::string text = page({a, b});
  const Json json = Json::parse(sample::compare({a, b, "--format", "json"}).out);
  // Each metric of the table, in the order of the cells.
  size_t at = text.find("id=\"cells\"");
  for (const Json& cell : json["contrasts"][0]["cells"]) {
    for (const Json& metric : cell["metrics"]) {
      if (metric.contains("absent")) continue;
      const std::string row =
          fmt::format("<tr data-metric=\"{}\"", metric["metric"].get<std::string>());
      at = text.find(row, at);
      ASSERT_NE(at, std::string::npos) << row;
      const std::string line = text.substr(at, text.find("\n", at) - at);
      for (const char* side : {"median_a", "median_b"}) {
        EXPECT_THAT(line, HasSubstr(fmt::format("data-key=\"{}\" data-value=\"{}\"", side,
                                                metric[side].get<double>())));
      }
      EXPECT_THAT(line, HasSubstr(">" + metric["verdict"].get<std::string>()));
    }
  }
}

TEST_F(ComparePage, NothingOfAReportBecomesMarkup) {
  const auto named = [](Report report) {
    for (Cell& cell : report.cells) cell.policy = "<script>alert(1)</script>";
    for (Fact& fact : report.environment) {
      if (fact.key == "cpu.model") fact.value = "<img src=x onerror=alert(1)>" + report.id;
    }
    return report;
  };
  const std::string text = page({put(directory_, "a", named(comparable())),
                                 put(directory_, "b", named(comparable({.seed = 2})))});
  EXPECT_THAT(text, AllOf(HasSubstr("&lt;script&gt;"), HasSubstr("&lt;img"),
                          Not(HasSubstr("<script")), Not(HasSubstr("<img"))));
}

TEST_F(ComparePage, NeedsNothingElse) {
  const std::string text =
      page({put(directory_, "a", comparable()), put(directory_, "b", comparable({.seed = 2}))});
  EXPECT_THAT(text, HasSubstr("default-src 'none'"));
  EXPECT_FALSE(std::regex_search(text, std::regex("(src|href)=\"(?!#|data:)")));
  EXPECT_FALSE(is_page(text));  // it contains no report
}

TEST_F(ComparePage, IsNotWrittenWhereTheComparisonIsRefused) {
  Report other = comparable({.seed = 2});
  other.spec += "trace = \"counters\"\n";
  const auto outcome = html({put(directory_, "a", comparable()), put(directory_, "b", other), "-o",
                             directory_ / "page.html"});
  EXPECT_EQ(outcome.exit, 2);
  EXPECT_THAT(outcome.err, HasSubstr("their specs differ"));
  EXPECT_FALSE(std::filesystem::exists(directory_ / "page.html"));
}

TEST(CompareMetrics, HaveTheNamesThatASpecMayDeclareAndADefinitionEach) {
  std::vector<std::string> names;
  bool primary = true;
  for (const Metric& metric : metrics()) {
    names.emplace_back(metric.name);
    EXPECT_TRUE(primary || !metric.primary)
        << metric.name << " comes after one that is not primary";
    primary = metric.primary;
    EXPECT_NE(definition_of(metric.name), "") << metric.name;
  }
  EXPECT_EQ(names, metric_names());
}

}  // namespace
}  // namespace gilscope
