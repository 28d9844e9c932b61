// The wait matrix in every view.
#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/unit/command.h"
#include "tests/unit/sample_waits.h"
#include "tests/unit/subject_export.h"
#include "tests/unit/subject_report.h"
#include "tools/analysis/wait_words.h"
#include "tools/cli/tools.h"
#include "tools/compare/metrics.h"
#include "tools/html/wait_section.h"
#include "tools/json/trace_json.h"
#include "tools/text/report.h"

namespace gilscope {
namespace {

using Json = nlohmann::ordered_json;
using sample::kMs;
using sample::one_holder_two_waiters;
using sample::Traced;
using sample::TracedSubject;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::vector<std::string> kNames{"main", "one", "two"};

// Of thread 1 for thread 0.
WaitMatrix waited(WaitTime running, WaitTime preempted, WaitTime asleep,
                  WaiterWas waiter = WaiterWas::asleep) {
  WaitMatrix waits;
  waits.resize(3);
  PairWaits& pair = waits.place(1, 0);
  pair.at(waiter, OwnerWas::running) = running;
  pair.at(waiter, OwnerWas::preempted) = preempted;
  pair.at(waiter, OwnerWas::asleep) = asleep;
  return waits;
}

WaitTime ms(uint64_t certain, uint64_t bounded = 0) {
  return {(certain + bounded) * kMs, bounded * kMs};
}

TEST(WorstPair, SaysForHowLongAndWhatTheOwnerDid) {
  EXPECT_EQ(worst_pair(waited(ms(300), ms(900), {}), kNames, "the GIL"),
            "`one` waited 1.20 s for the GIL while `main` held it: 900 ms of that `main` was "
            "preempted.");
  EXPECT_EQ(worst_pair(waited(ms(60), ms(15), ms(25)), kNames, "the mutex `pool`"),
            "`one` waited 100 ms for the mutex `pool` while `main` held it: 25.0 ms of that `main` "
            "was asleep and 15.0 ms preempted.");
  EXPECT_EQ(worst_pair(waited(ms(95), ms(5), {}), kNames, "the GIL"),
            "`one` waited 100 ms for the GIL while `main` held it: `main` ran meanwhile.");
}

TEST(WorstPair, SaysWhatIsForCertain) {
  EXPECT_THAT(worst_pair(waited(ms(20, 80), {}, {}), kNames, "the GIL"),
              HasSubstr("`one` waited about 100 ms (20.0 ms for certain) for the GIL while `main` "
                        "held it: "));
  EXPECT_THAT(worst_pair(waited(ms(0, 80), {}, {}), kNames, "the GIL"),
              HasSubstr("waited about 80.0 ms (none of it for certain) for"));
  EXPECT_THAT(worst_pair(waited(ms(99, 1), {}, {}), kNames, "the GIL"), Not(HasSubstr("certain")));
}

TEST(WorstPair, IsAMeanOfRunsAndSaysIfTheWaiterHadNoCpu) {
  EXPECT_THAT(worst_pair(waited(ms(300), {}, {}, WaiterWas::runnable), kNames, "the GIL", 3),
              AllOf(HasSubstr("waited 100 ms a run for"),
                    HasSubstr("; for 100 ms `one` itself could have run and had no CPU.")));
  EXPECT_EQ(worst_pair(WaitMatrix(), kNames, "the GIL"), "");
}

CellFindings found(const Traced& traced) {
  auto findings = report_findings(traced.path(), traced.report);
  EXPECT_TRUE(findings) << findings.error().message;
  return findings && findings->cells[0] ? *findings->cells[0] : CellFindings();
}

Traced constructed() {
  return Traced(sample::segments(one_holder_two_waiters(kMs)));
}

TEST(WorstPair, OfACellIsNotSaidWhereItMeansNothing) {
  const Traced traced = constructed();
  const Cell& cell = traced.report.cells[0];
  CellFindings findings = found(traced);
  EXPECT_EQ(worst_pair(cell, &findings, Times()),
            "`Thread-1` waited about 750 ms (600 ms for certain) for the GIL while `MainThread` "
            "held it: 120 ms of that `MainThread` was preempted and 80.0 ms asleep.");
  EXPECT_EQ(worst_pair(cell, nullptr, Times()), "");
  EXPECT_EQ(worst_pair(cell, &findings, Times{.emulated = true}), "");
  Cell doubted = TracedSubject().report.cells[0];
  doubted.runs[0].gil.doubt = "why";
  EXPECT_EQ(worst_pair(doubted, &findings, Times()), "");
  findings.sum.dropped = 3;
  EXPECT_THAT(worst_pair(cell, &findings, Times()),
              testing::EndsWith(" That has holes: 3 records dropped."));
  findings.sum.span_ns = 1'000'000 * kMs;
  EXPECT_EQ(worst_pair(cell, &findings, Times()), "") << "hardly at all";
}

TEST(WaitLines, LeaveNothingOutSilently) {
  const Traced traced = constructed();
  const CellFindings findings = found(traced);
  for (const size_t most : {0, 1, 2, 10}) {
    const WaitLines all = wait_lines(findings, most);
    EXPECT_EQ(all.lines.size(), std::min<size_t>(most, 3));
    EXPECT_EQ(all.pairs_left_out, 3 - all.lines.size());
    uint64_t sum = all.left_out.total().ns;
    for (const WaitLine& line : all.lines) sum += line.waits.total().ns;
    for (const uint64_t ns : all.nobody_ns) sum += ns;
    EXPECT_EQ(sum, findings.sum.waits.waited_ns());
  }
}

// A thread that waited for more others than its row has places for.
TEST(WaitLines, HaveWhatFoundNoPlaceInTheMatrix) {
  constexpr uint32_t kThreads = WaitMatrix::kOwners + 7;
  const Traced traced = constructed();
  CellFindings findings = found(traced);
  WaitMatrix& waits = findings.sum.waits;
  waits = {};
  waits.resize(kThreads);
  uint64_t ns = 0;
  for (uint32_t owner = 1; owner < kThreads; ++owner) {
    waits.place(0, owner).at(WaiterWas::asleep, OwnerWas::running).add(owner * kMs, false);
    ns += owner * kMs;
  }
  ASSERT_EQ(waits.waited_ns(), ns);
  const WaitLines all = wait_lines(findings, SIZE_MAX);
  EXPECT_EQ(all.lines.size(), WaitMatrix::kOwners);
  EXPECT_EQ(all.pairs_left_out, 0u);
  EXPECT_EQ(all.left_out.total().ns, (1 + 2 + 3 + 4 + 5 + 6) * kMs) << "the least of them";
  EXPECT_EQ(all.lines.back().waits.total().ns, 7 * kMs);
  EXPECT_THAT(wait_section(traced.report.cells[0], findings, Times()),
              AllOf(HasSubstr("<th scope=\"col\">nobody seen"),
                    HasSubstr("<th scope=\"col\">threads without a column"),
                    HasSubstr("<th scope=\"col\">50 others")));
  EXPECT_EQ(trace_json(findings)["waits"]["each_waiter"][0]["other_owners"]["ns"], 21 * kMs);
}

std::string shown(const Traced& traced, bool all, std::optional<Per> per = {}) {
  auto findings = report_findings(traced.path(), traced.report);
  std::ostringstream out;
  print_text_report(out, traced.report,
                    {.color = false, .width = 120, .per = per, .all = all, .report = {}},
                    *findings);
  return out.str();
}

TEST(WaitText, BeginsWithTheWorstPair) {
  Traced traced = constructed();
  EXPECT_THAT(shown(traced, false),
              HasSubstr("\n`Thread-1` waited about 750 ms (600 ms for certain) for the GIL"));
  traced.report.cells[0].policy = "none";
  traced.write();
  EXPECT_THAT(shown(traced, false), Not(HasSubstr("waited")));
}

TEST(WaitText, HasAllPairs) {
  Traced traced = constructed();
  for (const auto& text : {shown(traced, true), shown(traced, false, Per::thread)}) {
    EXPECT_THAT(text,
                AllOf(HasSubstr("WHO MADE WHOM WAIT"),
                      testing::ContainsRegex("Thread-1 for MainThread +750 ms +600 ms +710 ms "
                                             "+20.0 ms +20.0 ms +550 ms +120 ms +80.0 ms"),
                      testing::ContainsRegex("Thread-2 for Thread-1 +50.0 ms"),
                      testing::ContainsRegex("no owner seen +110 ms +- +50.0 ms +60.0 ms"),
                      Not(HasSubstr("with holes"))));
  }
  traced.run().lost->segments = 2;
  traced.write();
  EXPECT_THAT(shown(traced, true), HasSubstr("with holes: 2 records dropped"));
  traced.report.cells[0].policy = "sharded:16";
  traced.write();
  EXPECT_THAT(shown(traced, true), Not(HasSubstr("WHO MADE WHOM WAIT")));
}

TEST(WaitPage, HasAMapAndATable) {
  Traced traced = constructed();
  traced.run().threads[1].name = "<b>";
  const CellFindings findings = found(traced);
  const std::string html = wait_section(traced.report.cells[0], findings, Times());
  EXPECT_THAT(html, AllOf(HasSubstr("data-key=\"waits\" data-value=\"750000000\">750 ms"),
                          HasSubstr("<th scope=\"col\">nobody seen"), HasSubstr("data-pair=\"2\""),
                          HasSubstr("&lt;b&gt;"), Not(HasSubstr("<b>"))));
  EXPECT_EQ(wait_section(traced.report.cells[0], findings, Times{.emulated = true}), "");
  CellFindings nothing = findings;
  nothing.sum.waits = {};
  EXPECT_EQ(wait_section(traced.report.cells[0], nothing, Times()), "");
}

TEST(WaitJson, HasTheMatrix) {
  const Traced traced = constructed();
  const CellFindings findings = found(traced);
  const Json waits = trace_json(findings)["waits"];
  EXPECT_EQ(waits["waited_ns"], 1610 * kMs);
  EXPECT_EQ(waits["no_owner_seen_ns"], 110 * kMs);
  const Json& one = waits["each_waiter"][1];
  EXPECT_EQ(one["waited_ns"], 800 * kMs);
  EXPECT_EQ(one["no_owner_seen_ns"]["runnable"], 50 * kMs);
  EXPECT_TRUE(one["other_owners"].is_null());
  EXPECT_EQ(one["owners"][0]["owner"], 0);
  EXPECT_EQ(one["owners"][0]["waiter"]["asleep"]["owner"]["running"],
            (Json{{"ns", 510 * kMs}, {"bounded_ns", 150 * kMs}}));
  CellFindings none = findings;
  none.sum.waits = {};
  EXPECT_TRUE(trace_json(none)["waits"].is_null());
}

TEST(WaitRows, AddUpToTheWaiting) {
  const TracedSubject subject;
  const WaitMatrix waits = found(subject).sum.waits;
  std::istringstream lines(exported(subject, {"--format", "ndjson"}));
  WaitMatrix read;
  read.resize(waits.threads());
  uint64_t ns = 0, unseen_ns = 0, bounded_ns = 0;
  for (std::string line; std::getline(lines, line);) {
    const Json row = Json::parse(line);
    if (row["type"] != "wait") continue;
    ns += row["ns"].get<uint64_t>();
    bounded_ns += row["bounded_ns"].get<uint64_t>();
    if (row["owner_was"] == "unseen") {
      EXPECT_TRUE(row["owner"].is_null());
      unseen_ns += row["ns"].get<uint64_t>();
    } else {
      EXPECT_EQ(row["owner_name"], row["owner"] == 0 ? "MainThread" : "compute");
    }
  }
  EXPECT_EQ(ns, waits.waited_ns());
  EXPECT_EQ(unseen_ns, waits.nobody_ns());
  EXPECT_EQ(bounded_ns, waits.total().total().bounded_ns);
  const std::string csv = exported(subject, {"--format", "csv", "--rows", "waits"});
  EXPECT_THAT(csv, AllOf(testing::StartsWith("cell,block,waiter,waiter_name,waiter_was,owner,"
                                             "owner_name,owner_was,ns,bounded_ns,run_records_"
                                             "dropped\n"),
                         HasSubstr("\n0,0,0,MainThread,asleep,1,compute,running,53973000,0,0\n")));
}

TEST(WaitRows, AreNoneWhereNobodyWaited) {
  const TracedSubject subject({sample::segment({.thread = 1,
                                                .ready_ns = 0,
                                                .run_ns = sample::kSubjectOpened,
                                                .end_ns = sample::kSubjectOpened + kMs,
                                                .began = GILSCOPE_BEGAN_ENTERED})});
  const Outcome outcome = run_command(
      add_export, {"export", "--format", "csv", "--rows", "waits", "-o", "-", subject.path()});
  EXPECT_EQ(outcome.exit, 3);
  EXPECT_THAT(outcome.err, HasSubstr("no thread waited, or the locks have no single owner"));
}

TEST(WaitMetrics, AreTheWorstPairAndThePreemptedOwners) {
  const auto values = [](const Traced& traced, const char* name) {
    const CellFindings findings = found(traced);
    return metric_values(traced.report.cells[0], nullptr, &findings)[*find_metric(name)];
  };
  Traced traced = constructed();
  ASSERT_EQ(values(traced, "worst_pair_ns").size(), 1u);
  EXPECT_DOUBLE_EQ(values(traced, "worst_pair_ns")[0].value, 750e6);
  ASSERT_EQ(values(traced, "owner_preempted_share").size(), 1u);
  EXPECT_DOUBLE_EQ(values(traced, "owner_preempted_share")[0].value, 240.0 / 1610);
  traced.run().lost->segments = 1;
  traced.write();
  EXPECT_THAT(values(traced, "worst_pair_ns"), IsEmpty()) << "records were dropped";
  const Traced none(traced.segments, 3, 2, "none");
  EXPECT_THAT(values(none, "worst_pair_ns"), IsEmpty());
  EXPECT_THAT(values(none, "owner_preempted_share"), IsEmpty());
}

}  // namespace
}  // namespace gilscope
