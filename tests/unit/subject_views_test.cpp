// A real program's report in every view: whose fault it is, bounds, the self-test, and no word of
// what only a model has.
#include <gmock/gmock.h>

#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/unit/command.h"
#include "tests/unit/sample_report.h"
#include "tests/unit/subject_export.h"
#include "tests/unit/subject_report.h"
#include "tools/analysis/subject_words.h"
#include "tools/cli/tools.h"
#include "tools/compare/compared_report.h"
#include "tools/compare/metrics.h"
#include "tools/text/screen.h"
#include "tools/trace/report_findings.h"

namespace gilscope {
namespace {

using Json = nlohmann::ordered_json;
using sample::kMs;
using sample::TracedSubject;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* kSentence =
    "Threads waited 66.5 ms for the GIL in 100 ms; `compute` held it 81 % of that time, running; "
    "11 % of it nobody was seen to hold it; 30 failed attempts. `MainThread` waited 54.0 ms for "
    "the "
    "GIL while `compute` held it: `compute` ran meanwhile.";

// The text with its line breaks taken out.
std::string in_one_line(const std::string& text) {
  std::string line;
  for (const char letter : text) {
    const bool blank = letter == ' ' || letter == '\n';
    if (blank && !line.empty() && line.back() == ' ') continue;
    line += blank ? ' ' : letter;
  }
  return line;
}

ReportFindings found(const TracedSubject& subject) {
  auto findings = report_findings(subject.path(), subject.report);
  EXPECT_TRUE(findings) << findings.error().message;
  return findings ? *findings : ReportFindings();
}

std::string shown(const TracedSubject& subject, std::vector<std::string> options = {}) {
  std::vector<std::string> words{"show", subject.path()};
  words.insert(words.end(), options.begin(), options.end());
  const Outcome outcome = run_command(add_show, words);
  EXPECT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  return outcome.out;
}

// A thread that has held the GIL since before the window is not seen until it has been off its CPU.
TEST(SubjectWaits, AreWhatTheSegmentsAddUpTo) {
  const TracedSubject subject;
  const ReportFindings findings = found(subject);
  const WaitMatrix& waits = findings.cells.at(0)->sum.waits;
  ASSERT_EQ(waits.threads(), 2u);
  EXPECT_EQ(waits.waited_ns(0), 10 * 6 * kMs);
  EXPECT_EQ(waits.waited_ns(1), 9 * kMs / 2 + 2 * kMs);
  const std::vector<PairWaits> owners = waits.owners();
  EXPECT_EQ(owners[0].total().ns + owners[1].total().ns + waits.nobody_ns(), waits.waited_ns());
  EXPECT_EQ(owners[1].of(OwnerWas::running).ns, 9 * 6 * kMs);
  EXPECT_EQ(owners[0].of(OwnerWas::running).ns, 10 * kMs / 2);
  EXPECT_EQ(waits.nobody_ns(), 6 * kMs + 3 * kMs / 2);
  EXPECT_EQ(owners[1].of(OwnerWas::preempted).ns + owners[1].of(OwnerWas::asleep).ns, 0u);
}

// ---- the sentence ----

struct Spent {
  uint64_t running, preempted, asleep;
};

// Of a run of 100 ms whose first thread waited and whose others held the GIL.
std::string sentence(const std::vector<Spent>& owners, uint64_t free_ms,
                     const std::function<void(Cell&)>& change = {}) {
  Report report = sample::subject_report();
  Cell& cell = report.cells[0];
  Run& run = cell.runs[0];
  while (run.threads.size() < owners.size() + 1) {
    run.threads.push_back(run.threads[1]);
    run.threads.back().name = fmt::format("pool-{}", run.threads.size() - 2);
  }
  run.gil.timed_out = 0, run.gil.undecided = 0, run.gil.contended = 4;
  if (change) change(cell);
  CellFindings found;
  found.runs.emplace_back(&run, TraceFindings());
  found.sum.runs = 1;
  WaitMatrix& waits = found.sum.waits;
  waits.resize(run.threads.size());
  waits.nobody(0)[size_t(WaiterWas::asleep)] = free_ms * kMs;
  for (uint32_t i = 0; i < owners.size(); ++i) {
    PairWaits& of = waits.place(0, i + 1);
    of.at(WaiterWas::asleep, OwnerWas::running).ns = owners[i].running * kMs;
    of.at(WaiterWas::asleep, OwnerWas::preempted).ns = owners[i].preempted * kMs;
    of.at(WaiterWas::asleep, OwnerWas::asleep).ns = owners[i].asleep * kMs;
  }
  return whose_fault(cell, &found, Times());
}

TEST(SubjectSentence, SaysHowTheHolderSpentIt) {
  EXPECT_EQ(
      sentence({{50, 0, 0}}, 0),
      "`MainThread` waited 50.0 ms for the GIL in 100 ms; `compute` held it 100 % of that time, "
      "running; 4 failed attempts.");
  EXPECT_THAT(sentence({{1, 49, 0}}, 0),
              HasSubstr("`compute` held it 100 % of that time, preempted;"));
  EXPECT_THAT(sentence({{1, 0, 49}}, 0),
              HasSubstr("`compute` held it 100 % of that time, asleep;"));
  EXPECT_THAT(sentence({{30, 20, 0}}, 0),
              HasSubstr("100 % of that time, running 60 % and preempted 40 % of it;"));
  EXPECT_THAT(
      sentence({{40, 0, 0}}, 10),
      HasSubstr("held it 80 % of that time, running; 20 % of it nobody was seen to hold it;"));
  EXPECT_THAT(sentence({{49, 0, 0}}, 1), Not(HasSubstr("nobody")));
}

TEST(SubjectSentence, NamesSeveralHoldersWhereNoneHeldItMostly) {
  EXPECT_EQ(
      sentence({{20, 0, 0}, {16, 0, 0}, {14, 0, 0}}, 0),
      "`MainThread` waited 50.0 ms for the GIL in 100 ms; `compute` held it 40 % of that time, "
      "`pool-1` 32 % and `pool-2` 28 %; whoever held it was running; 4 failed attempts. "
      "`MainThread` waited 20.0 ms for the GIL while `compute` held it: `compute` ran meanwhile.");
}

TEST(SubjectSentence, SaysWhyItWasGivenUp) {
  const auto timed_out = [](uint64_t of, const char* kind) {
    return [of, kind](Cell& cell) {
      cell.subject->kind = kind;
      GilCounts& gil = cell.runs[0].gil;
      gil.timed_out = of, gil.contended = 100 - of, gil.undecided = 2, gil.contended -= 2;
    };
  };
  EXPECT_THAT(
      sentence({{50, 0, 0}}, 0, timed_out(94, "python")),
      HasSubstr("it gave it up only when a wait timed out (94 to 96 of 100 failed attempts)."));
  EXPECT_THAT(sentence({{50, 0, 0}}, 0, timed_out(60, "python")),
              HasSubstr("it gave it up mostly when a wait timed out (60 to 62 of 100 "));
  EXPECT_THAT(sentence({{50, 0, 0}}, 0, timed_out(94, "pypy")),
              HasSubstr("; 94 to 96 of 100 failed attempts timed out."))
      << "only CPython 3 asks for it then";
  EXPECT_THAT(sentence({{50, 0, 0}}, 0, [](Cell& cell) { cell.runs[0].gil.woken_lost = 20; }),
              HasSubstr("woken threads found it taken again in 20 of 24 failed attempts."));
}

TEST(SubjectSentence, ClaimsNothingThatIsNotKnown) {
  EXPECT_EQ(sentence({{0, 0, 0}}, 0), "No thread waited for the GIL in 100 ms.");
  const Report report = sample::subject_report();
  EXPECT_EQ(
      whose_fault(report.cells[0], nullptr, Times()),
      "Threads had to sleep for the GIL 30 times in 100 ms; 10 to 11 of these attempts timed "
      "out. Who held it meanwhile is known from segments alone, of which there are none here.");
  Times emulated;
  emulated.emulated = true;
  EXPECT_THAT(whose_fault(report.cells[0], nullptr, emulated), Not(HasSubstr("ms")));
  EXPECT_EQ(sentence({{50, 0, 0}}, 0, [](Cell& cell) { cell.runs[0].gil.doubt = "why"; }), "");
  EXPECT_EQ(sentence({{50, 0, 0}}, 0, [](Cell& cell) { cell.subject->gil.reset(); }),
            "CPython 3.11.2 ran without a GIL: its threads waited for none.");
}

TEST(SubjectSentence, TellsThreadsOfOneNameApart) {
  EXPECT_THAT(
      sentence({{50, 0, 0}}, 0, [](Cell& cell) { cell.runs[0].threads[0].name = "compute"; }),
      AllOf(StartsWith("`compute (100)` waited"), HasSubstr("`compute (101)` held")));
}

TEST(SubjectWords, SayWhichProcessAndWhereItsGilIs) {
  CellSubject subject = sample::some_subject();
  EXPECT_EQ(subject_line(subject),
            "CPython 3.11.2, PID 1234, GIL at _PyRuntime+360 in /usr/bin/python3.11, by scan, "
            "confirmed by interval 5000 us, holder is thread 1235");
  subject.gil->symbol.clear(), subject.gil->confirmed_by.clear();
  subject.gil->object = "/usr/bin/\x1b[31mpython";
  subject.gils_of_others.push_back(*subject.gil);
  EXPECT_EQ(
      subject_line(subject),
      "CPython 3.11.2, PID 1234, GIL at /usr/bin/\\x1b[31mpython+360, by scan; a sub-interpreter "
      "has a GIL of its own, and the counts are of all together");
  subject.gil.reset();
  subject.gils_of_others.clear();
  EXPECT_EQ(subject_line(subject),
            "CPython 3.11.2, PID 1234, which runs without a GIL, /usr/bin/python3.11");
}

// ---- the views ----

TEST(SubjectScreen, BeginsWithWhoseFaultItIs) {
  const TracedSubject subject;
  const std::string screen = in_one_line(shown(subject));
  EXPECT_THAT(screen, StartsWith(kSentence));
  EXPECT_THAT(
      screen,
      AllOf(
          HasSubstr("CPython 3.11.2, PID 1234, GIL at _PyRuntime+360 in /usr/bin/python3.11, by "
                    "scan, confirmed by interval 5000 us, holder is thread 1235"),
          HasSubstr("python3 app.py --port 80; 2 threads on all 2 CPUs, watched for 100 ms"),
          HasSubstr("30 failed attempts: contended 19 to 20, woken_lost 0 to 1, timed_out 10 to 11 "
                    "(1 undecided)."),
          HasSubstr("Self-test: 33 waits begun by glibc's own count = 32 sleeps + 3 unslept - 2 "
                    "begun again."),
          HasSubstr("MainThread 5.02 ms 60.0 ms"), HasSubstr("compute 93.0 ms 6.50 ms")));
  // Of what only a model has.
  EXPECT_THAT(screen, AllOf(Not(HasSubstr("SLOWDOWN")), Not(HasSubstr("operations")),
                            Not(HasSubstr("measured")), Not(HasSubstr("drop"))));
  const std::string plain = shown(subject);
  EXPECT_LE(size_t(std::ranges::count(plain, '\n')), kScreenLines);
}

TEST(SubjectScreen, OfAWholeReportHasItsOwnColumns) {
  const std::string text = in_one_line(shown(TracedSubject(), {"--all"}));
  EXPECT_THAT(text, AllOf(HasSubstr(kSentence), HasSubstr("THE GIL"), HasSubstr("undecided"),
                          HasSubstr("after wait/s"), Not(HasSubstr("acquires")),
                          Not(HasSubstr("SLOWDOWN")), Not(HasSubstr("WORK "))));
  for (const char* per : {"core", "thread", "block"}) {
    EXPECT_THAT(shown(TracedSubject(), {"--per", per}), Not(testing::IsEmpty())) << per;
  }
}

TEST(SubjectScreen, WarnsFirstOfCountsThatAreNotToBeBelieved) {
  TracedSubject subject;
  subject.run().gil.doubt = "its condition counted 1033 waits, of which 33 were seen";
  subject.write();
  const std::string screen = in_one_line(shown(subject));
  EXPECT_THAT(screen,
              StartsWith("NOT TO BE BELIEVED: every number here that has to do with the GIL of "
                         "PID 1234. its condition counted 1033 waits, of which 33 were seen"));
  EXPECT_THAT(screen, AllOf(Not(HasSubstr("held it 81 %")), Not(HasSubstr("Self-test"))));
}

TEST(SubjectScreen, OfAProcessWithoutAGilHasNoTableOfOne) {
  TracedSubject subject;
  subject.report.cells[0].subject->gil.reset();
  subject.report.cells[0].subject->interpreter = "Jython";
  subject.write();
  for (const char* option : {"", "--all"}) {
    const std::string screen = in_one_line(*option ? shown(subject, {option}) : shown(subject));
    EXPECT_THAT(screen,
                AllOf(HasSubstr("Jython 3.11.2 ran without a GIL: its threads waited for none."),
                      HasSubstr("which runs without a GIL"), Not(HasSubstr("AND THE GIL")),
                      Not(HasSubstr("THE GIL ")), Not(HasSubstr("ATTEMPTS"))))
        << option;
  }
}

// Two processes of one program, of which the second waited longer.
Report two_processes() {
  Report report = sample::subject_report();
  report.cells.push_back(sample::subject_cell(sample::subject_segments(), 1235));
  for (Cell& cell : report.cells) cell.runs[0].segments_file.clear();
  return report;
}

TEST(SubjectScreen, TellsProcessesApart) {
  const Report report = two_processes();
  const TemporaryDirectory directory;
  directory.write("report.json", to_json(report));
  const Outcome outcome = run_command(add_show, {"show", directory.path()});
  EXPECT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(StartsWith("PID 1234: Threads had to sleep"),
                                 HasSubstr("PID 1235: Threads had to sleep"),
                                 HasSubstr("CPython 3.11.2, PID 1235")));
}

TEST(SubjectJson, HasWhatTheTextSays) {
  const Json json = Json::parse(shown(TracedSubject(), {"--json"}));
  const Json& cell = json["cells"][0];
  EXPECT_EQ(cell["subject"]["sentence"], kSentence);
  EXPECT_TRUE(cell["subject"]["doubt"].is_null());
  EXPECT_EQ(cell["subject"]["attempts"]["contended"], (Json{{"at_least", 19}, {"at_most", 20}}));
  EXPECT_EQ(cell["subject"]["attempts"]["waits_begun"], 33);
  EXPECT_EQ(cell["subject"]["waits"]["waited_ns"], 66'500'000);
  EXPECT_EQ(cell["subject"]["waits"]["each_thread"][1]["running_ns"], 54'000'000);
  EXPECT_EQ(cell["each_core"][0]["failed_per_s"]["undecided"], 10);
  EXPECT_FALSE(cell["each_core"][0].contains("acquires_per_s"));
  EXPECT_FALSE(cell["each_thread"][0].contains("acquires"));
}

TEST(SubjectPage, HasWhatTheTextSays) {
  TracedSubject subject;
  subject.run().threads[1].name = "<script>alert(1)</script>";
  subject.write();
  const TemporaryDirectory out;
  const Outcome outcome = run_command(add_html, {"html", subject.path(), "-o", out / "page.html"});
  EXPECT_EQ(outcome.exit, 0) << outcome.err;
  std::ifstream file(out / "page.html");
  const std::string page((std::istreambuf_iterator<char>(file)), {});
  EXPECT_THAT(page,
              AllOf(HasSubstr("`&lt;script&gt;alert(1)&lt;/script&gt;` held it 81 % of that time"),
                    HasSubstr("GIL at _PyRuntime+360"), HasSubstr("33 waits begun by glibc"),
                    HasSubstr("contended 19 to 20"), HasSubstr("data-waits-of=\"1\""),
                    Not(HasSubstr("<script>alert"))));
}

TEST(SubjectRows, HaveColumnsOfTheirOwnAndNoAcquisitions) {
  const TracedSubject subject;
  std::istringstream rows(exported(subject, {"--format", "ndjson"}));
  std::map<std::string, Json> first;
  for (std::string line; std::getline(rows, line);) {
    Json row = Json::parse(line);
    first.try_emplace(row["type"].get<std::string>(), row);
  }
  const Json& run = first["run"];
  EXPECT_TRUE(run["acquires"].is_null());
  EXPECT_EQ(run["undecided"], 1);
  EXPECT_EQ(run["waits_begun"], 33);
  EXPECT_EQ(run["pid"], 1234);
  EXPECT_EQ(run["version"], "3.11.2");
  EXPECT_EQ(run["gil_offset"], 360);
  EXPECT_EQ(first["core"]["mutex_sleeps"], 1);
  EXPECT_TRUE(first["core"]["acquires"].is_null());
  EXPECT_EQ(first["thread"]["release_stalls"], 1);
  EXPECT_TRUE(first["segment"]["acquires"].is_null()) << "one made after a wait is no acquisition";
  EXPECT_EQ(first["segment"]["acquired_after_wait"], 0);
  EXPECT_EQ(first["segment"]["undecided"], false);
  for (const char* rows_of : {"runs", "cores", "threads", "segments"}) {
    std::istringstream csv(exported(subject, {"--format", "csv", "--rows", rows_of}));
    std::string head, row;
    std::getline(csv, head), std::getline(csv, row);
    EXPECT_THAT(head, HasSubstr("undecided")) << rows_of;
  }
}

TEST(SubjectPerfetto, NamesTheProcessAndMarksWhatWasSeen) {
  const std::string trace = exported(TracedSubject(), {"--format", "perfetto"});
  EXPECT_THAT(trace, AllOf(HasSubstr("CPython 3.11.2, PID 1234, python3 app.py"),
                           HasSubstr("GIL owner"), HasSubstr("failed, kind unknown")));
}

// ---- compare ----

ComparedReport compared(const Report& report) {
  auto result = compared_report(report, "r");
  EXPECT_TRUE(result) << result.error().message;
  return *result;
}

TEST(SubjectCompare, PairsTheNthProcessWithTheNthWhateverItsPidAndThreads) {
  Report before = two_processes(), after = two_processes();
  after.cells[0].subject->pid = 77, after.cells[1].subject->pid = 78;
  after.cells[0].threads = 5;
  const ComparedReport a = compared(before), b = compared(after);
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ(a.cells[i].keys, b.cells[i].keys) << i;
  EXPECT_NE(a.cells[0].keys, a.cells[1].keys);
  EXPECT_THAT(a.cells[1].keys.at("workload"), HasSubstr("(process 2)"));
}

const std::vector<BlockValue>& values(const MetricValues& all, const char* name) {
  return all[*find_metric(name)];
}

TEST(SubjectCompare, HasNoMetricThatIsMadeOfAcquisitions) {
  const TracedSubject subject;
  const ReportFindings findings = found(subject);
  const Cell& cell = subject.report.cells[0];
  const MetricValues all = metric_values(cell, nullptr, findings.of(subject.report, cell));
  for (const char* name : {"acquires_per_s", "contended_per_acquire", "failed_per_acquire",
                           "wasted_per_acquire", "migrations_per_acquire", "drop_requests_per_s",
                           "operations_per_s", "wall_ns", "slowdown"}) {
    EXPECT_TRUE(values(all, name).empty()) << name;
  }
  ASSERT_EQ(values(all, "waited_share").size(), 1u);
  EXPECT_DOUBLE_EQ(values(all, "waited_share")[0].value, 0.665);
  EXPECT_DOUBLE_EQ(values(all, "failed_per_s").at(0).value, 300);
  EXPECT_DOUBLE_EQ(values(all, "contended_per_s").at(0).value, 190);
  EXPECT_DOUBLE_EQ(values(all, "acquired_after_wait_per_s").at(0).value, 190);
}

TEST(SubjectCompare, OfTwoAttachesIsUndecided) {
  TracedSubject before, after;
  after.report.id = "0f0f0f0f-0000-4000-8000-000000000003";
  after.report.cells[0].subject->pid = 99;
  after.run().gil.contended += 1, after.run().threads[0].gil.contended += 1;
  after.write();
  const Outcome outcome =
      run_command(add_compare, {"compare", "--all", before.path(), after.path()});
  EXPECT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("waited for the GIL"), HasSubstr("undecided"),
                                 Not(HasSubstr("never run"))));
}

TEST(SubjectCompare, GivesModelsNoMetricOfRealPrograms) {
  const TemporaryDirectory directory;
  directory.write("report.json", to_json(sample::report(6, 1)));
  const Outcome outcome =
      run_command(add_compare, {"compare", directory.path(), "--by", "policy", "--format", "csv"});
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("contended_per_s"), Not(HasSubstr("waited_share")),
                                 Not(HasSubstr("failed_per_s"))));
  const MetricValues all = metric_values(sample::report(6, 1).cells[3], nullptr, nullptr);
  for (const char* name :
       {"waited_share", "failed_per_s", "acquired_after_wait_per_s", "mutex_sleeps_per_s"}) {
    EXPECT_TRUE(values(all, name).empty()) << name;
  }
}

}  // namespace
}  // namespace gilscope
