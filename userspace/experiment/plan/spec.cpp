#include "userspace/experiment/plan/spec.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>
#include <utility>

#include "userspace/base/quote.h"
#include "userspace/base/term.h"
#include "userspace/descriptor/policy.h"
#include "userspace/descriptor/program.h"
#include "userspace/descriptor/workload.h"
#include "userspace/experiment/scripts/scripts.h"
#include "userspace/machine/cpus.h"
#include "userspace/report/metric_names.h"
#include "userspace/workload/workload.h"

namespace gilscope {
namespace {

constexpr uint64_t kMaxRuns = 1000000;
constexpr size_t kLongestName = 64;

Status check_name(const std::string& name) {
  const bool good =
      name.size() <= kLongestName && std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return c < 0x80 && (std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.');
      });
  if (good) return {};
  return fail(fmt::format("name: {} is none: up to {} letters, digits, '-', '_' and '.' make one",
                          in_quotes(name), kLongestName));
}

Status check_word(const char* key, const std::string& word, const std::vector<std::string>& words) {
  if (Status known = gilscope::check_word(word, words); !known) {
    return fail(fmt::format("{}: {}", key, known.error().message));
  }
  return {};
}

Status check_metrics(const std::vector<std::string>& metrics) {
  std::set<std::string> seen;
  for (const std::string& metric : metrics) {
    if (Status s = check_word("metrics", metric, metric_names()); !s) return s;
    if (!seen.insert(metric).second) return fail(fmt::format("metrics: {} is there twice", metric));
  }
  return {};
}

Status check_range(const char* key, int value, int low, int high) {
  if (value >= low && value <= high) return {};
  const auto refused =
      out_of_range(std::to_string(value), static_cast<uint64_t>(low), static_cast<uint64_t>(high));
  return fail(fmt::format("{}: {}", key, refused.value().message));
}

// Makes every text canonical and refuses a repeated one, however written.
Status make_canonical(const char* key, const char* flag, std::vector<std::string>& texts,
                      Result<std::string> (*canonical)(std::string_view)) {
  if (texts.empty()) {
    return fail(
        fmt::format("no {}: give at least one, by `{} = [...]` in a spec or by {} "
                    "(`gilscope list` names them)",
                    key, key, flag));
  }
  std::set<std::string> seen;
  for (std::string& text : texts) {
    auto form = canonical(text);
    if (!form) return fail(form.error().code, fmt::format("{}: {}", key, form.error().message));
    if (!seen.insert(*form).second) {
      const std::string also = *form == text ? "" : fmt::format(", as '{}'", *form);
      return fail(fmt::format("{}: {} is there twice{}", key, in_quotes(text), also));
    }
    text = std::move(*form);
  }
  return {};
}

Status check_arrangements(const std::vector<std::string>& arrangements) {
  std::set<std::string> seen;
  for (const std::string& arrangement : arrangements) {
    if (Status status = check_word("arrangements", arrangement, gilscope::arrangements());
        !status) {
      return status;
    }
    if (!seen.insert(arrangement).second) {
      return fail(fmt::format("arrangements: '{}' is there twice", arrangement));
    }
  }
  return {};
}

// A set time is the same whatever the arrangement, so a sequential one alone compares nothing.
Status check_timed(const Spec& spec) {
  if (spec.arrangements != std::vector<std::string>{"sequential"}) return {};
  for (const std::string& workload : spec.workloads) {
    if (lasts_a_set_time(workload)) {
      return fail(
          fmt::format("workloads: {} lasts for a set time and has no sequential "
                      "arrangement: name threaded too",
                      in_quotes(workload)));
    }
  }
  return {};
}

// Not each workload is one of the scripts that interpreters run.
Status check_scripts(const Spec& spec) {
  const auto interpreter = std::ranges::find_if(spec.policies, [](const std::string& policy) {
    return names_program(policy) && read_program(policy)->is_interpreter();
  });
  if (interpreter == spec.policies.end()) return {};
  for (const std::string& text : spec.workloads) {
    if (has_script(*find_workload(text))) continue;
    std::vector<std::string> names;
    for (const WorkloadDescriptor& workload : workloads()) {
      if (has_script(workload)) names.push_back(workload.name);
    }
    return fail(
        fmt::format("workloads: {} is for models alone, and {} cannot run it: its scripts "
                    "have {}",
                    in_quotes(text), in_quotes(*interpreter), fmt::join(names, ", ")));
  }
  return {};
}

// Refuses a parameter without effect: its author believes that it ends the run.
Status check_main_sleep(const Spec& spec) {
  if (spec.main_exit != "join") return {};
  for (const std::string& workload : spec.workloads) {
    auto made = make_workload(workload);
    if (made && (*made)->main_sleep_ns() && !lasts_a_set_time(workload)) {
      return fail(fmt::format(
          "workloads: seconds in {} is how long main lives with main_exit = \"kill\", and "
          "bounds nothing with \"join\": leave it out, or set main_exit",
          in_quotes(workload)));
    }
  }
  return {};
}

Status check_threads(const std::vector<ThreadCount>& threads) {
  std::set<std::string> seen;
  for (const ThreadCount& count : threads) {
    if (Status status = check_range("threads", count.count, 1, kMaxThreads); !status) return status;
    if (!seen.insert(count.text()).second) {
      return fail(fmt::format("threads: {} is there twice", count.text()));
    }
  }
  return {};
}

// Also makes each choice canonical.
Status check_cpus(std::vector<std::string>& cpus) {
  std::set<std::string> seen;
  for (std::string& request : cpus) {
    auto canonical = canonical_cpus(request);
    if (!canonical) return fail(canonical.error().code, "cpus: " + canonical.error().message);
    request = std::move(*canonical);
    if (!seen.insert(request).second) {
      return fail(fmt::format("cpus: {} is there twice", in_quotes(request)));
    }
  }
  return {};
}

Status check_limits(const DisturbanceLimits& limits) {
  for (const DisturbanceRule& rule : disturbance_rules()) {
    const std::optional<double>& limit = limits.*rule.limit;
    if (!limit) continue;
    // Written so that NaN is refused as well.
    if (!(*limit >= 0 && *limit <= rule.highest)) {
      return fail(fmt::format("gates.{}: {} is out of range: 0 to {} can be had, or false for none",
                              rule.name, *limit, rule.highest));
    }
    if (!rule.share && *limit != std::floor(*limit)) {
      return fail(fmt::format("gates.{}: {} is no count, which its limit is", rule.name, *limit));
    }
  }
  return {};
}

// A plan is held in memory as a whole, and a matrix multiplies faster than its author sees. Its
// size on this machine is checked when it is planned (check_size in plan.h).
Status check_runs(const Spec& spec) {
  // No overflow: the text or the command line that a list came from bounds it.
  uint64_t cells = 1;
  const uint64_t blocks = static_cast<uint64_t>(spec.blocks) + static_cast<uint64_t>(spec.warmup);
  const uint64_t runs_each = blocks * (spec.untraced && spec.trace != "off" ? 2 : 1);
  for (const size_t size : {spec.policies.size(), spec.workloads.size(), spec.arrangements.size(),
                            spec.threads.size(), spec.cpus.size()}) {
    cells *= size;
    if (cells * runs_each > kMaxRuns) {
      return fail(
          fmt::format("the spec asks for {} runs or more ({} cells in {} blocks): {} is "
                      "the limit",
                      cells * runs_each, cells, blocks, kMaxRuns));
    }
  }
  return {};
}

}  // namespace

const std::vector<std::string>& arrangements() {
  static const std::vector<std::string> words = {"sequential", "threaded"};
  return words;
}
const std::vector<std::string>& cpus_by_words() {
  static const std::vector<std::string> words = {"affinity", "cpuset", "hotplug"};
  return words;
}
const std::vector<std::string>& trace_words() {
  static const std::vector<std::string> words = {"full", "counters", "off"};
  return words;
}
const std::vector<std::string>& main_exit_words() {
  static const std::vector<std::string> words = {"join", "kill"};
  return words;
}

Result<ThreadCount> ThreadCount::parse(const std::string& text) {
  ThreadCount read;
  read.per_cpu = text.ends_with('x');
  const auto count = parse_count(
      std::string_view(text).substr(0, text.size() - (read.per_cpu ? 1 : 0)), 1, kMaxThreads);
  if (!count) {
    return fail(fmt::format("{} is no number of threads, nor like \"2x\" for two on each CPU: {}",
                            in_quotes(text), count.error().message));
  }
  read.count = static_cast<int>(*count);
  return read;
}

Result<Spec> checked(Spec spec) {
  if (spec.name.empty()) spec.name = "unnamed";
  if (spec.arrangements.empty()) spec.arrangements = {"sequential", "threaded"};
  if (spec.threads.empty()) spec.threads = {2};
  if (spec.cpus.empty()) spec.cpus = {"all"};

  const Status steps[] = {
      check_name(spec.name),
      make_canonical("policies", "--policy", spec.policies, canonical_policy),
      std::ranges::all_of(spec.policies, is_command) && spec.workloads.empty()
          ? Status()
          : make_canonical("workloads", "--workload", spec.workloads, canonical_workload),
      check_arrangements(spec.arrangements),
      check_timed(spec),
      check_scripts(spec),
      check_threads(spec.threads),
      check_cpus(spec.cpus),
      check_word("cpus_by", spec.cpus_by, cpus_by_words()),
      check_word("cpu_order", spec.cpu_order, cpu_orders()),
      check_range("blocks", spec.blocks, 1, kMaxBlocks),
      check_range("warmup", spec.warmup, 0, kMaxBlocks),
      check_word("trace", spec.trace, trace_words()),
      check_word("main_exit", spec.main_exit, main_exit_words()),
      check_main_sleep(spec),
      check_word("claim", spec.claim, {"", "slower", "faster", "same"}),
      check_metrics(spec.metrics),
      check_limits(spec.limits),
      check_runs(spec),
  };
  for (const Status& status : steps) {
    if (!status) return fail(status.error());
  }
  return spec;
}

}  // namespace gilscope
