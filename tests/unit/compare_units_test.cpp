// What compare counts as one observation: blocks, boots, boxes.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/unit/comparable_report.h"
#include "tools/compare/sides.h"

namespace gilscope {
namespace {

using Json = nlohmann::json;
using sample::comparable;
using sample::compare;
using sample::put;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class CompareUnits : public testing::Test {
 protected:
  // A report of a kernel on a box, `times` as slow as the sample.
  void run(const std::string& kernel, const std::string& host, double times,
           const std::string& boot = "b") {
    const uint64_t seed = ++reports_;
    put(directory_, fmt::format("all/{}", seed),
        comparable({.seed = seed, .times = times, .kernel = kernel, .host = host, .boot = boot}));
  }

  std::string all() const { return directory_ / "all"; }

  static Json wall(const Json& comparison) {
    for (const Json& cell : comparison["contrasts"][0]["cells"]) {
      if (cell["name"] != "check-interval:100, threaded, 2 CPUs") continue;
      for (const Json& metric : cell["metrics"]) {
        if (metric["metric"] == "wall_ns") return metric;
      }
    }
    ADD_FAILURE() << comparison.dump(1).substr(0, 2000);
    return {};
  }

  Json json(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments{all(), "--by", "kernel", "--format", "json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto outcome = compare(arguments);
    EXPECT_EQ(outcome.err, "");
    return Json::parse(outcome.out, nullptr, false);
  }

  TemporaryDirectory directory_;
  uint64_t reports_ = 0;
};

TEST_F(CompareUnits, BoxesAreEstimatedApartAndCombined) {
  for (const char* host : {"alpha", "beta", "gamma"}) {
    // A box twice as fast as another must not blur what the kernel does on each.
    const double speed = host[0] == 'a' ? 1 : host[0] == 'b' ? 2 : 3;
    run("6.1", host, speed);
    run("6.2", host, speed * 1.2);
  }
  const Json metric = wall(json());
  ASSERT_EQ(metric["boxes"].size(), 3u);
  EXPECT_EQ(metric["boxes"][0]["box"], "alpha");
  for (const Json& box : metric["boxes"]) EXPECT_NEAR(box["ratio"], 1.2, 0.02);
  EXPECT_NEAR(metric["ratio"], 1.2, 0.02);
  EXPECT_EQ(metric["verdict"], "slower");
  EXPECT_FALSE(metric["combined"]["signs_differ"]);
}

TEST_F(CompareUnits, BoxesThatDisagreeInSignSaySo) {
  run("6.1", "alpha", 1), run("6.2", "alpha", 1.2);
  run("6.1", "beta", 1), run("6.2", "beta", 0.8);
  const Json metric = wall(json());
  EXPECT_TRUE(metric["combined"]["contradictory"]);
  EXPECT_EQ(metric["verdict"], "undecided");
  EXPECT_THAT(compare({all(), "--by", "kernel"}).out, HasSubstr("THE BOXES CONTRADICT EACH OTHER"));
}

TEST_F(CompareUnits, ABoxWithOneSideIsLeftOutAndNamed) {
  run("6.1", "alpha", 1), run("6.2", "alpha", 1.2);
  run("6.1", "beta", 5);
  const Json comparison = json();
  EXPECT_EQ(wall(comparison)["boxes"].size(), 1u);
  EXPECT_NEAR(wall(comparison)["ratio"], 1.2, 0.02);
  EXPECT_EQ(comparison["contrasts"][0]["cells"][0]["boxes_left_out"], Json({"beta"}));
}

TEST_F(CompareUnits, HostsAreComparedWhereTheyAreAsked) {
  run("6.1", "alpha", 1), run("6.1", "beta", 1.5);
  const auto outcome = compare({all(), "--by", "host"});
  EXPECT_EQ(outcome.exit, 1) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("slower with beta than with alpha"));
}

TEST_F(CompareUnits, WithinABoxIsACellForEach) {
  for (const char* host : {"alpha", "beta"}) run("6.1", host, 1), run("6.2", host, 1.2);
  const Json comparison = json({"--within", "host"});
  EXPECT_EQ(comparison["contrasts"][0]["cells"].size(), 16u);
  for (const Json& cell : comparison["contrasts"][0]["cells"]) {
    EXPECT_THAT(cell["name"].get<std::string>(), HasSubstr("name "));
    EXPECT_EQ(cell["metrics"][0]["boxes"].size(), 1u);
  }
}

TEST_F(CompareUnits, ABootIsOneObservation) {
  for (int boot = 0; boot < 6; ++boot) {
    // What a boot does to all its blocks is more than what differs within it.
    const double whim = 1 + 0.01 * boot;
    run("6.1", "alpha", whim, fmt::format("old {}", boot));
    run("6.2", "alpha", whim * 1.2, fmt::format("new {}", boot));
  }
  const Json metric = wall(json());
  EXPECT_EQ(metric["units_a"], 6);
  EXPECT_EQ(metric["boxes"][0]["unit"], "boot");
  EXPECT_NEAR(metric["ratio"], 1.2, 0.02);
  EXPECT_THAT(compare({all(), "--by", "kernel"}).out, HasSubstr("one boot is one observation"));
}

TEST_F(CompareUnits, ThreeBootsAreTooFewHoweverManyBlocks) {
  for (int boot = 0; boot < 3; ++boot) {
    run("6.1", "alpha", 1, fmt::format("old {}", boot));
    run("6.2", "alpha", 1.5, fmt::format("new {}", boot));
  }
  const Json metric = wall(json());
  EXPECT_EQ(metric["units_a"], 3);
  EXPECT_EQ(metric["verdict"], "undecided");
}

TEST_F(CompareUnits, OneBootEachIsComparedByBlocksAndSaysSo) {
  run("6.1", "alpha", 1, "old"), run("6.2", "alpha", 1.2, "new");
  EXPECT_EQ(wall(json())["boxes"][0]["unit"], "block");
  EXPECT_THAT(compare({all(), "--by", "kernel"}).out, HasSubstr("One boot each"));
}

TEST_F(CompareUnits, AReportIsTakenOnce) {
  run("6.1", "alpha", 1), run("6.2", "alpha", 1.2);
  const Json once = json();
  put(directory_, "all/again",
      comparable({.seed = 1, .kernel = "6.1", .host = "alpha", .boot = "b"}));
  EXPECT_EQ(json(), once);
}

TEST_F(CompareUnits, KeysThatVaryWithinASideAreNamed) {
  run("6.1", "alpha", 1), run("6.1", "alpha", 1), run("6.2", "alpha", 1.2);
  Report other = comparable({.seed = 9, .kernel = "6.1", .host = "alpha", .boot = "b"});
  for (Fact& fact : other.environment) {
    if (fact.key == "cpu.model") fact.value = std::string("Another");
  }
  put(directory_, "all/other", other);
  const auto outcome = compare({all(), "--by", "kernel"});
  EXPECT_THAT(outcome.out, HasSubstr("environment.cpu.model varies within 6.1: AMD EPYC, Another"));
  EXPECT_THAT(compare({all(), "--by", "kernel", "--within", "cpu.model"}).out,
              Not(HasSubstr("varies within")));
}

TEST(CompareLevels, AreInTheirNaturalOrder) {
  std::vector<std::string> levels{"all", "10", "2", "6.10", "6.9", "cpu:1", "02", "1"};
  std::ranges::sort(levels, naturally_less);
  EXPECT_THAT(levels, ElementsAre("1", "2", "02", "6.9", "6.10", "10", "all", "cpu:1"));
}

}  // namespace
}  // namespace gilscope
