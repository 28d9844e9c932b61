// Results computed from a run's operations and latencies.
#include "userspace/experiment/run/results.h"

#include <gtest/gtest.h>

#include <vector>

namespace gilscope {
namespace {

using Values = std::vector<uint64_t>;

TEST(Fairness, IsJainsIndex) {
  EXPECT_DOUBLE_EQ(*fairness(std::vector<double>{3, 3, 3}), 1);
  EXPECT_DOUBLE_EQ(*fairness(std::vector<double>{5, 0, 0, 0}), 0.25);
  EXPECT_DOUBLE_EQ(*fairness(std::vector<double>{1, 2}), 0.9);
  EXPECT_EQ(fairness(std::vector<double>{0, 0}), std::nullopt);
  EXPECT_EQ(fairness(std::vector<double>{}), std::nullopt);
}

TEST(Quantile, IsTheNearestRank) {
  const Values values = {10, 20, 30, 40};
  EXPECT_EQ(quantile(values, 0.5), 20u);
  EXPECT_EQ(quantile(values, 0.51), 30u);
  EXPECT_EQ(quantile(values, 0.99), 40u);
  EXPECT_EQ(quantile(values, 1), 40u);
  EXPECT_EQ(quantile(Values{7}, 0), 7u);
}

std::vector<ThreadRow> rows_of(std::initializer_list<std::pair<uint64_t, uint64_t>> threads) {
  std::vector<ThreadRow> rows(threads.size());
  size_t i = 0;
  for (const auto& [operations, active_ns] : threads) {
    rows[i].operations = operations;
    rows[i++].active_ns = active_ns;
  }
  return rows;
}

TEST(Results, AreOfTheMeasuredThreadsAndOfTheBackground) {
  auto workload = make_workload("count:n=100,background=1");
  const auto rows = rows_of({{0, 0}, {100, 1'000}, {100, 2'000}, {50, 0}});
  const auto results = results_of(**workload, SampleBook(), rows, 2, 2'000);
  EXPECT_EQ(results.at("operations"), 200);
  EXPECT_EQ(results.at("operations_per_s"), 200 / 2e-6);
  EXPECT_DOUBLE_EQ(results.at("fairness"), 0.9) << "the threads had the GIL one after the other";
  EXPECT_EQ(results.at("background_operations"), 50);
  EXPECT_EQ(results.at("background_fairness"), 1);
  EXPECT_FALSE(results.contains("latency_samples"));
}

TEST(Results, HaveTheLatenciesOfAllThreads) {
  auto workload = make_workload("file");
  auto book = SampleBook::make(2, 2'000);
  for (uint64_t i = 1; i <= 1'000; ++i) book->writer(i % 2).add(0, i);
  const auto rows = rows_of({{0, 0}, {500, 1'000}, {500, 1'000}});
  const auto results = results_of(**workload, *book, rows, 2, 1'000);
  EXPECT_EQ(results.at("latency_samples"), 1'000);
  EXPECT_EQ(results.at("latency_samples_lost"), 0);
  EXPECT_EQ(results.at("latency_p50_ns"), 500);
  EXPECT_EQ(results.at("latency_p90_ns"), 900);
  EXPECT_EQ(results.at("latency_p99_ns"), 990);
  EXPECT_EQ(results.at("latency_p999_ns"), 999);
  EXPECT_EQ(results.at("latency_max_ns"), 1'000);
}

TEST(Results, LeaveOutWhatWasNotMeasured) {
  auto workload = make_workload("file");
  auto book = SampleBook::make(1, 10);
  const auto rows = rows_of({{0, 0}, {0, 0}});
  const auto results = results_of(**workload, *book, rows, 1, 0);
  EXPECT_EQ(results.at("latency_samples"), 0);
  EXPECT_FALSE(results.contains("latency_p50_ns"));
  EXPECT_FALSE(results.contains("fairness"));
  EXPECT_FALSE(results.contains("operations_per_s"));
}

}  // namespace
}  // namespace gilscope
