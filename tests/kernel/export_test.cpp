// The exports of a traced run against its counters.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/kernel/program.h"
#include "tests/perfetto/reader.h"
#include "userspace/report/json.h"

namespace gilscope {
namespace {

using perfetto_test::Event;
using perfetto_test::Trace;

// A run's counters, summed over its CPUs.
struct Sums {
  uint64_t segments = 0, wakeups = 0, migrations = 0, wasted = 0, on_cpu_ns = 0;
};

Sums sums(const Run& run) {
  Sums sums;
  for (const CpuTrace& cpu : run.cpus) {
    sums.segments += cpu.segments;
    sums.wakeups += cpu.wakeups.ran;
    sums.migrations += cpu.migrations.wakeup + cpu.migrations.preempt;
    sums.wasted += cpu.wasted_wakeups;
    sums.on_cpu_ns += cpu.on_cpu_ns;
  }
  return sums;
}

int64_t last_value(const perfetto_test::Track& track) {
  return track.events.empty() ? 0 : track.events.back().value;
}

class Export : public testing::Test {
 protected:
  // One traced run with these arguments; fails the test unless all its records are there.
  const gilscope::Run* run(const std::vector<std::string>& arguments) {
    std::vector<std::string> all = {"run",
                                    "--workload",
                                    "count:n=500k",
                                    "--arrangement",
                                    "threaded",
                                    "--threads",
                                    "4",
                                    "--warmup",
                                    "0",
                                    "--blocks",
                                    "1",
                                    "--quiet",
                                    "--out",
                                    out()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const Ended ended = gilscope_run(all);
    EXPECT_EQ(ended.status, 0) << ended.err;
    auto report = read_report(out());
    if (!report) {
      ADD_FAILURE() << report.error().message;
      return nullptr;
    }
    report_ = std::move(*report);
    for (const gilscope::Run& run : report_.cells.at(0).runs) {
      if (run.traced()) {
        EXPECT_EQ(run.lost->segments, 0u);
        return &run;
      }
    }
    ADD_FAILURE() << "no traced run";
    return nullptr;
  }

  std::string exported(const std::string& format) {
    const std::string path = scratch_.path("exported." + format);
    const Ended ended = gilscope_run({"export", out(), "--format", format, "-o", path});
    EXPECT_EQ(ended.status, 0) << ended.err;
    EXPECT_EQ(ended.err, "");
    return path;
  }

  std::string out() const { return scratch_.path("out"); }

  Scratch scratch_;
  Report report_;
};

// A trace must agree with the counters, whatever the policy.
void expect_counters(const Trace& trace, const Run& run) {
  const Sums counted = sums(run);
  EXPECT_GT(counted.segments, 10u);
  const auto slices = trace.slices();
  EXPECT_EQ(slices.size(), counted.segments);
  EXPECT_EQ(trace.wakings(), counted.wakeups);
  EXPECT_EQ(trace.migrations(), counted.migrations);
  EXPECT_EQ(trace.marks("wasted wakeup"), counted.wasted);

  uint64_t first_ns = UINT64_MAX, last_ns = 0;
  std::map<int32_t, const Thread*> threads;
  for (const Thread& thread : run.threads) {
    ASSERT_TRUE(thread.trace) << thread.name;
    threads[static_cast<int32_t>(thread.trace->tid)] = &thread;
    first_ns = std::min(first_ns, thread.trace->entered_ns);
    last_ns = std::max(last_ns, thread.trace->left_ns);
  }
  trace.expect_rules(first_ns, last_ns);
  EXPECT_LE(last_ns - first_ns, *run.window_ns);

  std::map<int32_t, uint64_t> segments_of;
  std::map<uint32_t, uint64_t> segments_on;
  for (const auto& slice : slices) {
    segments_of[slice.tid] += 1;
    segments_on[slice.cpu] += 1;
  }
  for (const auto& [tid, thread] : threads) {
    EXPECT_EQ(segments_of[tid], thread->trace->segments) << thread->name;
  }
  EXPECT_EQ(segments_of.size(), threads.size());
  uint64_t on_cpu_ns = 0;
  for (const auto& slice : slices) on_cpu_ns += slice.to_ns - slice.from_ns;
  // If the kernel does not report a switch, segments may overlap and are cut.
  if (run.lost->missed_switches == 0) {
    EXPECT_EQ(on_cpu_ns, counted.on_cpu_ns);
  }

  for (const CpuTrace& cpu : run.cpus) {
    EXPECT_EQ(segments_on[static_cast<uint32_t>(cpu.cpu)], cpu.segments);
    if (cpu.segments == 0) continue;
    const auto failed = [&](const std::string& kind) {
      return static_cast<uint64_t>(last_value(
          trace.track("failed acquisitions, " + kind + ", CPU " + std::to_string(cpu.cpu))));
    };
    EXPECT_EQ(failed("contended"), cpu.failed.contended);
    EXPECT_EQ(failed("woken_lost"), cpu.failed.woken_lost);
    EXPECT_EQ(failed("timed_out"), cpu.failed.timed_out);
  }

  uint64_t requests = 0;
  for (const auto& [uuid, track] : trace.tracks) {
    for (const Event& event : track.events) {
      if (event.name == "drop request") requests += event.notes.at("requests");
    }
  }
  EXPECT_EQ(requests, run.gil.drop_requests);
  EXPECT_EQ(last_value(trace.track("waiters")), 0);
}

TEST_F(Export, PerfettoSaysWhatTheCountersSay) {
  const gilscope::Run* traced = run({"--policy", "check-interval:100"});
  ASSERT_TRUE(traced);
  const std::string path = exported("perfetto");
  perfetto_test::expect_protoc_decodes(path);
  const Trace trace = Trace::read(path);
  expect_counters(trace, *traced);
  EXPECT_GT(trace.marks("wasted wakeup"), 0u);
  EXPECT_EQ(trace.marks("forced switch"), 0u) << "no thread requests a drop under this policy";
  EXPECT_FALSE(Trace::spans(trace.track("GIL owner")).empty());
}

TEST_F(Export, PerfettoShowsForcedSwitches) {
  const gilscope::Run* traced = run({"--policy", "switch-interval:1ms"});
  ASSERT_TRUE(traced);
  const Trace trace = Trace::read(exported("perfetto"));
  expect_counters(trace, *traced);
  EXPECT_GT(trace.marks("forced switch"), 0u);
  EXPECT_LE(trace.marks("forced switch"), trace.marks("acquired"));
}

TEST_F(Export, PerfettoWithoutALock) {
  const gilscope::Run* traced = run({"--policy", "none"});
  ASSERT_TRUE(traced);
  const Trace trace = Trace::read(exported("perfetto"));
  expect_counters(trace, *traced);
  EXPECT_TRUE(trace.named("GIL owner").empty());
}

TEST_F(Export, RowsSumUpToTheCounters) {
  const gilscope::Run* traced = run({"--policy", "check-interval:100"});
  ASSERT_TRUE(traced);
  const Sums counted = sums(*traced);
  std::istringstream lines(shell("cat " + exported("ndjson")).out);
  uint64_t segments = 0, wakeups = 0, acquires = 0, woken_lost = 0, runs = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto row = nlohmann::json::parse(line);
    runs += row["type"] == "run";
    if (row["type"] != "segment") continue;
    segments += 1;
    wakeups += row["began"] == "woken";
    acquires += row["acquires"].get<uint64_t>();
    woken_lost += row["woken_lost"].get<uint64_t>();
  }
  EXPECT_EQ(runs, report_.cells.at(0).runs.size());
  EXPECT_EQ(segments, counted.segments);
  EXPECT_EQ(wakeups, counted.wakeups);
  EXPECT_EQ(acquires, traced->gil.acquires);
  EXPECT_EQ(woken_lost, traced->gil.woken_lost);
}

}  // namespace
}  // namespace gilscope
