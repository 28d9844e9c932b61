// Reports of real programs: their keys, the rules that they keep, and models' reports beside them.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/unit/command.h"
#include "tests/unit/sample_report.h"
#include "tests/unit/subject_report.h"
#include "tools/cli/tools.h"
#include "userspace/report/invariants.h"
#include "userspace/report/json.h"

namespace gilscope {
namespace {

using Json = nlohmann::ordered_json;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(SubjectReport, IsReadAsItWasWritten) {
  const Report report = sample::subject_report();
  const auto back = from_json(to_json(report), "r");
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, report);
  EXPECT_THAT(broken_invariants(*back), ElementsAre());
}

TEST(SubjectReport, SaysWhatItCannotKnow) {
  const Json json = Json::parse(to_json(sample::subject_report()));
  const Json& cell = json["cells"][0];
  EXPECT_EQ(json["schema"]["minor"], 5);
  EXPECT_EQ(cell["subject"]["pid"], 1234);
  EXPECT_EQ(cell["subject"]["gil"]["offset"], 360);
  const Json& run = cell["runs"][0];
  for (const char* key : {"acquires", "releases", "drop_requests"}) {
    EXPECT_TRUE(run["gil"][key].is_null()) << key;
    EXPECT_TRUE(run["threads"][0]["gil"][key].is_null()) << key;
  }
  EXPECT_TRUE(run["cores"][0]["acquires"].is_null());
  EXPECT_EQ(run["gil"]["undecided"], 1);
  EXPECT_EQ(run["cores"][0]["failed"]["undecided"], 1);
  EXPECT_EQ(run["threads"][1]["gil"]["undecided"], 1);
  EXPECT_EQ(run["gil"]["waits_begun"], 33);
  EXPECT_FALSE(run["threads"][1]["gil"].contains("waits_begun")) << "only the process's is known";
  EXPECT_FALSE(run["gil"].contains("doubt"));
}

// Reports of models have no key of real programs, and their bytes stay as they were.
TEST(SubjectReport, AddsNoKeyToThatOfAModel) {
  const std::string text = to_json(sample::report(1, 1));
  for (const char* key : {"undecided", "mutex_sleeps", "release_stalls", "acquired_after_wait",
                          "sleeps", "waits_begun", "unslept", "doubt", "subject"}) {
    EXPECT_EQ(text.find(fmt::format("\"{}\"", key)), text.npos) << key;
  }
}

TEST(SubjectReport, OfAProcessWithoutAGilIsValid) {
  Report report = sample::subject_report();
  report.cells[0].subject->gil.reset();
  EXPECT_THAT(broken_invariants(report), ElementsAre());
  EXPECT_TRUE(Json::parse(to_json(report))["cells"][0]["subject"]["gil"].is_null());
  EXPECT_TRUE(from_json(to_json(report), "r"));
}

TEST(SubjectReport, KeepsToItsSchema) {
  const auto violation = [](auto damage) {
    Json json = Json::parse(to_json(sample::subject_report()));
    damage(json["cells"][0]);
    const auto lines = schema_violations(json.dump(), "r");
    return lines->size() == 1 ? lines->front() : fmt::format("{} violations", lines->size());
  };
  EXPECT_THAT(violation([](Json& c) { c["subject"]["pid"] = -1; }),
              HasSubstr("/cells/0/subject/pid: must have \"minimum\": 0"));
  EXPECT_THAT(violation([](Json& c) { c["subject"].erase("gil"); }), HasSubstr("/cells/0/subject"));
  EXPECT_THAT(violation([](Json& c) { c["subject"]["gils_of_others"] = nullptr; }),
              HasSubstr("/cells/0/subject/gils_of_others"));
  EXPECT_THAT(violation([](Json& c) { c["runs"][0]["gil"]["undecided"] = -1; }),
              HasSubstr("/cells/0/runs/0/gil/undecided"));
  EXPECT_THAT(violation([](Json& c) { c["runs"][0]["gil"]["contended"] = nullptr; }),
              HasSubstr("/cells/0/runs/0/gil/contended"));
  EXPECT_THAT(violation([](Json& c) { c["runs"][0]["threads"][0]["ended"] = "gone"; }),
              HasSubstr("/cells/0/runs/0/threads/0/ended"));
}

std::vector<std::string> broken(auto damage) {
  Report report = sample::subject_report();
  damage(report.cells[0], report.cells[0].runs[0]);
  return broken_invariants(report);
}

const std::string kAt = "/cells/0/runs/0: ";

TEST(SubjectInvariants, EachOneBrokenIsNamed) {
  EXPECT_THAT(broken([](Cell&, auto& r) { *r.gil.sleeps += 1, *r.gil.unslept -= 1; }),
              ElementsAre(kAt + "gil.contended + woken_lost + timed_out + undecided + "
                                "waits_begun_again is 32, but gil.sleeps is 33"));
  EXPECT_THAT(broken([](Cell&, auto& r) { *r.gil.waits_begun += 1; }),
              ElementsAre(kAt + "gil.sleeps + unslept is 35, but gil.waits_begun + "
                                "waits_begun_again is 36"));
  EXPECT_THAT(broken([](Cell&, auto& r) { r.gil.unslept.reset(); }),
              ElementsAre(kAt + "gil.sleeps + unslept is null, but gil.waits_begun + "
                                "waits_begun_again is 35"));
  EXPECT_THAT(broken([](Cell&, auto& r) { *r.cpus[1].failed.undecided += 1; }),
              ElementsAre(kAt + "the CPUs' undecided is 2, but gil.undecided is 1"));
  EXPECT_THAT(broken([](Cell&, auto& r) { *r.cpus[1].mutex_sleeps += 1; }),
              ElementsAre(kAt + "the CPUs' mutex_sleeps is 2, but gil.mutex_sleeps is 1"));
  EXPECT_THAT(broken([](Cell&, auto& r) { r.cpus[1].release_stalls.reset(); }),
              ElementsAre(kAt + "the CPUs' release_stalls is null, but gil.release_stalls is 1"));
  EXPECT_THAT(broken([](Cell&, auto& r) { *r.cpus[0].acquired_after_wait -= 1; }),
              ElementsAre(kAt + "the CPUs' acquired_after_wait is 18, but "
                                "gil.acquired_after_wait is 19"));
  EXPECT_THAT(broken([](Cell&, auto& r) { r.cpus[0].failed.contended += 1; }),
              ElementsAre(kAt + "the CPUs' contended is 20, but gil.contended is 19"));
  EXPECT_THAT(broken([](Cell&, auto& r) {
                *r.threads[0].gil.mutex_sleeps += 1, *r.threads[0].trace->gil.mutex_sleeps += 1;
              }),
              ElementsAre(kAt + "the threads' mutex_sleeps is 2, but gil.mutex_sleeps is 1"));
  EXPECT_THAT(broken([](Cell&, auto& r) { *r.threads[0].gil.release_stalls += 1; }),
              ElementsAre(kAt + "threads/0: gil of its segments differs from its own",
                          kAt + "the threads' release_stalls is 2, but gil.release_stalls is 1"));
}

TEST(SubjectInvariants, EachKindOfProgramHasItsOwnNumbers) {
  EXPECT_THAT(broken([](Cell&, auto& r) {
                r.gil.acquires = 5, r.threads[0].gil.acquires = 5;
                r.threads[0].trace->gil.acquires = 5;
              }),
              ElementsAre(kAt + "gil.acquires is 5, in the run of a real program",
                          HasSubstr("the threads' acquires is null")));
  Report model = sample::report(1, 0);
  model.cells[3].runs[1].gil.unslept = 4;
  EXPECT_THAT(broken_invariants(model),
              ElementsAre("/cells/3/runs/1: gil.unslept is 4, in the run of a model"));
  model.cells[3].runs[1].gil.unslept.reset();
  model.cells[3].runs[1].gil.undecided = 4;
  EXPECT_THAT(broken_invariants(model),
              Contains("/cells/3/runs/1: gil.undecided is 4, in the run of a model"));
  EXPECT_THAT(broken([](Cell&, auto& r) { r.gil.mutex_sleeps.reset(); }),
              Contains(kAt + "gil.mutex_sleeps is null, in the run of a real program"));
}

TEST(SubjectInvariants, ASemaphoreHasNoCountOfItsOwn) {
  EXPECT_THAT(broken([](Cell&, auto& r) { r.gil.waits_begun.reset(), r.gil.unslept.reset(); }),
              ElementsAre());
}

// The run says itself that its self-test failed: the equation is not reported a second time.
TEST(SubjectInvariants, ADoubtIsSaidOnceAndFailsTheCheck) {
  const auto doubted = [](Cell&, auto& r) {
    *r.gil.waits_begun += 1000;
    r.gil.unslept.reset();
    r.gil.doubt = "its condition counted 1033 waits, of which\n33 were seen";
  };
  EXPECT_THAT(broken(doubted),
              ElementsAre(kAt + "its counts of the GIL are not to be believed: its condition "
                                "counted 1033 waits, of which\\x0a33 were seen"));
  Report report = sample::subject_report();
  doubted(report.cells[0], report.cells[0].runs[0]);
  const TemporaryDirectory directory;
  directory.write("report.json", to_json(report));
  const Outcome outcome = run_command(add_validate, {"validate", directory.path()});
  EXPECT_EQ(outcome.exit, 1);
  EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
}

TEST(SubjectInvariants, TwoProcessesOfOneProgramAreTwoCells) {
  Report report = sample::subject_report();
  report.cells.push_back(report.cells[0]);
  EXPECT_THAT(broken_invariants(report), ElementsAre("/cells/1: the same cell a second time"));
  report.cells[1].subject->pid = 1235;
  EXPECT_THAT(broken_invariants(report), ElementsAre());
}

TEST(SubjectCounts, ASumIsUnknownWhereOneSideDoesNotSay) {
  GilCounts sum = GilCounts::of_subject(), one = sum;
  one.undecided = 3, one.contended = 2;
  sum += one;
  EXPECT_EQ(sum.undecided, 3u);
  EXPECT_EQ(sum.failed(), 5u);
  EXPECT_EQ(sum.acquires, std::nullopt);
  GilCounts model;
  model += sum;
  EXPECT_EQ(model.acquires, std::nullopt);
  EXPECT_EQ(model.undecided, std::nullopt);
  EXPECT_EQ(model.contended, 2u);
}

}  // namespace
}  // namespace gilscope
