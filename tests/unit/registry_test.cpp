// Rules that every row of bpf/numbers.def keeps.
#include <gmock/gmock.h>

#include <set>

#include "tools/analysis/counted_summary.h"
#include "tools/compare/metrics.h"
#include "tools/html/definitions.h"
#include "userspace/report/metric_names.h"
#include "userspace/report/sums.h"

namespace gilscope {
namespace {

TEST(Registry, AMedianIsKeyedByWhatItIsMadeOf) {
  using numbers::As;
  using numbers::key_of_median;
  EXPECT_EQ(key_of_median("segments", As::count), "segments");
  EXPECT_EQ(key_of_median("on_cpu_ns", As::share), "on_cpu_share");
  EXPECT_EQ(key_of_median("on_cpu_ns", As::duration), "on_cpu_ns");
  EXPECT_EQ(key_of_median("wakeups.ran", As::count), "wakeups.ran");
  EXPECT_EQ(key_of_median("failed.contended", As::per_s), "failed_per_s.contended");
  EXPECT_EQ(key_of_median("wasted_wakeups", As::of_wakeups), "wasted_wakeups_share");
}

template <typename Of>
void expect_places(const std::vector<SummaryColumn<Of>>& columns) {
  int place = 0;
  for (const auto& column : columns) EXPECT_EQ(column.column.place, ++place) << column.key;
}

TEST(Registry, ColumnsHaveOnePlaceEach) {
  expect_places(cpu_columns(numbers::View::scheduling, numbers::Whose::both));
  expect_places(cpu_columns(numbers::View::gil, numbers::Whose::both));
  expect_places(thread_columns(numbers::Whose::both));
}

TEST(Registry, EveryColumnOfAPageIsDefined) {
  for (const auto view : {numbers::View::scheduling, numbers::View::gil}) {
    for (const auto& column : cpu_columns(view, numbers::Whose::both))
      EXPECT_NE(definition_of(column.key), "") << column.key;
  }
  for (const auto& column : thread_columns(numbers::Whose::both)) {
    if (column.key == "failed") continue;  // the sum of three numbers
    if (column.key.starts_with("wake_to_run.")) continue;
    EXPECT_NE(definition_of(column.key), "") << column.key;
  }
  EXPECT_EQ(definition_of("no_such_number"), "");
}

TEST(Registry, EveryMetricIsNamedOnceAndDefined) {
  std::set<std::string> names;
  bool exploratory = false;
  for (const Metric& metric : metrics()) {
    EXPECT_TRUE(names.insert(metric.name).second) << metric.name;
    EXPECT_NE(definition_of(metric.name), "") << metric.name;
    EXPECT_TRUE(metric.primary ? !exploratory : true) << metric.name << ": primary ones come first";
    exploratory = exploratory || !metric.primary;
  }
  EXPECT_EQ(metrics().size(), metric_names().size());
}

TEST(Registry, ASumIsUnknownWhereOneCpuDoesNotSay) {
  std::vector<CpuTrace> cpus(2);
  cpus[0].segments = 3, cpus[1].segments = 4;
  EXPECT_EQ(sum_over(cpus, [](const CpuTrace& cpu) { return cpu.segments; }), 7u);
  const auto drop_requests = [](const CpuTrace& cpu) { return cpu.drop_requests; };
  cpus[0].drop_requests = 5;
  EXPECT_EQ(sum_over(cpus, drop_requests), std::nullopt);
  cpus[1].drop_requests = 6;
  EXPECT_EQ(sum_over(cpus, drop_requests), 11u);
}

}  // namespace
}  // namespace gilscope
