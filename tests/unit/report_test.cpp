#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "tests/unit/filled_report.h"
#include "tests/unit/sample_report.h"
#include "tests/unit/sanitizers.h"
#include "tests/unit/temporary_directory.h"
#include "userspace/report/invariants.h"
#include "userspace/report/json.h"
#include "userspace/report/report_file.h"

namespace gilscope {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// A report of two runs, for tests that change every byte of it.
Report small_report() {
  Report report = sample::report(1, 0);
  report.cells.resize(1);
  report.cells[0].runs[1].threads.resize(1);
  return report;
}

std::string error_of(const std::string& text) {
  const Result<Report> report = from_json(text, "r.json");
  if (report) return "";
  EXPECT_EQ(report.error().code, Exit::no_data);
  EXPECT_EQ(report.error().message.find('\n'), std::string::npos) << report.error().message;
  EXPECT_TRUE(report.error().message.starts_with("r.json: ")) << report.error().message;
  return report.error().message;
}

size_t entries(const TemporaryDirectory& dir) {
  return size_t(std::distance(fs::directory_iterator(dir.path()), fs::directory_iterator()));
}

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return (std::stringstream() << in.rdbuf()).str();
}

TEST(Histogram, QuantileIsTheUpperEdgeOfItsBucketAndNeverAboveTheMaximum) {
  const Histogram h{{{100, 112, 90}, {800, 900, 10}}, 850};
  EXPECT_EQ(h.count(), 100u);
  EXPECT_EQ(h.quantile_ns(0.5), 112u);
  EXPECT_EQ(h.quantile_ns(0.90), 112u);
  EXPECT_EQ(h.quantile_ns(0.91), 850u);
  EXPECT_EQ(h.quantile_ns(1.0), 850u);
  EXPECT_EQ(h.quantile_ns(0.0), 112u);
  EXPECT_EQ(Histogram{}.quantile_ns(0.5), std::nullopt);
}

TEST(Histogram, SumKeepsBucketsAscendingAndCounts) {
  Histogram h{{{100, 112, 1}, {800, 900, 2}}, 850};
  h += Histogram{{{50, 56, 3}, {800, 900, 4}}, 899};
  ASSERT_EQ(h.buckets.size(), 3u);
  EXPECT_EQ(h.buckets[0].low_ns, 50u);
  EXPECT_EQ(h.buckets[2].count, 6u);
  EXPECT_EQ(h.max_ns, 899u);
}

TEST(ReportJson, RoundTripIsByteIdentical) {
  const std::string once = to_json(sample::report());
  const Result<Report> back = from_json(once, "r.json");
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(to_json(*back), once);
}

TEST(ReportJson, RoundTripKeepsValuesAndAbsence) {
  Report report = small_report();
  auto& run = report.cells[0].runs[1];
  run.steal_ns.reset();
  run.steal_over_ns = 55'000;
  run.stopped_by = {"signal", "freezer"};
  run.threads[0].usage.reset();
  run.cpus[0].idle_ns.reset();
  run.workload["none"] = std::numeric_limits<double>::quiet_NaN();
  run.workload["endless"] = std::numeric_limits<double>::infinity();
  const std::string text = to_json(report);
  EXPECT_EQ(text.find("nan"), std::string::npos);
  EXPECT_EQ(text.find("inf"), std::string::npos);
  const Result<Report> back = from_json(text, "r.json");
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(to_json(*back), text);
  const auto& read = back->cells[0].runs[1];
  EXPECT_EQ(back->seed, report.seed);
  EXPECT_FALSE(read.steal_ns);
  EXPECT_EQ(read.steal_over_ns, 55'000u);
  EXPECT_EQ(read.stopped_by, run.stopped_by);
  EXPECT_FALSE(read.threads[0].usage);
  EXPECT_FALSE(read.cpus[0].idle_ns);
  EXPECT_EQ(read.cpus[0].foreign_ns, run.cpus[0].foreign_ns);
  EXPECT_EQ(read.threads[0].trace->gil, run.threads[0].trace->gil);
  EXPECT_EQ(read.threads[0].trace->tid, 4000u);
  EXPECT_EQ(read.segments_file, "segments/0.bin");
  ASSERT_TRUE(read.client);
  EXPECT_EQ(read.client->cpus, std::vector<int>{1});
  EXPECT_EQ(read.client->cpu_ns, 77'000u);
  EXPECT_EQ(read.samples_file, "samples/0.npy");
  EXPECT_EQ(back->environment_after[1].value, decltype(Fact::value)(int64_t{4299}));
}

TEST(ReportJson, KeysAreTheContract) {
  const Json json = Json::parse(to_json(sample::report(1, 1)));
  EXPECT_EQ(json["schema"], (Json{{"name", "gilscope.report"}, {"major", 1}, {"minor", 5}}));
  EXPECT_EQ(json["spec"]["sha256"], std::string(64, 'a'));
  const Json& run = json["cells"][3]["runs"][1];
  EXPECT_EQ(run["traced"], true);
  EXPECT_EQ(run["trace"], "full");
  EXPECT_EQ(run["tracer_cost"], (Json{{"bpf_ns", 123456}, {"bpf_runs", 789}}));
  EXPECT_EQ(json["cells"][3]["runs"][3]["tracer_cost"], nullptr);
  EXPECT_EQ(run["gil"]["woken_lost"], 48000);
  EXPECT_EQ(run["cores"][1]["wakeups"]["ran"], 25000);
  EXPECT_EQ(run["cores"][1]["migrations"]["raw_out"], 3);
  EXPECT_EQ(run["cores"][1]["failed"]["contended"], 9000);
  const Json& latency = run["threads"][0]["trace"]["histograms"]["wake_to_run"];
  EXPECT_EQ(latency["count"], 25000);
  EXPECT_EQ(latency["p50_ns"], 4500);
  EXPECT_EQ(latency["buckets"][0], (Json{4000, 4500, 24500}));
  const Json& untraced = json["cells"][3]["runs"][0];
  EXPECT_EQ(untraced["histograms"], nullptr);
  EXPECT_EQ(untraced["lost"], nullptr);
  EXPECT_EQ(untraced["threads"][0]["trace"], nullptr);
}

TEST(ReportJson, EveryMemberOfTheModelIsWrittenAndRead) {
  const Report report = filled_report();
  const std::string text = to_json(report);
  const Result<Report> back = from_json(text, "r.json");
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(to_json(*back), text);
  EXPECT_TRUE(*back == report) << "a member of the model is missing in fields.h";
  EXPECT_FALSE(*back == Report());
}

TEST(ReportJson, DisturbanceLimitsAreKeptAndOlderReportsHaveNone) {
  Report report = small_report();
  report.cells[0].runs[0].disturbances = {{"foreign", 0.5, 0.25}, {"steal", std::nullopt, 0.05}};
  const std::string text = to_json(report);
  Json json = Json::parse(text);
  EXPECT_EQ(json["cells"][0]["runs"][0]["gates"],
            (Json{{{"gate", "foreign"}, {"value", 0.5}, {"limit", 0.25}},
                  {{"gate", "steal"}, {"value", nullptr}, {"limit", 0.05}}}));
  EXPECT_EQ(json["cells"][0]["runs"][1]["gates"], Json::array());
  const Result<Report> back = from_json(text, "r");
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(to_json(*back), text);
  EXPECT_TRUE(back->cells[0].runs[0].disturbed());
  EXPECT_FALSE(back->cells[0].runs[1].disturbed());

  json["cells"][0]["runs"][0]["gates"].erase(0);
  // A limit that was not judged is not exceeded.
  EXPECT_FALSE(from_json(json.dump(), "r")->cells[0].runs[0].disturbed());
  json["cells"][0]["runs"][0].erase("gates");
  const Result<Report> older = from_json(json.dump(), "r");
  ASSERT_TRUE(older) << older.error().message;
  EXPECT_TRUE(older->cells[0].runs[0].disturbances.empty());
  json["cells"][0]["runs"][0]["gates"] = Json{{{"gate", "foreign"}}};
  EXPECT_TRUE(error_of(json.dump()).find("/cells/0/runs/0/gates/0") != std::string::npos);
}

TEST(ReportJson, AnUnobservedCpusTimeIsUnknownNotZero) {
  Report report = small_report();
  CpuTrace idle;
  idle.cpu = 1;
  report.cells[0].runs[1].cpus.push_back(idle);
  const std::string text = to_json(report);
  const Json cpu = Json::parse(text)["cells"][0]["runs"][1]["cores"][1];
  EXPECT_EQ(cpu["on_cpu_ns"], nullptr);
  EXPECT_EQ(cpu["foreign_ns"], nullptr);
  EXPECT_EQ(cpu["histograms"]["run"]["max_ns"], nullptr);
  ASSERT_TRUE(from_json(text, "r"));
  EXPECT_EQ(to_json(*from_json(text, "r")), text);
}

TEST(ReportJson, FactsNestAndNullOnesHaveTheirReason) {
  const Json env = Json::parse(to_json(small_report()))["environment"];
  EXPECT_EQ(env["kernel"]["release"], "6.18.4");
  EXPECT_EQ(env["cpu"]["online"], (Json{0, 1}));
  EXPECT_EQ(env["kernel"]["preempt"], nullptr);
  EXPECT_EQ(env["missing"]["kernel.preempt"],
            "cannot read /sys/kernel/debug/sched/preempt: not root");
  EXPECT_EQ(env["before"]["load"]["one_minute"], 0.25);
  EXPECT_EQ(env["after"]["uptime_s"], 4299);
}

TEST(ReportJson, FactsWhoseKeysAreInEachOthersWayAreAllKept) {
  Report report = small_report();
  report.capabilities = {{"a", int64_t{1}, ""},
                         {"a.b", int64_t{2}, ""},
                         {"c.d", int64_t{3}, ""},
                         {"c", int64_t{4}, ""},
                         {"x", std::vector<std::string>{}, ""}};
  const std::string text = to_json(report);
  const Result<Report> back = from_json(text, "r");
  ASSERT_TRUE(back);
  EXPECT_EQ(back->capabilities.size(), 5u);
  EXPECT_EQ(to_json(*back), text);
}

TEST(ReportJson, BytesThatAreNoUtf8DoNotMakeItInvalid) {
  Report report = small_report();
  report.cells[0].runs[0].threads[0].name = "a\xff\x1b[31m";
  const std::string text = to_json(report);
  const Result<Report> back = from_json(text, "r");
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(to_json(*back), text);
}

TEST(ReportJson, OneRunIsOneLine) {
  std::istringstream text(to_json(sample::report(2, 1)));
  int runs = 0;
  for (std::string line; std::getline(text, line);) runs += line.find("\"block\"") != line.npos;
  EXPECT_EQ(runs, 8 * 3 * 2);
}

// Under AddressSanitizer the fuzzer does as much, and more. Not a multiple of five, so that each
// kind of damage gets its turn.
constexpr size_t kStride = GILSCOPE_UNDER_ASAN ? 7 : 1;

TEST(ReportRefusal, TruncatedAnywhereIsAnErrorAndNoCrash) {
  const std::string text = to_json(small_report());
  ASSERT_TRUE(from_json(text, "r.json"));
  const size_t end = text.find_last_of('}');
  for (size_t length = 0; length <= end; length += kStride) {
    ASSERT_NE(error_of(text.substr(0, length)), "") << "at byte " << length;
  }
  EXPECT_NE(error_of(text.substr(0, end)).find("truncated"), std::string::npos);
}

TEST(ReportRefusal, EveryDamagedByteIsReadOrRefused) {
  const std::string text = to_json(small_report());
  for (size_t at = 0; at < text.size(); at += kStride) {
    std::string damaged = text;
    damaged[at] = "\0\"9-\xff"[at % 5];
    (void)from_json(damaged, "r.json");
  }
}

TEST(ReportRefusal, AnotherMajorIsRefusedByNumber) {
  Report report = small_report();
  report.major = 2;
  const std::string message = error_of(to_json(report));
  EXPECT_NE(message.find("major version 2"), std::string::npos) << message;
  EXPECT_NE(message.find("major version 1"), std::string::npos) << message;
}

TEST(ReportRefusal, ALaterMinorWithUnknownKeysIsRead) {
  Json json = Json::parse(to_json(small_report()));
  json["schema"]["minor"] = 7;
  json["later"] = {{"x", 1}};
  json["cells"][0]["runs"][0]["later"] = Json::array({1, "a", nullptr});
  json["environment"]["later"] = Json::array({1, "mixed"});
  const Result<Report> report = from_json(json.dump(), "r");
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->minor, 7);
}

TEST(ReportRefusal, WhatIsNoReportIsSaidToBeNone) {
  for (const char* text : {"", " \n", "[]", "{}", "3", "null", "\"x\"", "{\"schema\": 1}",
                           "{\"schema\": {\"name\": 5, \"major\": 1}}", "hello",
                           "\x7f"
                           "ELF"}) {
    EXPECT_NE(error_of(text).find("not"), std::string::npos) << text;
  }
  EXPECT_NE(
      error_of("{\"schema\": {\"name\": \"x\\u001b[2J\", \"major\": 1}}").find("\"x\\x1b[2J\""),
      std::string::npos);
}

// The text after the last brace is not white space, or not only: a parser that stops at a NUL, or
// at the end of the first document, would read half a file and call it valid.
TEST(ReportRefusal, NothingButWhiteSpaceFollowsTheReport) {
  const std::string text = to_json(small_report());
  using namespace std::string_literals;
  for (const std::string& behind :
       {"\0"s, "\0\0\0\0"s, "\n\0"s, "\0{\"status\": half a report"s, "\0 \n"s, "x"s, "{"s, "}"s,
        "{}"s, "[]"s, ","s, "\xff"s, "\xef\xbb\xbf"s, "\x1a"s, "// a comment"s, "\f"s, "\xc2\xa0"s,
        text, "\x1e" + text}) {
    const std::string error = error_of(text + behind);
    EXPECT_NE(error.find(": not JSON (at byte "), std::string::npos) << behind << ": " << error;
  }
  const size_t last = text.size();
  EXPECT_NE(error_of(text + "\0"s).find(fmt::format("byte {0} of {0})", last + 1)),
            std::string::npos);
  EXPECT_NE(error_of(text + "x"s).find(fmt::format("byte {0} of {0})", last + 1)),
            std::string::npos);
  EXPECT_TRUE(from_json(text + " \t\r\n\n", "r.json"));
  EXPECT_TRUE(from_json("\n " + text, "r.json"));
}

TEST(ReportRefusal, BytesThatAreNoJsonAreSaidToBeNone) {
  using namespace std::string_literals;
  const std::string text = to_json(small_report());
  const auto inside = [&](const std::string& bytes) {
    std::string damaged = text;
    return damaged.insert(damaged.find("AMD EPYC") + 3, bytes);
  };
  std::string utf16 = "\xff\xfe"s, bare16;
  for (const char c : text) bare16 += {c, '\0'};
  utf16 += bare16;
  for (const std::string& damaged :
       {inside("\0"s), inside("\n"), inside("\xff"), inside("\xc3"), inside("\xed\xa0\x80"),
        inside("\xc0\x80"), inside("\\ud800"), inside("\\udc00\\ud800"), inside("\\x41"), utf16,
        bare16, "\0"s + text,
        text.substr(0, text.size() / 2) + "\0"s + text.substr(text.size() / 2)}) {
    EXPECT_NE(error_of(damaged).find(": not JSON (at byte "), std::string::npos)
        << damaged.substr(0, 40) << ": " << error_of(damaged);
  }
  const auto seed = [&](const std::string& value) {
    std::string damaged = text;
    const size_t at = damaged.find("\"seed\": ") + 8;
    return damaged.replace(at, damaged.find(',', at) - at, value);
  };
  ASSERT_TRUE(from_json(seed("7"), "r.json"));
  for (const char* value : {"NaN", "Infinity", "-Infinity", "0x10", "010", "+1", ".5", "1.", "--1",
                            "1e", "'1'", "True", "undefined", "1,"}) {
    EXPECT_NE(error_of(seed(value)).find(": not JSON (at byte "), std::string::npos) << value;
  }
  for (const char* value : {"1e999", "-1e999"}) {
    EXPECT_NE(error_of(seed(value)).find("out of range"), std::string::npos) << value;
  }
  for (const char* value : {"-1", "1.5", "99999999999999999999999", "1e300", "null", "\"1\""}) {
    EXPECT_NE(error_of(seed(value)).find("/seed"), std::string::npos) << value;
  }
}

TEST(ReportRefusal, AKeyThatIsThereTwiceIsNoReport) {
  const std::string text = to_json(small_report());
  for (const char* twice : {"\"seed\": 1, \"seed\"", "\"s\\u0065ed\": 1, \"seed\"",
                            "\"later\": {\"a\": 1, \"a\": 1}, \"seed\""}) {
    std::string damaged = text;
    damaged.replace(damaged.find("\"seed\""), 6, twice);
    EXPECT_NE(error_of(damaged).find("a key twice"), std::string::npos) << twice;
  }
  Report report = small_report();
  report.cells[0].runs[0].threads[0].name = "a:b,{\"x\":\\";
  EXPECT_TRUE(from_json(to_json(report), "r.json"));
}

TEST(ReportRefusal, AbsurdShapesAreRefusedAtOnce) {
  EXPECT_NE(error_of(std::string(10'000'000, '[')).find("deeper"), std::string::npos);
  std::string wide = "{";
  for (int i = 0; i < 100'000; ++i) wide += fmt::format("\"{}\":0,", i);
  EXPECT_NE(error_of(wide + "\"\":0}").find("keys"), std::string::npos);
  EXPECT_NE(error_of("{\"schema\": 1e999}"), "");
}

TEST(ReportSchema, WhatIsWrittenIsValid) {
  Report report = sample::report(2, 1);
  report.status = "interrupted";
  report.cells[0].runs[1].status = "failed";
  report.cells[0].runs[1].failure = "the worker died of signal 11";
  const auto violations = schema_violations(to_json(report), "r");
  ASSERT_TRUE(violations);
  EXPECT_TRUE(violations->empty()) << violations->front();
  Report begun;
  begun.status = "running";
  EXPECT_TRUE(schema_violations(to_json(begun), "r")->empty());
}

// Keys that came with a minor version; reports of earlier ones lack them.
const std::set<std::string> kLater = {"/claim",
                                      "/cells[]/cpu_order",
                                      "/cells[]/bounded_by",
                                      "/cells[]/subject",
                                      "/cells[]/runs[]/cores[]/drop_requests",
                                      "/cells[]/runs[]/gates",
                                      "/cells[]/runs[]/steal_over_ns",
                                      "/cells[]/runs[]/stopped_by",
                                      "/cells[]/runs[]/client",
                                      "/cells[]/runs[]/samples_file",
                                      "/cells[]/runs[]/opened_ns",
                                      "/cells[]/runs[]/lost/window_late_ns",
                                      "/cells[]/runs[]/threads[]/perf"};

// The schema knows every key that the writer writes, and requires it unless it came later;
// otherwise the two would drift apart.
void expect_known(const Json& value, const Json& rule, const Json& schema, const std::string& at) {
  if (rule.contains("$ref")) {
    const std::string name = rule["$ref"].get<std::string>().substr(std::strlen("#/definitions/"));
    return expect_known(value, schema["definitions"][name], schema, at);
  }
  if (rule.contains("anyOf")) {
    if (!value.is_null()) expect_known(value, rule["anyOf"][1], schema, at);
    return;
  }
  if (value.is_array()) {
    ASSERT_TRUE(rule.contains("items")) << at;
    for (const Json& element : value) expect_known(element, rule["items"], schema, at + "[]");
  }
  if (!value.is_object() || !rule.contains("required")) return;
  for (const auto& [key, member] : value.items()) {
    if (at == "/environment" && key != "before" && key != "after") continue;
    const Json& required = rule["required"];
    const bool is_required = std::find(required.begin(), required.end(), key) != required.end();
    EXPECT_NE(is_required, kLater.contains(at + "/" + key)) << at + "/" + key;
    ASSERT_TRUE(rule["properties"].contains(key)) << at + "/" + key;
    expect_known(member, rule["properties"][key], schema, at + "/" + key);
  }
}

const char* const kSchemaText =
#include "docs/report.schema.json.inc"
    ;

TEST(ReportSchema, KnowsEveryKeyThatIsWritten) {
  const Json schema = Json::parse(kSchemaText);
  expect_known(Json::parse(to_json(sample::report(1, 1))), schema, schema, "");
}

void erase_later(Json& value, const std::string& at) {
  if (value.is_array()) {
    for (Json& element : value) erase_later(element, at + "[]");
  } else if (value.is_object()) {
    for (const std::string& key : kLater) {
      if (key.substr(0, key.rfind('/')) == at) value.erase(key.substr(key.rfind('/') + 1));
    }
    for (auto& [key, member] : value.items()) erase_later(member, at + "/" + key);
  }
}

TEST(ReportSchema, WhatIsReadWithoutTheLaterKeysIsWrittenValid) {
  Json json = Json::parse(to_json(small_report()));
  erase_later(json, "");
  EXPECT_TRUE(json.dump().find("cpu_order") == std::string::npos);
  const auto read = from_json(json.dump(), "older");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(schema_violations(to_json(*read), "written").value(), std::vector<std::string>());
}

TEST(ReportSchema, NamesPlaceAndRuleOfEachViolation) {
  const Json good = Json::parse(to_json(small_report()));
  const auto violation = [&](auto damage) {
    Json json = good;
    damage(json);
    const auto violations = schema_violations(json.dump(), "r");
    if (!violations) return violations.error().message;
    if (violations->size() != 1) return fmt::format("{} violations", violations->size());
    EXPECT_FALSE(from_json(json.dump(), "r"));
    return violations->front();
  };
  const auto run = [](Json& json) -> Json& { return json["cells"][0]["runs"][1]; };

  EXPECT_EQ(violation([](Json&) {}), "0 violations");
  EXPECT_EQ(violation([&](Json& j) { run(j).erase("wall_ns"); }),
            "/cells/0/runs/1: without \"wall_ns\"");
  EXPECT_EQ(violation([&](Json& j) { run(j)["gil"]["acquires"] = -1; }),
            "/cells/0/runs/1/gil/acquires: must have \"minimum\": 0");
  EXPECT_EQ(violation([&](Json& j) { run(j)["threads"][0]["role"] = "boss"; }),
            "/cells/0/runs/1/threads/0/role: must have \"enum\": "
            "[\"main\",\"worker\",\"background\"]");
  EXPECT_EQ(violation([&](Json& j) { run(j)["cores"][0]["cpu"] = 5'000'000'000; }),
            "/cells/0/runs/1/cores/0/cpu: must have \"maximum\": 2147483647");
  EXPECT_EQ(violation([&](Json& j) { run(j)["wall_ns"] = 1.5; }),
            "/cells/0/runs/1/wall_ns: must have \"type\": \"integer\"");
  EXPECT_EQ(violation([&](Json& j) { run(j) = 7; }),
            "/cells/0/runs/1: must have \"type\": \"object\"");
  EXPECT_EQ(violation([](Json& j) { j.erase("seed"), j.erase("id"); }),
            "/: without \"id\", \"seed\"");
  EXPECT_EQ(violation([](Json& j) { j["cells"] = 1; }), "/cells: must have \"type\": \"array\"");
  EXPECT_EQ(violation([](Json& j) { j["cells"][0]["runs"] = "x"; }),
            "/cells/0/runs: must have \"type\": \"array\"");
  EXPECT_EQ(violation([](Json& j) { j["environment"].erase("after"); }),
            "/environment: without \"after\"");
  EXPECT_EQ(violation([](Json& j) { j["environment"]["before"]["missing"]["x"] = 1; }),
            "/environment/before/missing/x: must have \"type\": \"string\"");
}

TEST(ReportSchema, AViolationInOneRunDoesNotHideThatInAnother) {
  Json json = Json::parse(to_json(small_report()));
  json["cells"][0]["runs"][0].erase("gil");
  json["cells"][0]["runs"][1].erase("gil");
  json.erase("seed");
  EXPECT_EQ(schema_violations(json.dump(), "r")->size(), 3u);
}

TEST(ReportInvariants, HoldInTheSample) {
  EXPECT_EQ(broken_invariants(sample::report()), std::vector<std::string>{});
}

TEST(ReportInvariants, EachOneBrokenIsNamed) {
  const auto broken = [](auto damage) {
    Report report = sample::report(2, 1);
    damage(report, report.cells[3].runs[5]);
    const std::vector<std::string> lines = broken_invariants(report);
    return lines.size() == 1 ? lines[0] : fmt::format("{} broken", lines.size());
  };
  const std::string at = "/cells/3/runs/5: ";

  EXPECT_EQ(broken([](Report&, auto& r) { r.cpus[0].failed.contended += 1; }),
            at + "the CPUs' contended is 18001, but gil.contended is 18000");
  EXPECT_EQ(broken([](Report&, auto& r) { r.cpus[0].failed.woken_lost -= 1; }),
            at + "the CPUs' woken_lost is 47999, but gil.woken_lost is 48000");
  EXPECT_EQ(broken([](Report&, auto& r) { r.cpus[0].failed.timed_out += 1; }),
            at + "the CPUs' timed_out is 1, but gil.timed_out is 0");
  EXPECT_EQ(broken([](Report&, auto& r) { *r.cpus[1].acquires += 1; }),
            at + "the CPUs' acquires is 1202001, but gil.acquires is 1202000");
  EXPECT_EQ(broken([](Report&, auto& r) { r.segment_records -= 1; }),
            at + "segment_records + lost.segments is 50199, but the CPUs' segments is 50200");
  EXPECT_EQ(broken([](Report&, auto& r) { r.lost->segments += 1, r.segment_records -= 1; }),
            at + "the CPUs' records_dropped is 0, but lost.segments is 1");
  EXPECT_EQ(broken([](Report&, auto& r) { r.threads[0].trace->segments += 1; }),
            at + "the threads' segments is 50201, but the CPUs' segments is 50200");
  EXPECT_EQ(broken([](Report&, auto& r) { *r.threads[0].trace->gil.releases += 1; }),
            at + "threads/0: gil of its segments differs from its own");
  EXPECT_EQ(broken([](Report&, auto& r) { *r.gil.releases += 1; }),
            at + "the threads' releases is 1202000, but gil.releases is 1202001");
  EXPECT_EQ(broken([](Report&, auto& r) {
              *r.gil.drop_requests += 1;
              *r.cpus[0].drop_requests += 1;
            }),
            at + "the threads' drop_requests is 0, but gil.drop_requests is 1");
  EXPECT_EQ(broken([](Report&, auto& r) { *r.cpus[1].drop_requests += 2; }),
            at + "the CPUs' drop_requests is 2, but gil.drop_requests is 0");
  EXPECT_EQ(broken([](Report&, auto& r) { r.cpus[1].drop_requests.reset(); }), "0 broken");
  EXPECT_EQ(broken([](Report&, auto& r) { r.lost.reset(); }), at + "traced, but \"lost\" is null");
  EXPECT_EQ(broken([](Report&, auto& r) { r.block = 3; }),
            at + "block 3 of 3 planned (counted from 0)");
  EXPECT_EQ(broken([](Report&, auto& r) { r.warmup = true; }),
            at + "block 2 is marked as a warm-up one, of which 1 are planned first");
  EXPECT_EQ(broken([](Report&, auto& r) { r.trace = "off"; }),
            at + "block 2 has a second run with trace \"off\"");
  // An interrupted block is run again; its first attempt stays.
  EXPECT_EQ(broken([](Report& report, auto&) {
              Cell& cell = report.cells[0];
              cell.runs.push_back(cell.runs.back());
              cell.runs.back().status = "interrupted";
            }),
            "0 broken");
  EXPECT_EQ(broken([](Report&, auto& r) {
              r.disturbances = {{"steal", 0.05, 0.05}};
            }),
            at + "the disturbance 'steal' marks 0.05, which is not above its limit of 0.05");
  EXPECT_EQ(broken([](Report&, auto& r) {
              r.disturbances = {{"steal", 0.2, 0.05}, {"steal", std::nullopt, 0.05}};
            }),
            at + "the disturbance 'steal' a second time");
  EXPECT_EQ(broken([](Report&, auto& r) { r.cpus[1].cpu = 0; }), at + "cpu 0 a second time");
  EXPECT_EQ(broken([](Report& p, auto&) { p.cells[1].arrangement = "sequential"; }),
            "/cells/1: the same cell a second time");
}

TEST(ReportInvariants, ARunThatDidNotFinishIsNotHeldToTheSums) {
  Report report = sample::report(1, 0);
  report.cells[3].runs[1].status = "failed";
  *report.cells[3].runs[1].gil.acquires += 1;
  EXPECT_TRUE(broken_invariants(report).empty());
}

TEST(ReportFile, IsReadByItsNameOrItsDirectorys) {
  const TemporaryDirectory dir;
  ASSERT_TRUE(write_report(small_report(), dir / "report.json"));
  EXPECT_TRUE(read_report(dir / "report.json"));
  EXPECT_TRUE(read_report(dir / ""));
  struct stat status {};
  ASSERT_EQ(::stat((dir / "report.json").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0111, 0u);
  EXPECT_EQ(entries(dir), 1u);
}

TEST(ReportFile, WhatCannotBeReadIsARunError) {
  const TemporaryDirectory dir;
  EXPECT_EQ(read_report(dir / "none.json").error().code, Exit::error);
  EXPECT_EQ(read_report(dir / "").error().code, Exit::error);
}

TEST(ReportFile, IsReplacedWhole) {
  const TemporaryDirectory dir;
  const std::string path = dir / "report.json";
  ASSERT_TRUE(write_report(sample::report(3, 1), path));
  const int old = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_TRUE(write_report(small_report(), path));
  EXPECT_EQ(contents(path), to_json(small_report()));
  // A reader that had the old file open still reads it: the new one was renamed over it, not
  // written over it.
  struct stat status {};
  ASSERT_EQ(::fstat(old, &status), 0);
  EXPECT_EQ(size_t(status.st_size), to_json(sample::report(3, 1)).size());
  ::close(old);
  EXPECT_EQ(entries(dir), 1u);
}

TEST(ReportFile, FollowsNoSymbolicLink) {
  const TemporaryDirectory dir;
  dir.write("precious", "precious");
  fs::create_symlink(dir / "precious", dir / "report.json");
  const Status status = write_report(small_report(), dir / "report.json");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Exit::error);
  EXPECT_NE(status.error().message.find("symbolic link"), std::string::npos);
  EXPECT_EQ(contents(dir / "precious"), "precious");
  EXPECT_TRUE(fs::is_symlink(dir / "report.json"));
  EXPECT_EQ(entries(dir), 2u);
}

TEST(ReportFile, IsNotWrittenOverADirectoryOrNowhere) {
  const TemporaryDirectory dir;
  fs::create_directory(dir / "report.json");
  EXPECT_FALSE(write_report(small_report(), dir / "report.json"));
  EXPECT_FALSE(write_report(small_report(), dir / "none/report.json"));
  EXPECT_FALSE(write_report(small_report(), dir / ""));
  EXPECT_EQ(entries(dir), 1u);
}

// A file size limit fails a write midway, like a full disk.
TEST(ReportFile, AFullDiskLeavesTheOldReportAndNothingElse) {
  const TemporaryDirectory dir;
  const std::string path = dir / "report.json";
  ASSERT_TRUE(write_report(small_report(), path));
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{10'000, 10'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const Status status = write_report(sample::report(), path);
    const bool printed = !status && status.error().message.find("cannot write") == 0 &&
                         status.error().message.find("large") != std::string::npos;
    ::_exit(printed ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ(contents(path), to_json(small_report()));
  EXPECT_EQ(entries(dir), 1u);
}

}  // namespace
}  // namespace gilscope
