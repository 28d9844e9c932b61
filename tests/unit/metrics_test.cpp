// Metrics of a recording that goes on for days: the file's format, and that no counter goes back,
// whatever threads and processes do.
#include "userspace/live/metrics.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <array>
#include <random>
#include <set>

#include "tests/unit/exposition.h"
#include "userspace/live/metric_table.h"

namespace gilscope {
namespace {

// A tracer's tables, which reuse places.
struct Tables {
  static constexpr uint32_t kSlots = 24;
  std::array<gilscope_thread, kSlots> threads{};
  std::array<gilscope_waiter, kSlots> waiters{};
  std::array<std::string, kSlots> names;
  std::vector<LiveProcess> processes;
  Lost lost;
  uint64_t ns = 1'000'000'000;
  uint32_t next_tid = 100;

  LiveThread live(uint32_t slot) const {
    return {slot, waiters[slot].process, names[slot], &threads[slot], &waiters[slot]};
  }
  void start(uint32_t slot, const std::string& name, uint32_t process = 0) {
    threads[slot] = {};
    threads[slot].tid = next_tid++;
    threads[slot].entered_ns = ns + slot + 1;
    waiters[slot] = {};
    waiters[slot].process = process;
    names[slot] = name;
  }
  LiveState state() const {
    LiveState state;
    state.ns = ns;
    state.processes = processes;
    state.lost = lost;
    for (uint32_t slot = 0; slot < kSlots; ++slot) {
      if (threads[slot].entered_ns) state.threads.push_back(live(slot));
    }
    return state;
  }
};

LiveProcess process_at(uint32_t place) {
  LiveProcess process;
  process.place = place;
  process.pid = 42;
  process.subject = CellSubject{};
  process.subject->interpreter = "CPython";
  process.subject->version = "3.11.2";
  process.cpus.resize(2);
  process.cpus[1].cpu = 1;
  return process;
}

std::string thread_sample(const std::string& key, const std::string& thread) {
  return "gilscope_thread_" + key + "{thread=\"" + thread + "\"}";
}

TEST(MetricsFile, IsWhatPrometheusReads) {
  Tables tables;
  tables.processes = {process_at(0)};
  tables.start(0, "a \"quoted\\\" name");
  tables.threads[0].on_cpu_ns = 1'500'000'000;
  tables.threads[0].counted.contended = 7;
  Metrics metrics(nullptr);
  metrics.collect(tables.state(), tables.ns);
  const ParsedMetrics parsed = parse_metrics(metrics.text(true, 2'000'000'000, 30'000'000));
  EXPECT_EQ(parsed.problem, "");
  const std::string name = "a \\\"quoted\\\\\\\" name";
  EXPECT_EQ(parsed.value(thread_sample("on_cpu_seconds_total", name)), 1.5);
  EXPECT_EQ(parsed.value(thread_sample("contended_total", name)), 7);
  EXPECT_EQ(parsed.value("gilscope_up"), 1);
  EXPECT_EQ(parsed.value("gilscope_recorded_seconds_total"), 2);
  EXPECT_EQ(parsed.value("gilscope_own_cpu_seconds_total"), 0.03);
  EXPECT_EQ(parsed.types.at("gilscope_up"), "gauge");
  // Counters alone tell nothing of waits.
  EXPECT_FALSE(parsed.types.contains("gilscope_handoff_seconds"));
  EXPECT_EQ(parse_metrics(metrics.text(false, 0, 0)).value("gilscope_up"), 0);
}

TEST(MetricsFile, NamesEachMetricOnceAndInBaseUnits) {
  std::set<std::string> names;
  for (const MetricFamily& family : metric_families()) {
    EXPECT_TRUE(names.insert(family.name).second) << family.name;
    EXPECT_EQ(family.name.ends_with("_total"), family.type == MetricFamily::Type::counter)
        << family.name;
    EXPECT_FALSE(family.help.empty()) << family.name;
  }
  EXPECT_TRUE(names.contains("gilscope_cpu_wakeups_ran_total"));
  EXPECT_FALSE(names.contains("gilscope_cpu_acquires_total"));           // a model's alone
  EXPECT_FALSE(names.contains("gilscope_thread_stolen_seconds_total"));  // may go back
}

// docs/live.md has a row for each metric, made from the same table.
TEST(MetricsFile, IsDocumented) {
  static const std::string document =
#include "docs/live.md.inc"
      ;
  const char* const types[] = {"counter", "gauge", "histogram"};
  for (const MetricFamily& family : metric_families()) {
    std::string labels;
    for (const std::string& label : family.labels) {
      labels += (labels.empty() ? "`" : ", `") + label + "`";
    }
    const std::string row =
        fmt::format("| `{}` | {} | {} | {} |\n", family.name,
                    types[static_cast<size_t>(family.type)], labels, family.help);
    EXPECT_NE(document.find(row), std::string::npos) << row;
  }
}

TEST(MetricsSums, KeepWhatThreadsThatEndedHaveCounted) {
  Tables tables;
  tables.processes = {process_at(0)};
  Metrics metrics(nullptr);
  for (int round = 1; round <= 5; ++round) {
    tables.start(3, "worker");
    tables.threads[3].wakeups = 10;
    metrics.collect(tables.state(), tables.ns);
    tables.threads[3].wakeups = 12;
    metrics.thread_ended(tables.live(3));
    metrics.collect(tables.state(), tables.ns);  // as at the recording's end
    tables.threads[3] = {};
    tables.ns += 1000;
    metrics.collect(tables.state(), tables.ns);
    const auto parsed = parse_metrics(metrics.text(true, 0, 0));
    EXPECT_EQ(parsed.value(thread_sample("wakeups_total", "worker")), 12 * round);
  }
}

// A reader on another CPU may see a counter as it was a moment ago.
TEST(MetricsSums, DoNotFollowACounterBack) {
  Tables tables;
  tables.processes = {process_at(0)};
  tables.start(0, "worker");
  Metrics metrics(nullptr);
  for (const uint64_t seen : {10, 8, 9, 12}) {
    tables.threads[0].wakeups = seen;
    metrics.collect(tables.state(), tables.ns);
    const auto parsed = parse_metrics(metrics.text(true, 0, 0));
    EXPECT_EQ(parsed.value(thread_sample("wakeups_total", "worker")), seen < 12 ? 10 : 12);
  }
}

TEST(MetricsSums, WaitForTheNameOfAThreadThatHasJustStarted) {
  Tables tables;
  tables.processes = {process_at(0)};
  tables.start(0, "");
  tables.threads[0].wakeups = 2;
  Metrics metrics(nullptr);
  metrics.collect(tables.state(), tables.ns);
  tables.names[0] = "worker";
  tables.threads[0].wakeups = 3;
  metrics.collect(tables.state(), tables.ns);
  const auto parsed = parse_metrics(metrics.text(true, 0, 0));
  EXPECT_EQ(parsed.value(thread_sample("wakeups_total", "worker")), 3);
  EXPECT_EQ(parsed.samples.count(thread_sample("wakeups_total", "")), 0u);
}

// The counts of a thread until then stay with the name that it had.
TEST(MetricsSums, StayWithANameThatAThreadGivesUp) {
  Tables tables;
  tables.processes = {process_at(0)};
  tables.start(0, "first");
  tables.threads[0].wakeups = 5;
  Metrics metrics(nullptr);
  metrics.collect(tables.state(), tables.ns);
  tables.names[0] = "second";
  tables.threads[0].wakeups = 8;
  metrics.collect(tables.state(), tables.ns);
  const auto parsed = parse_metrics(metrics.text(true, 0, 0));
  EXPECT_EQ(parsed.value(thread_sample("wakeups_total", "first")), 5);
  EXPECT_EQ(parsed.value(thread_sample("wakeups_total", "second")), 3);
}

TEST(MetricsSums, GiveNamesBeyondTheFirstOneRow) {
  Tables tables;
  tables.processes = {process_at(0)};
  Metrics metrics(nullptr);
  const size_t all = 10 * Metrics::kMostNames;
  for (size_t i = 0; i < all; ++i) {
    ++tables.ns;
    tables.start(0, "thread-" + std::to_string(i));
    tables.threads[0].wakeups = 1;
    metrics.thread_ended(tables.live(0));
  }
  const auto parsed = parse_metrics(metrics.text(true, 0, 0));
  size_t rows = 0;
  double sum = 0;
  for (const auto& [sample, value] : parsed.samples) {
    if (!sample.starts_with("gilscope_thread_wakeups_total{")) continue;
    ++rows;
    sum += value;
  }
  EXPECT_EQ(rows, Metrics::kMostNames + 1);
  EXPECT_EQ(sum, static_cast<double>(all));
  EXPECT_EQ(parsed.value(thread_sample("wakeups_total", "other")),
            static_cast<double>(all - Metrics::kMostNames));
}

// A day of files, speeded up: each says what came of ten seconds. Threads come, go and change their
// names, processes fork and end, their places are reused, and records are lost.
TEST(MetricsSums, NeverGoBack) {
  Tables tables;
  Metrics metrics(nullptr);
  std::mt19937 random(26);
  const auto chance = [&](unsigned one_in) { return random() % one_in == 0; };
  std::map<std::string, double> before;
  tables.processes = {process_at(0)};
  constexpr int kFiles = 300;
  size_t heap = 0;
  for (int file = 0; file < kFiles; ++file) {
    tables.ns += 10'000'000'000;
    for (uint32_t slot = 0; slot < Tables::kSlots; ++slot) {
      gilscope_thread& thread = tables.threads[slot];
      if (!thread.entered_ns) {
        if (chance(2)) tables.start(slot, "name-" + std::to_string(random() % 8), slot % 2);
        continue;
      }
      thread.on_cpu_ns += random() % 1'000'000'000;
      thread.wakeups += random() % 100;
      thread.counted.contended += random() % 50;
      if (chance(20)) tables.names[slot] = "name-" + std::to_string(random() % 8);
      if (chance(4)) {
        thread.left_ns = tables.ns;
        metrics.thread_ended(tables.live(slot));
        thread = {};
      }
    }
    for (LiveProcess& process : tables.processes) {
      for (CpuTrace& cpu : process.cpus) {
        cpu.on_cpu_ns += random() % 1'000'000'000;
        cpu.wakeups.ran += random() % 100;
      }
    }
    if (tables.processes.size() == 1 && chance(3)) tables.processes.push_back(process_at(1));
    if (tables.processes.size() == 2 && chance(3)) {
      metrics.process_ended(1, tables.processes[1].cpus);
      tables.processes.pop_back();
    }
    // A reader may see a sum over places while one of them is being cleared.
    tables.lost.segments = random() % 5;
    metrics.collect(tables.state(), tables.ns);
    const auto parsed = parse_metrics(metrics.text(true, tables.ns, tables.ns / 100));
    ASSERT_EQ(parsed.problem, "");
    ASSERT_EQ(went_back(before, parsed), "") << "file " << file;
    if (file == kFiles / 2) heap = mallinfo2().uordblks;
  }
  EXPECT_GT(before[thread_sample("wakeups_total", "name-0")], 100);
  EXPECT_LT(mallinfo2().uordblks, heap + 100'000);
}

}  // namespace
}  // namespace gilscope
