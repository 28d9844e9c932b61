#include "userspace/workload/workload.h"

#include <algorithm>

#include "userspace/util/quote.h"
#include "userspace/util/term.h"
#include "userspace/workload/compute.h"
#include "userspace/workload/count.h"
#include "userspace/workload/datagrams.h"
#include "userspace/workload/echo.h"
#include "userspace/workload/io.h"
#include "userspace/workload/ping_pong.h"
#include "userspace/workload/tasks.h"
#include "userspace/workload/yield.h"

namespace gilscope {
namespace {

constexpr uint64_t kMaxBackground = 1024;

// One workload: its own parameters, to which those that all have are added, and what it makes.
struct Kind {
  std::string name;
  std::string summary;
  std::vector<Parameter> parameters;
  std::unique_ptr<Workload> (*make)(const Parameters& parameters);
  bool own_task = false;  // `task` is what the measured threads do, not those in the background
};

bool has_parameter(const std::vector<Parameter>& table, const char* key) {
  return std::ranges::find(table, key, &Parameter::key) != table.end();
}

// `background` stands first, as in echo:background=1,seconds=2; it is said where it is what the
// workload is about.
Kind with_background(Kind kind, uint64_t fallback) {
  kind.parameters.insert(kind.parameters.begin(),
                         count_parameter("background", fallback, 0, kMaxBackground, fallback > 0));
  kind.own_task = has_parameter(kind.parameters, "task");
  if (!kind.own_task) {
    kind.parameters.push_back(word_parameter("task", task_names()));
  }
  return kind;
}

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> list = {
      with_background({"count", "each thread counts n down to 0 in bytecode, the seed's own loop",
                       count_parameters(), make_count},
                      0),
      with_background({"mixed", "each thread computes, and blocks for a moment, in turn",
                       mixed_parameters(), make_mixed},
                      0),
      with_background({"throughput", "each thread does n operations of a task, after ccbench",
                       throughput_parameters(), make_throughput},
                      0),
      with_background({"latency", "UDP pings from a process of their own, after ccbench",
                       latency_parameters(), make_latency},
                      1),
      with_background({"bandwidth", "UDP datagrams sent back, after ccbench",
                       bandwidth_parameters(), make_bandwidth},
                      1),
      with_background(
          {"echo", "TCP request and response over loopback", echo_parameters(), make_echo}, 1),
      with_background({"file", "writes made durable by fsync", file_parameters(), make_file}, 1),
      with_background(
          {"native", "native calls that never release the GIL", native_parameters(), make_native},
          0),
      with_background({"convoy", "short I/O that never waits, and queues for the GIL",
                       convoy_parameters(), make_convoy},
                      1),
      with_background({"ping-pong", "threads pass a token round a ring, by a semaphore each",
                       ping_pong_parameters(), make_ping_pong},
                      0),
      with_background({"yield", "each thread gives up its core and the GIL, over and over",
                       yield_parameters(), make_yield},
                      0),
  };
  return list;
}

struct Reading {
  const Kind* kind;
  Parameters parameters;
};

// A task for background threads that there are none of would only be read, and name a second cell
// that is the same as the one without it.
Status check_task(const Kind& kind, const Term& term, const Parameters& parameters) {
  if (kind.own_task || parameters.number("background") > 0) return {};
  if (std::ranges::find(term.arguments, "task", &Argument::key) == term.arguments.end()) return {};
  return fail(fmt::format(
      "workload {}: task= is what background threads compute, and there are none: leave it "
      "out, or ask for some by background=",
      term.name));
}

Result<Reading> read_workload(std::string_view text) {
  auto term = parse_term(text);
  if (!term) return fail(fmt::format("workload {}: {}", in_quotes(text), term.error().message));
  std::vector<std::string> names;
  for (const Kind& kind : kinds()) {
    names.push_back(kind.name);
    if (kind.name != term->name) continue;
    auto parameters = Parameters::read(kind.parameters, *term);
    if (!parameters) return fail(parameters.error());
    if (Status used = check_task(kind, *term, *parameters); !used) return fail(used.error());
    return Reading{&kind, std::move(*parameters)};
  }
  const std::string near = nearest(term->name, names);
  return fail(fmt::format("unknown workload {}{}; `gilscope list` names them",
                          in_quotes(term->name),
                          near.empty() ? "" : fmt::format(": did you mean {}?", in_quotes(near))));
}

}  // namespace

Workload::Workload(const Parameters& parameters)
    : background_{parameters.number("background"), parameters.word("task")} {}

const std::vector<WorkloadInfo>& workload_list() {
  static const std::vector<WorkloadInfo> list = [] {
    std::vector<WorkloadInfo> infos;
    for (const Kind& kind : kinds()) {
      infos.push_back({*canonical_workload(kind.name), kind.summary,
                       parameters_text(kind.parameters), argument_forms(kind.parameters)});
    }
    return infos;
  }();
  return list;
}

Result<std::string> canonical_workload(std::string_view text) {
  auto reading = read_workload(text);
  if (!reading) return fail(reading.error());
  return reading->parameters.canonical();
}

Result<std::unique_ptr<Workload>> make_workload(std::string_view text) {
  auto reading = read_workload(text);
  if (!reading) return fail(reading.error());
  return reading->kind->make(reading->parameters);
}

}  // namespace gilscope
