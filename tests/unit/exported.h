// A report on disk with the segments of its runs, and `gilscope export` as the command line runs
// it.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "tests/unit/command.h"
#include "tests/unit/temporary_directory.h"
#include "tools/cli/tools.h"
#include "userspace/report/json.h"
#include "userspace/report/segment_file.h"

namespace gilscope {

inline constexpr uint16_t kNoCpu = GILSCOPE_NO_CPU;

inline Thread traced_thread(const std::string& name, uint32_t tid, uint64_t entered_ns) {
  Thread thread;
  thread.name = name;
  thread.role = "worker";
  thread.ended = "finished";
  thread.trace = ThreadTrace{};
  thread.trace->tid = tid;
  thread.trace->entered_ns = entered_ns;
  return thread;
}

class Exported : public testing::Test {
 protected:
  // A report with one cell and no runs; add_run adds them.
  Exported() {
    report_.id = "6f1c2a1e-0b5d-4b8e-9c55-0d5a7c1f2e3b";
    report_.gilscope = "0.1.0";
    report_.created_at = "2026-03-01T12:00:00Z";
    report_.status = "done";
    report_.spec_sha256 = std::string(64, 'a');
    report_.blocks_planned = 10;
    report_.environment = {{"kernel.release", std::string("6.18.4"), ""}};
    add_cell("check-interval:100");
  }

  void add_cell(const std::string& policy) {
    Cell cell;
    cell.policy = policy;
    cell.workload = "count:n=1M";
    cell.arrangement = "threaded";
    cell.threads = 2;
    cell.cpus = "2";
    cell.cpu_list = {0, 1};
    cell.cpus_by = "affinity";
    cell.cpu_order = "cores-first";
    cell.main_exit = "join";
    report_.cells.push_back(cell);
  }

  // Adds a run to the last cell, traced in full, with its segments on disk.
  gilscope::Run& add_run(std::vector<Thread> threads,
                         const std::vector<gilscope_segment>& segments) {
    Cell& cell = report_.cells.back();
    gilscope::Run run;
    run.block = static_cast<int>(cell.runs.size());
    run.trace = "full";
    run.status = "done";
    run.started_at = "2026-03-01T12:00:01Z";
    run.threads = std::move(threads);
    run.lost = Lost{};
    run.segments_file = fmt::format("segments/{}-{}.bin", report_.cells.size() - 1, run.block);
    run.segment_records = segments.size();
    SegmentFileHeader header;
    header.cell = static_cast<uint32_t>(report_.cells.size() - 1);
    header.block = static_cast<uint32_t>(run.block);
    std::strcpy(header.report_id.data(), report_.id.c_str());
    write_segments(run.segments_file, header, segments);
    cell.runs.push_back(run);
    return cell.runs.back();
  }

  void write_segments(const std::string& name, const SegmentFileHeader& header,
                      const std::vector<gilscope_segment>& segments) {
    std::filesystem::create_directories((std::filesystem::path(directory_ / name)).parent_path());
    std::filesystem::remove(directory_ / name);
    const Fd at(open(directory_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    auto writer = SegmentWriter::create(at.get(), name, header);
    ASSERT_TRUE(writer) << writer.error().message;
    ASSERT_TRUE(writer->write(segments));
    ASSERT_TRUE(writer->finish());
  }

  // Writes the report and exports it to output().
  Outcome run_export(std::vector<std::string> arguments) {
    directory_.write("report.json", to_json(report_));
    arguments.insert(arguments.begin(), {"export", directory_.path()});
    if (std::ranges::find(arguments, "-o") == arguments.end()) {
      arguments.insert(arguments.end(), {"-o", output()});
    }
    return run_command(add_export, arguments);
  }

  // The same, and it must succeed.
  void exports(const std::vector<std::string>& arguments) {
    const Outcome outcome = run_export(arguments);
    ASSERT_EQ(outcome.exit, 0) << outcome.err;
    ASSERT_EQ(outcome.err, "");
  }

  std::string output() const { return directory_ / "output"; }
  std::string content() const {
    std::ifstream file(output(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::vector<std::string> lines() const {
    std::vector<std::string> lines;
    std::ifstream file(output(), std::ios::binary);
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }

  Report report_;
  TemporaryDirectory directory_;
};

}  // namespace gilscope
