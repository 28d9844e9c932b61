#include "userspace/report/metric_names.h"

namespace gilscope {

const std::vector<std::string>& metric_names() {
  static const std::vector<std::string> names{
      "wall_ns",
      "slowdown",
      "operations_per_s",
      "latency_p99_ns",
      "contended_per_s",
      "woken_lost_per_s",
      "timed_out_per_s",
      "contended_per_acquire",
      "woken_lost_per_acquire",
      "timed_out_per_acquire",
      "wasted_share",
      "migrations_per_s",
      "wake_to_run_p50_ns",
      "wake_to_run_p99_ns",
      "handoff_p50_ns",
      "handoff_p99_ns",
      // Exploratory.
      "cpu_ns",
      "acquires_per_s",
      "drop_requests_per_s",
      "voluntary_switches_per_s",
      "involuntary_switches_per_s",
      "failed_per_acquire",
      "wasted_per_acquire",
      "migrations_per_acquire",
      "fairness",
      "latency_p50_ns",
      "latency_p999_ns",
      "wakeups_per_s",
      "holder_preempted_per_s",
      "preempt_wait_p99_ns",
      "idle_while_free_share",
      "chain_delay_p99_ns",
  };
  return names;
}

}  // namespace gilscope
