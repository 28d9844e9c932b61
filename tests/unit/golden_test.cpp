// Reports written by each version of the schema are read and shown. So is a report of a later minor
// version; one of another major is refused. tests/golden/README.md gives their origin.
#include <gmock/gmock.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/unit/command.h"
#include "tests/unit/temporary_directory.h"
#include "tools/analysis/summary.h"
#include "tools/cli/tools.h"
#include "userspace/report/invariants.h"
#include "userspace/report/json.h"

namespace gilscope {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using testing::AllOf;
using testing::HasSubstr;

std::string golden(int minor) {
  return (fs::path(__FILE__).parent_path().parent_path() / "golden" /
          fmt::format("report-{}.{}.json", kReportMajor, minor))
      .string();
}

Json json_of(int minor) {
  std::ifstream file(golden(minor));
  return Json::parse(file);
}

Outcome command(AddCommand add, const std::string& name, const std::string& path) {
  return run_command(add, {name, path});
}

Outcome show(const std::string& path) {
  return run_command(add_show, {"show", "--all", path});
}

// Checks the numbers that all versions have.
void expect_the_samples_numbers(const Report& report) {
  EXPECT_EQ(report.seed, 0xfedcba9876543210);
  ASSERT_EQ(report.cells.size(), 2u);
  ASSERT_EQ(report.cells[1].runs.size(), 6u);
  const auto& run = report.cells[1].runs[3];
  EXPECT_EQ(run.block, 1);
  EXPECT_TRUE(run.traced());
  EXPECT_EQ(run.gil.woken_lost, 48'000u);
  ASSERT_EQ(run.cpus.size(), 2u);
  EXPECT_EQ(run.cpus[1].wakeups.ran, 25'000u);
  EXPECT_EQ(run.cpus[1].idle_ns, run.wall_ns - run.cpus[1].on_cpu_ns - *run.cpus[1].foreign_ns);
  EXPECT_EQ(run.threads[0].trace->histograms.wake_to_run.quantile_ns(0.5), 4500u);
  EXPECT_EQ(report.cells[1].runs[1].tracer_cost->bpf_ns, 123'456u);
  EXPECT_FALSE(run.tracer_cost);
  EXPECT_EQ(broken_invariants(report), std::vector<std::string>());
}

class Golden : public testing::TestWithParam<int> {};

TEST_P(Golden, IsReadShownAndValid) {
  const auto report = read_report(golden(GetParam()));
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->minor, GetParam());
  expect_the_samples_numbers(*report);
  const Outcome shown = show(golden(GetParam()));
  EXPECT_EQ(shown.exit, 0) << shown.err;
  EXPECT_EQ(shown.err, "");
  EXPECT_THAT(shown.out, AllOf(HasSubstr("Linux 6.18.4, AMD EPYC"), HasSubstr("SLOWDOWN"),
                               HasSubstr("check-interval:100"), HasSubstr("CPUS AND THE GIL")));
  // Pages and merged reports contain it as this version writes it.
  EXPECT_THAT(schema_violations(to_json(*report), "written").value(), testing::IsEmpty());
  EXPECT_THAT(
      command(add_validate, "validate", golden(GetParam())).out,
      HasSubstr(fmt::format("valid gilscope report (schema 1.{}, 2 cells, 12 runs)", GetParam())));
}

INSTANTIATE_TEST_SUITE_P(EachMinor, Golden, testing::Range(0, kReportMinor + 1));

TEST(GoldenReports, WhatAVersionDidNotHaveIsAbsentAndNotZero) {
  const auto report = read_report(golden(0));
  ASSERT_TRUE(report) << report.error().message;
  const auto& run = report->cells[1].runs[3];
  EXPECT_FALSE(run.opened_ns);
  EXPECT_FALSE(run.client);
  EXPECT_FALSE(run.threads[0].perf);
  EXPECT_TRUE(run.disturbances.empty());
  EXPECT_EQ(run.samples_file, "");
  EXPECT_EQ(report->claim, "");
  EXPECT_EQ(report->cells[0].cpu_order, "");
  EXPECT_EQ(report->cells[0].bounded_by, "");
  EXPECT_FALSE(bounded_by_time(report->cells[0]));
  EXPECT_FALSE(run.cpus[0].drop_requests);
}

// Real programs, whose reports earlier versions refuse.
TEST(GoldenReports, WhatCameWithMinor4) {
  const auto path = fs::path(golden(4)).parent_path() / "subject-1.4.json";
  const auto report = read_report(path.string());
  ASSERT_TRUE(report) << report.error().message;
  const Cell& cell = report->cells.at(0);
  ASSERT_TRUE(cell.subject && cell.subject->gil);
  EXPECT_EQ(cell.subject->version, "3.11.2");
  EXPECT_EQ(cell.subject->pid, 1234);
  EXPECT_EQ(cell.subject->gil->offset, 360u);
  EXPECT_EQ(cell.subject->gil->found_by, "scan");
  const auto& run = cell.runs.at(0);
  EXPECT_EQ(run.gil.acquires, std::nullopt);
  EXPECT_EQ(run.gil.contended, 19u);
  EXPECT_EQ(run.gil.undecided, 1u);
  EXPECT_EQ(run.gil.waits_begun, 33u);
  EXPECT_EQ(run.threads.at(0).ended, "running");
  EXPECT_EQ(run.cpus.at(0).acquires, std::nullopt);
  EXPECT_EQ(run.cpus.at(1).release_stalls, 1u);
  EXPECT_EQ(broken_invariants(*report), std::vector<std::string>());
  EXPECT_THAT(schema_violations(to_json(*report), "written").value(), testing::IsEmpty());
  const auto model = read_report(golden(4));
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_FALSE(model->cells[0].subject);
  EXPECT_FALSE(model->cells[0].runs[0].gil.undecided);
}

TEST(GoldenReports, WhatCameWithMinor3) {
  const auto report = read_report(golden(3));
  ASSERT_TRUE(report) << report.error().message;
  uint64_t drop_requests = 0;
  for (const Cell& cell : report->cells) {
    EXPECT_EQ(cell.bounded_by, "work");
    for (const auto& run : cell.runs) {
      for (const CpuTrace& cpu : run.cpus) {
        ASSERT_TRUE(cpu.drop_requests);
        drop_requests += *cpu.drop_requests;
      }
    }
  }
  EXPECT_EQ(drop_requests, 3u * (5 + 7));
}

TEST(GoldenReports, WhatCameWithMinor2) {
  uint64_t late = 0, printed = 0, lost = 0;
  const auto report = read_report(golden(2));
  ASSERT_TRUE(report) << report.error().message;
  for (const Cell& cell : report->cells) {
    for (const auto& run : cell.runs) {
      if (!run.lost) continue;
      ++lost;
      printed += run.lost->window_late_ns.has_value();
      late += run.lost->window_late_ns.value_or(0);
    }
  }
  EXPECT_GT(lost, 0u);
  EXPECT_EQ(printed, lost);
  EXPECT_EQ(late, 1500u);
}

TEST(GoldenReports, WhatCameWithMinor1) {
  const auto report = read_report(golden(1));
  ASSERT_TRUE(report) << report.error().message;
  const auto& run = report->cells[1].runs[3];
  EXPECT_FALSE(run.lost->window_late_ns);
  EXPECT_EQ(run.opened_ns, 999'990'000u);
  EXPECT_EQ(run.client->cpu_ns, 77'000u);
  EXPECT_EQ(run.threads[0].perf->instructions, 25'100u * 40'000);
  EXPECT_FALSE(run.threads[0].perf->cache_misses);
  EXPECT_TRUE(run.disturbed());
  EXPECT_EQ(report->claim, "slower");
  EXPECT_EQ(report->cells[0].cpu_order, "cores-first");
}

TEST(GoldenReports, ALaterMinorIsReadWithoutWhatIsNotKnown) {
  Json json = json_of(kReportMinor);
  json["schema"]["minor"] = kReportMinor + 1;
  json["schema"]["draft"] = true;
  json["later"] = {{"x", 1}};
  json["environment"]["later"] = Json::array({1, "mixed"});
  json["cells"][1]["later"] = nullptr;
  for (Json& run : json["cells"][1]["runs"]) {
    run["later"] = Json::array({1, "a", nullptr});
    for (Json& thread : run["threads"]) thread["later"] = "x";
    for (Json& cpu : run["cores"]) cpu["wakeups"]["later"] = 5;
  }
  const TemporaryDirectory directory;
  directory.write("report.json", json.dump());
  const auto report = read_report(directory.path());
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->minor, kReportMinor + 1);
  expect_the_samples_numbers(*report);
  EXPECT_EQ(show(directory.path()).out, show(golden(kReportMinor)).out)
      << "it is shown in the same way";
}

TEST(GoldenReports, AnotherMajorIsRefusedWithItsNumber) {
  for (const int major : {0, 2, 17}) {
    Json json = json_of(kReportMinor);
    json["schema"]["major"] = major;
    const TemporaryDirectory directory;
    directory.write("report.json", json.dump());
    const Outcome outcome = show(directory.path());
    EXPECT_EQ(outcome.exit, 3);
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, HasSubstr(fmt::format("report of major version {}, this gilscope "
                                                   "reads major version {}",
                                                   major, kReportMajor)));
  }
}

}  // namespace
}  // namespace gilscope
