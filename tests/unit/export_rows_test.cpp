// Rows as CSV and NDJSON, read back.
#include <gmock/gmock.h>

#include <map>
#include <nlohmann/json.hpp>

#include "tests/unit/exported.h"
#include "tests/unit/filled_report.h"
#include "tests/unit/sample_report.h"
#include "tools/export/rows.h"

namespace gilscope {
namespace {

using Json = nlohmann::json;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

using Cells = std::vector<std::string>;

// Parses RFC 4180, with lines that end in a line feed alone.
std::vector<Cells> parse_csv(const std::string& text) {
  std::vector<Cells> rows;
  Cells row(1);
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (quoted) {
      if (text[i] != '"') {
        row.back() += text[i];
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        row.back() += text[++i];
      } else {
        quoted = false;
      }
    } else if (text[i] == '"' && row.back().empty()) {
      quoted = true;
    } else if (text[i] == ',') {
      row.emplace_back();
    } else if (text[i] == '\n') {
      rows.push_back(row);
      row.assign(1, "");
    } else {
      row.back() += text[i];
    }
  }
  EXPECT_FALSE(quoted);
  EXPECT_EQ(row, Cells(1)) << "no line feed at the end";
  return rows;
}

class ExportRows : public Exported {
 protected:
  ExportRows() {
    report_ = sample::report(2, 1);
    for (Cell& cell : report_.cells) {
      for (auto& run : cell.runs) run.segments_file.clear();
    }
  }

  // Rows as maps from column to value.
  std::vector<std::map<std::string, std::string>> csv(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--format", "csv"});
    exports(arguments);
    const auto table = parse_csv(content());
    std::vector<std::map<std::string, std::string>> rows;
    for (size_t i = 1; i < table.size(); ++i) {
      EXPECT_EQ(table[i].size(), table[0].size()) << "row " << i;
      rows.emplace_back();
      for (size_t column = 0; column < table[0].size(); ++column) {
        rows.back()[table[0][column]] = table[i].at(column);
      }
    }
    return rows;
  }

  std::vector<Json> ndjson(std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.begin(), {"--format", "ndjson"});
    exports(arguments);
    std::vector<Json> rows;
    for (const std::string& line : lines()) rows.push_back(Json::parse(line));
    return rows;
  }

  // Gives the first traced run three segments: an entered, a woken and a preempted one.
  gilscope::Run& with_segments() {
    auto& run = report_.cells[0].runs[1];
    const std::vector<gilscope_segment> segments = {
        {0, 1000, 1500, 1, 0, 1, kNoCpu, kNoCpu, kNoCpu, GILSCOPE_BEGAN_ENTERED,
         GILSCOPE_ENDED_BLOCKED_GIL, GILSCOPE_WAITING, 0, 1, 2, 3, 4, 5},
        {2000, 2100, 2200, 1, 0, 0, 1, 1, 0, GILSCOPE_BEGAN_WOKEN, GILSCOPE_ENDED_PREEMPTED,
         GILSCOPE_HOLDING, 0, 1, 0, 0, 0, 0},
        {2200, 2300, 2400, 1, 0, 0, 0, kNoCpu, kNoCpu, GILSCOPE_BEGAN_PREEMPTED,
         GILSCOPE_ENDED_LEFT, GILSCOPE_OUTSIDE, 0, 0, 0, 0, 0, 0},
    };
    run.segments_file = "segments/run.bin";
    run.segment_records = segments.size();
    run.lost->segments = 7;
    SegmentFileHeader header;
    header.block = static_cast<uint32_t>(run.block);
    std::strcpy(header.report_id.data(), report_.id.c_str());
    write_segments(run.segments_file, header, segments);
    return run;
  }
};

TEST_F(ExportRows, CsvHasARowForEachRun) {
  const auto rows = csv({});
  ASSERT_EQ(rows.size(), 8u * 2 * 3);
  const auto& untraced = rows[0];
  const auto& traced = rows[1];
  const auto& run = report_.cells[0].runs[1];
  EXPECT_EQ(untraced.at("trace"), "off");
  EXPECT_EQ(untraced.at("window_ns"), "") << "what was not captured has no number";
  EXPECT_EQ(untraced.at("wakeups"), "");
  EXPECT_EQ(untraced.at("records_dropped"), "");
  EXPECT_EQ(untraced.at("wake_to_run_p99_ns"), "");
  EXPECT_EQ(traced.at("trace"), "full");
  EXPECT_EQ(traced.at("policy"), "check-interval:100");
  EXPECT_EQ(traced.at("wall_ns"), std::to_string(run.wall_ns));
  EXPECT_EQ(traced.at("segments"), std::to_string(run.segment_records));
  EXPECT_EQ(traced.at("records_dropped"), "0");
  EXPECT_EQ(traced.at("workload.operations_per_s"), "125000000");
  EXPECT_EQ(traced.at("wake_to_run_p99_ns"),
            std::to_string(*run.histograms->wake_to_run.quantile_ns(0.99)));
  EXPECT_EQ(traced.at("warmup"), "true");
  EXPECT_EQ(rows[3].at("warmup"), "false");
  EXPECT_EQ(rows.back().at("cell"), "7");
  EXPECT_EQ(rows.back().at("cpu_list"), "0 1");
}

TEST_F(ExportRows, CsvHasRowsForCpusAndThreads) {
  const auto cpus = csv({"--rows", "cores", "--cell", "3"});
  ASSERT_EQ(cpus.size(), 3u * 2);
  const CpuTrace& cpu = report_.cells[3].runs[1].cpus[1];
  EXPECT_EQ(cpus[1].at("cpu"), "1");
  EXPECT_EQ(cpus[1].at("wakeups_placed"), std::to_string(cpu.wakeups.placed));
  EXPECT_EQ(cpus[1].at("migrations_raw_in"), "3");
  EXPECT_EQ(cpus[1].at("woken_lost"), std::to_string(cpu.failed.woken_lost));
  const auto threads = csv({"--rows", "threads", "--cell", "3", "--block", "1"});
  ASSERT_EQ(threads.size(), 2u * 2);
  EXPECT_EQ(threads[0].at("tid"), "") << "not traced";
  EXPECT_EQ(threads[3].at("tid"), "4001");
  EXPECT_EQ(threads[3].at("name"), "Thread-2");
  EXPECT_EQ(threads[3].at("thread"), "1");
}

TEST_F(ExportRows, CsvQuotesWhatItMust) {
  const std::string evil = "a,\"b\"\r\nc";
  report_.cells[0].runs[1].threads[0].name = evil;
  report_.cells[0].runs[1].threads[1].name = "plain";
  const auto rows = csv({"--rows", "threads", "--cell", "0", "--block", "0"});
  EXPECT_EQ(rows[2].at("name"), evil);
  EXPECT_THAT(content(), HasSubstr("\"a,\"\"b\"\"\r\nc\""));
  EXPECT_THAT(content(), HasSubstr(",plain,"));
}

TEST_F(ExportRows, CsvHasSegments) {
  with_segments();
  const auto rows = csv({"--rows", "segments"});
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(lines()[1],
            "0,0,1,4001,Thread-2,1,,,1000,1500,entered,blocked_gil,waiting,,,,1,2,3,4,5,7");
  EXPECT_EQ(rows[0].at("previous_cpu"), "");
  EXPECT_EQ(rows[0].at("ready_ns"), "");
  EXPECT_EQ(rows[0].at("waker_tid"), "");
  EXPECT_EQ(rows[1].at("began"), "woken");
  EXPECT_EQ(rows[1].at("ready_ns"), "2000");
  EXPECT_EQ(rows[1].at("waker_tid"), "0") << "woken from the idle task";
  EXPECT_EQ(rows[1].at("waker_cpu"), "1");
  EXPECT_EQ(rows[1].at("placed_cpu"), "0");
  EXPECT_EQ(rows[2].at("began"), "preempted");
  EXPECT_EQ(rows[2].at("waker_tid"), "");
  EXPECT_EQ(rows[2].at("ended"), "left");
  for (const auto& row : rows) EXPECT_EQ(row.at("run_records_dropped"), "7");
}

TEST_F(ExportRows, NdjsonHasEverythingBehindAHeader) {
  with_segments();
  const auto rows = ndjson();
  EXPECT_EQ(rows[0]["type"], "header");
  EXPECT_EQ(rows[0]["schema"], (Json{{"name", "gilscope.rows"}, {"major", 1}, {"minor", 2}}));
  EXPECT_EQ(rows[0]["report"], report_.id);
  std::map<std::string, size_t> kinds;
  for (const Json& row : rows) ++kinds[row["type"]];
  EXPECT_EQ(kinds["run"], 48u);
  EXPECT_EQ(kinds["core"], 24u + 12u);
  EXPECT_EQ(kinds["thread"], 96u);
  EXPECT_EQ(kinds["segment"], 3u);
  EXPECT_EQ(rows[1]["trace"], "off");
  EXPECT_EQ(rows[1]["window_ns"], nullptr);
  const Json& run = rows[4];
  ASSERT_EQ(run["type"], "run") << "a run and its two threads come first";
  EXPECT_EQ(run["window_ns"], *report_.cells[0].runs[1].window_ns);
  EXPECT_EQ(run["records_dropped"], 7);
  EXPECT_EQ(run["gated"], false);
  EXPECT_EQ(rows[5]["type"], "core");
  EXPECT_EQ(rows[6]["type"], "thread");
  EXPECT_EQ(rows[8]["type"], "segment");
  EXPECT_EQ(rows[8]["previous_cpu"], nullptr);
  EXPECT_EQ(rows[9]["placed_cpu"], 0);
  EXPECT_EQ(rows[11]["type"], "run");
}

TEST_F(ExportRows, NdjsonKeepsAnyTextAndAnyNumber) {
  const std::string evil = "a\"\\\n\x01\x7f\xc3\xa9{}";
  auto& run = report_.cells[0].runs[0];
  run.threads[0].name = evil;
  run.wall_ns = 0xfedcba9876543210;
  run.workload = {{evil, 0.1}};
  const auto rows = ndjson({"--cell", "0", "--block", "0"});
  EXPECT_EQ(rows[1]["workload." + evil], 0.1);
  EXPECT_EQ(rows[1]["wall_ns"], 0xfedcba9876543210u);
  EXPECT_EQ(rows[2]["name"], evil);
}

// Every column and value of the rows of a report without segments, as text.
class Recorder : public RowWriter {
 public:
  static std::string of(const Report& report) {
    Recorder recorder;
    const auto runs = runs_to_export(report, {});
    EXPECT_TRUE(runs) << runs.error().message;
    for (const ExportedRun& exported : *runs) {
      write_run_row(recorder, exported, workload_results(*runs));
      for (const CpuTrace& cpu : exported.run->cpus) write_cpu_row(recorder, exported, cpu);
      for (size_t i = 0; i < exported.run->threads.size(); ++i) {
        write_thread_row(recorder, exported, i);
      }
    }
    return recorder.text_;
  }

  void begin(RowKind kind) override { add("row", int(kind)); }
  void number(std::string_view column, uint64_t value) override { add(column, value); }
  void real(std::string_view column, double value) override { add(column, value); }
  void truth(std::string_view column, bool value) override { add(column, value); }
  void text(std::string_view column, std::string_view value) override { add(column, value); }
  void nothing(std::string_view column) override { add(column, "nothing"); }
  void end() override { text_ += "\n"; }

 private:
  template <typename Value>
  void add(std::string_view column, const Value& value) {
    text_ += fmt::format("{}={};", column, value);
  }

  std::string text_;
};

// If a value of the report could change without changing any row, it has no column.
TEST(Rows, EveryValueOfTheReportsRunsHasItsColumn) {
  Report filled = filled_report();
  filled.cells.resize(1);
  filled.cells[0].runs.resize(1);
  filled.cells[0].runs[0].cpus.resize(1);
  filled.cells[0].runs[0].threads.resize(1);
  const std::string text = to_json(filled);
  const auto report = from_json(text, "filled");
  ASSERT_TRUE(report) << report.error().message;
  const std::string rows = Recorder::of(*report);
  // Not in the rows: values that are derived on writing and never read back; the histograms'
  // buckets (quantiles are in the rows); and the tracer's GIL counts of a thread, which equal the
  // thread's own by an invariant. Nor are a process's counts, which no thread has, and the GILs of
  // sub-interpreters.
  const auto left_out = [](const std::string& place) {
    for (const char* ending : {"/count", "/p50_ns", "/p99_ns", "/traced"}) {
      if (place.ends_with(ending)) return true;
    }
    if (place.find("/gils_of_others/") != place.npos) return true;
    const bool of_thread = place.find("/threads/0/gil/") != place.npos;
    for (const char* of_process :
         {"/sleeps", "/waits_begun", "/waits_begun_again", "/unslept", "/doubt"}) {
      if (of_thread && place.ends_with(of_process)) return true;
    }
    return place.find("/buckets/") != place.npos || place.find("/trace/gil/") != place.npos;
  };
  const std::map<std::string, std::string> others{{"interrupted", "done"},
                                                  {"full", "counters"},
                                                  {"background", "worker"},
                                                  {"threaded", "sequential"},
                                                  {"never_started", "killed"},
                                                  {"hotplug", "cpuset"},
                                                  {"nodes-first", "cores-first"},
                                                  {"kill", "join"},
                                                  {"time", "work"}};
  size_t seen = 0;
  const Json flat = Json::parse(text)["cells"].flatten();
  for (const auto& [place, value] : flat.items()) {
    if (left_out(place)) continue;
    Json json = Json::parse(text);
    Json& changed = json["cells"][Json::json_pointer(place)];
    if (value.is_boolean()) {
      changed = !value.get<bool>();
    } else if (value.is_number_float()) {
      changed = value.get<double>() + 10'000;
    } else if (value.is_number()) {
      changed = value.get<int>() + 10'000;
    } else {
      const auto other = others.find(value.get<std::string>());
      changed = other == others.end() ? value.get<std::string>() + " changed" : other->second;
    }
    const auto after = from_json(json.dump(), "changed");
    ASSERT_TRUE(after) << after.error().message;
    EXPECT_TRUE(Recorder::of(*after) != rows) << place << " is in no row";
    ++seen;
  }
  EXPECT_GT(seen, 120u);
}

// docs/export.md promises the same columns in both formats.
TEST_F(ExportRows, ColumnsAreTheSameInBoth) {
  with_segments();
  std::map<std::string, std::string> kinds = {
      {"runs", "run"}, {"cores", "core"}, {"threads", "thread"}, {"segments", "segment"}};
  for (const auto& [rows, type] : kinds) {
    exports({"--format", "csv", "--rows", rows});
    const Cells csv_columns = parse_csv(content())[0];
    exports({"--format", "ndjson"});
    for (const std::string& line : lines()) {
      const auto json = nlohmann::ordered_json::parse(line);
      if (json["type"] != type) continue;
      Cells columns;
      for (const auto& [key, value] : json.items()) columns.push_back(key);
      columns.erase(columns.begin());
      ASSERT_EQ(columns, csv_columns);
    }
  }
}

TEST_F(ExportRows, CellAndBlockNarrow) {
  EXPECT_THAT(csv({"--cell", "1"}), SizeIs(6));
  EXPECT_THAT(csv({"--cell", "1", "--cell", "7"}), SizeIs(12));
  EXPECT_THAT(csv({"--block", "2"}), SizeIs(16));
  EXPECT_THAT(csv({"--block", "2", "--block", "0", "--cell", "0"}), SizeIs(4));
}

}  // namespace
}  // namespace gilscope
