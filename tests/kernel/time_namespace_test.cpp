// In a time namespace with an offset, a traced run is as exact as outside of it: BPF reads the
// kernel's clock, and every time compared with it is on that clock too.
#include <gtest/gtest.h>

#include "tests/kernel/exact.h"
#include "tests/kernel/program.h"
#include "userspace/report/json.h"

namespace gilscope {
namespace {

bool has_time_namespaces() {
  return shell("unshare --time --fork true").status == 0;
}

class TimeNamespace : public ::testing::TestWithParam<int> {};

TEST_P(TimeNamespace, ItsOffsetIsTakenIntoAccount) {
  if (!has_time_namespaces()) GTEST_SKIP() << "no time namespaces here";
  const Scratch scratch;
  const std::string out = scratch.path("inside");
  const Ended ended = shell(fmt::format(
      "unshare --time --monotonic {0} --boottime {0} --fork {1} run --policy check-interval:100 "
      "--workload echo:seconds=200ms --arrangement threaded --threads 2 --blocks 1 --warmup 0 "
      "--quiet --out {2}",
      GetParam(), program(), out));
  ASSERT_EQ(ended.status, 0) << ended.err;
  EXPECT_EQ(gilscope_run({"validate", out}).status, 0);
  const auto report = read_report(out);
  ASSERT_TRUE(report) << report.error().message;
  ASSERT_EQ(report->cells.at(0).runs.size(), 2u);
  for (const auto& run : report->cells[0].runs) {
    EXPECT_TRUE(run.stopped_by.empty());
    if (!run.traced()) continue;
    EXPECT_GT(run.segment_records, 0u);
    EXPECT_EQ(run.segment_records + run.lost->segments, run.histograms->run.count());
  }
}

INSTANTIATE_TEST_SUITE_P(Offsets, TimeNamespace, ::testing::Values(-20, 20, 86400));

}  // namespace
}  // namespace gilscope
