#include "userspace/live/metric_table.h"

#include <string_view>

#include "userspace/report/numbers.h"

namespace gilscope {
namespace {

using Type = MetricFamily::Type;

// "on_cpu_ns" of a thread is gilscope_thread_on_cpu_seconds_total.
MetricFamily counter(const char* of, std::string_view key, const char* help,
                     std::vector<std::string> labels) {
  std::string name = "gilscope_";
  name += of;
  if (key.ends_with("_ns")) {
    name += std::string(key.substr(0, key.size() - 3)) + "_seconds";
  } else {
    name += key;
  }
  return {name + "_total", Type::counter, help, std::move(labels)};
}

bool in_ns(std::string_view key) {
  return key.ends_with("_ns");
}

}  // namespace

// The whole CPU's times are nobody's of the traced ones, and what a model alone has no real program
// has.
#define GILSCOPE_METRIC_own true
#define GILSCOPE_METRIC_gil true
#define GILSCOPE_METRIC_gil_of_models false
#define GILSCOPE_METRIC_subject true
#define GILSCOPE_METRIC_both true
#define GILSCOPE_METRIC_remote true
#define GILSCOPE_METRIC_running true
#define GILSCOPE_METRIC_occupant false

const std::vector<CpuMetric>& cpu_metrics() {
  static const std::vector<CpuMetric> metrics = [] {
    std::vector<CpuMetric> rows;
#define CPU_NUMBER(path, field, csv, from, since, member, definition, ...)                   \
  if (GILSCOPE_METRIC_##from) {                                                              \
    rows.push_back({counter("cpu_", #csv, definition, {"cpu"}), in_ns(#csv),                 \
                    [](const CpuTrace& cpu) { return std::optional<uint64_t>(cpu.path); }}); \
  }
#include "bpf/numbers.def"
    return rows;
  }();
  return metrics;
}

// A signed sum may go back.
#define GILSCOPE_OF_THREAD_own(field) [](const gilscope_thread& t) { return uint64_t(t.field); }
#define GILSCOPE_OF_THREAD_waking(field) \
  [](const gilscope_thread& t) { return uint64_t(t.waking.field); }
#define GILSCOPE_OF_THREAD_signed_sum(field) nullptr
#define GILSCOPE_OF_SLOT_always(key) \
  [](const gilscope_thread& t) { return uint64_t(t.counted.key); }
#define GILSCOPE_OF_SLOT_optional(key) nullptr

const std::vector<ThreadMetric>& thread_metrics() {
  static const std::vector<ThreadMetric> metrics = [] {
    std::vector<ThreadMetric> rows;
    const auto add = [&](const char* key, const char* definition,
                         uint64_t (*value)(const gilscope_thread&)) {
      if (value) {
        rows.push_back({counter("thread_", key, definition, {"thread"}), in_ns(key), value});
      }
    };
#define THREAD_NUMBER(field, from, since, member, otherwise, definition, ...) \
  add(#field, definition, GILSCOPE_OF_THREAD_##from(field));
#define GIL(key, known, definition) add(#key, definition, GILSCOPE_OF_SLOT_##known(key));
#define GIL_OF_SUBJECT(key, definition) \
  add(#key, definition, [](const gilscope_thread& t) { return uint64_t(t.key); });
#include "bpf/numbers.def"
    return rows;
  }();
  return metrics;
}

const std::vector<LostMetric>& lost_metrics() {
  static const std::vector<LostMetric> metrics = [] {
    std::vector<LostMetric> rows;
#define LOST(key, csv, from, since, definition)                                           \
  if (std::string_view(#key) != "window_late_ns") {                                       \
    rows.push_back({counter("lost_", #key, definition, {}),                               \
                    [](const Lost& lost) { return std::optional<uint64_t>(lost.key); }}); \
  }
#include "bpf/numbers.def"
    return rows;
  }();
  return metrics;
}

const OtherMetrics& other_metrics() {
  static const OtherMetrics metrics = {
      .up = {"gilscope_up",
             Type::gauge,
             "1 while the process is recorded; 0 in the last file, which stays as it is",
             {}},
      .info = {"gilscope_info",
               Type::gauge,
               "always 1; the process that was asked for, and what runs in it",
               {"version", "pid", "interpreter", "interpreter_version", "lock"}},
      .recorded = {"gilscope_recorded_seconds_total",
                   Type::counter,
                   "time since the recording began",
                   {}},
      .own_cpu = {"gilscope_own_cpu_seconds_total",
                  Type::counter,
                  "CPU time of gilscope itself, without its programs in the kernel",
                  {}},
      .processes = {"gilscope_processes",
                    Type::gauge,
                    "processes that are traced at the moment",
                    {}},
      .threads = {"gilscope_threads", Type::gauge, "threads that are traced at the moment", {}},
      .waited = {"gilscope_thread_waited_seconds_total",
                 Type::counter,
                 "time that the thread waited for the lock, asleep, runnable or running",
                 {"thread"}},
      .waited_for =
          {"gilscope_waited_for_seconds_total",
           Type::counter,
           "part of that in which the owner was seen, by the owner and what it did meanwhile",
           {"thread", "owner", "owner_was"}},
      .waited_for_bounded =
          {"gilscope_waited_for_bounded_seconds_total",
           Type::counter,
           "part of that in which another may have been the owner, or the wait over",
           {"thread", "owner"}},
      .handoff = {"gilscope_handoff_seconds",
                  Type::histogram,
                  "from the release of the lock to its next owner's running with it",
                  {}},
      .handoffs_unseen = {"gilscope_handoffs_unseen_total",
                          Type::counter,
                          "hand-offs whose release no waking shows",
                          {}},
  };
  return metrics;
}

std::vector<MetricFamily> metric_families() {
  const OtherMetrics& other = other_metrics();
  std::vector<MetricFamily> all = {other.up,      other.info,      other.recorded,
                                   other.own_cpu, other.processes, other.threads};
  for (const CpuMetric& metric : cpu_metrics()) all.push_back(metric.family);
  for (const ThreadMetric& metric : thread_metrics()) all.push_back(metric.family);
  for (const MetricFamily& family : {other.waited, other.waited_for, other.waited_for_bounded,
                                     other.handoff, other.handoffs_unseen}) {
    all.push_back(family);
  }
  for (const LostMetric& metric : lost_metrics()) all.push_back(metric.family);
  return all;
}

}  // namespace gilscope
