// Failures, wasted wakeups and migrations for each acquisition, by level and CPU count: one table
// for a whole comparison, valid on emulated CPUs too.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "tools/compare/comparison.h"

namespace gilscope {

struct PerAcquire {
  // The metrics whose medians are in Row::values, in its order.
  static constexpr std::array<const char*, 3> kMetrics{"failed_per_acquire", "wasted_per_acquire",
                                                       "migrations_per_acquire"};
  static constexpr std::array<const char*, 3> kShown{"failed", "wasted wakeups", "migrations"};
  static constexpr const char* kTitle = "PER ACQUISITION";
  static constexpr const char* kExplanation =
      "failed acquisitions, wasted wakeups and migrations for each acquisition; medians";

  struct Row {
    std::string level;  // "5.10.0-32-cloud-amd64, 2 CPUs"
    std::array<std::optional<double>, 3> values;
    bool emulated = false;

    // Stands in the place of a wall time, which means nothing on one side.
    const char* wall_time() const { return emulated ? "emulated" : "left out"; }
  };
  struct Group {
    std::string title;  // "check-interval:100, count:n=200k"
    std::vector<Row> rows;
  };
  std::vector<Group> groups;
  bool emulated = false;  // some rows are

  static Number number(const std::optional<double>& value);
};

// Empty for two levels on real CPUs that are not kernels: the sentences say as much.
PerAcquire per_acquire(const Comparison& comparison);

}  // namespace gilscope
