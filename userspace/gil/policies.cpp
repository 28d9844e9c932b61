#include "userspace/gil/policies.h"

#include <cstdint>
#include <functional>

#include "userspace/gil/bfs.h"
#include "userspace/gil/check_interval.h"
#include "userspace/gil/fifo.h"
#include "userspace/gil/gvl.h"
#include "userspace/gil/gvl_handoff.h"
#include "userspace/gil/no_lock.h"
#include "userspace/gil/priority.h"
#include "userspace/gil/pypy.h"
#include "userspace/gil/sharded.h"
#include "userspace/gil/switch_interval.h"
#include "userspace/util/quote.h"
#include "userspace/util/term.h"

namespace gilscope {
namespace {

// One policy: how its arguments are read, and what they make. Reading gives the canonical text and
// a way to make the GIL, so that checking and making cannot disagree.
struct Reading {
  std::string canonical;
  std::function<std::unique_ptr<Gil>()> make;
  PolicyPace pace;
};

tl::unexpected<Error> unknown_argument(const Term& term, const Argument& argument,
                                       const std::string& parameters) {
  std::string given = argument.key.empty() ? argument.value : argument.key + "=" + argument.value;
  return fail(fmt::format("policy {} has no parameter {}; it takes {}", in_quotes(term.name),
                          in_quotes(given), parameters.empty() ? "none" : parameters));
}

// A parameter without a key: what it is called in messages, what it may be, and an example.
struct CountParameter {
  const char* name;
  const char* what;
  uint64_t lowest, highest;
  const char* example;
};
struct TimeParameter {
  const char* name;
  uint64_t shortest_ns;
  const char* example;
};

constexpr uint64_t kMicrosecond = 1'000;  // CPython's shortest switch interval
constexpr uint64_t kLongest = 3'600'000'000'000;

Result<uint64_t> read_count(const Term& term, const Argument& argument,
                            const CountParameter& parameter) {
  auto count = parse_count(argument.value);
  if (count && *count >= parameter.lowest && *count <= parameter.highest) return *count;
  return fail(fmt::format("policy {}: {} {} is not a count of {} from {} to {}, as in {}",
                          in_quotes(term.name), parameter.name, in_quotes(argument.value),
                          parameter.what, parameter.lowest, parameter.highest, parameter.example));
}

Result<uint64_t> read_time(const Term& term, const Argument& argument,
                           const TimeParameter& parameter) {
  auto time = parse_duration_ns(argument.value);
  if (time && *time >= parameter.shortest_ns && *time <= kLongest) return *time;
  return fail(fmt::format("policy {}: {} {} is not a time from {} to {}, as in {}",
                          in_quotes(term.name), parameter.name, in_quotes(argument.value),
                          format_duration_ns(parameter.shortest_ns), format_duration_ns(kLongest),
                          parameter.example));
}

Result<Reading> read_check_interval(const Term& term, const std::string& parameters) {
  constexpr CountParameter kInterval = {"check interval", "opcodes", 0, INT32_MAX,
                                        "check-interval:100"};
  CheckIntervalOptions options;
  bool first = true;
  for (const Argument& argument : term.arguments) {
    if (argument == Argument{"lock", "condvar"}) {
      options.condvar = true;
    } else if (argument == Argument{"", "yield"}) {
      options.yield = true;
    } else if (first && argument.key.empty()) {
      auto interval = read_count(term, argument, kInterval);
      if (!interval) return fail(interval.error());
      options.interval = static_cast<int32_t>(*interval);
    } else {
      return unknown_argument(term, argument, parameters);
    }
    first = false;
  }
  return Reading{fmt::format("check-interval:{}{}{}", options.interval,
                             options.condvar ? ",lock=condvar" : "", options.yield ? ",yield" : ""),
                 [options] { return make_check_interval(options); },
                 {.held_opcodes = static_cast<uint64_t>(options.interval) + 1}};
}

Result<Reading> read_switch_interval(const Term& term, const std::string& parameters) {
  constexpr TimeParameter kInterval = {"switch interval", kMicrosecond, "switch-interval:5ms"};
  SwitchIntervalOptions options;
  bool first = true;
  for (const Argument& argument : term.arguments) {
    if (argument == Argument{"flag", "thread"}) {
      options.flag_per_thread = true;
    } else if (first && argument.key.empty()) {
      auto interval = read_time(term, argument, kInterval);
      if (!interval) return fail(interval.error());
      options.interval_ns = *interval;
    } else {
      return unknown_argument(term, argument, parameters);
    }
    first = false;
  }
  return Reading{fmt::format("switch-interval:{}{}", format_duration_ns(options.interval_ns),
                             options.flag_per_thread ? ",flag=thread" : ""),
                 [options] { return make_switch_interval(options); },
                 {.held_ns = options.interval_ns}};
}

// Policies with one parameter, a count, which goes into `member` of their options.
template <typename Options, typename Integer>
Result<Reading> read_one_count(const Term& term, const std::string& parameters,
                               const CountParameter& parameter, Integer Options::*member,
                               std::unique_ptr<Gil> (*make)(const Options&),
                               PolicyPace (*pace)(uint64_t count)) {
  Options options;
  for (const Argument& argument : term.arguments) {
    if (&argument != &term.arguments[0] || !argument.key.empty()) {
      return unknown_argument(term, argument, parameters);
    }
    auto count = read_count(term, argument, parameter);
    if (!count) return fail(count.error());
    options.*member = static_cast<Integer>(*count);
  }
  return Reading{fmt::format("{}:{}", term.name, options.*member),
                 [options, make] { return make(options); },
                 pace(static_cast<uint64_t>(options.*member))};
}

// The same with a time.
template <typename Options>
Result<Reading> read_one_time(const Term& term, const std::string& parameters,
                              const TimeParameter& parameter, uint64_t Options::*member,
                              std::unique_ptr<Gil> (*make)(const Options&)) {
  Options options;
  for (const Argument& argument : term.arguments) {
    if (&argument != &term.arguments[0] || !argument.key.empty()) {
      return unknown_argument(term, argument, parameters);
    }
    auto time = read_time(term, argument, parameter);
    if (!time) return fail(time.error());
    options.*member = *time;
  }
  return Reading{fmt::format("{}:{}", term.name, format_duration_ns(options.*member)),
                 [options, make] { return make(options); },
                 {.held_ns = options.*member}};
}

PolicyPace pace_of_interval(uint64_t opcodes) {
  return {.held_opcodes = opcodes + 1};
}
PolicyPace pace_of_pieces(uint64_t pieces) {
  return {.holders = pieces, .held_opcodes = 101};
}

Result<Reading> read_fifo(const Term& term, const std::string& parameters) {
  return read_one_count(term, parameters, {"check interval", "opcodes", 0, INT32_MAX, "fifo:100"},
                        &FifoOptions::interval, make_fifo, pace_of_interval);
}

Result<Reading> read_pypy(const Term& term, const std::string& parameters) {
  // PyPy makes 1 of anything less.
  return read_one_count(term, parameters, {"check interval", "opcodes", 1, INT32_MAX, "pypy:10000"},
                        &PypyOptions::interval, make_pypy, pace_of_interval);
}

Result<Reading> read_gvl(const Term& term, const std::string& parameters) {
  return read_one_time(term, parameters, {"quantum", kMicrosecond, "gvl:100ms"},
                       &GvlOptions::quantum_ns, make_gvl);
}

Result<Reading> read_gvl_handoff(const Term& term, const std::string& parameters) {
  constexpr uint64_t kTick = 10'000'000;  // what the quantum is counted in
  return read_one_time(term, parameters, {"quantum", kTick, "gvl-handoff:100ms"},
                       &GvlHandoffOptions::quantum_ns, make_gvl_handoff);
}

Result<Reading> read_bfs(const Term& term, const std::string& parameters) {
  if (!term.arguments.empty()) return unknown_argument(term, term.arguments[0], parameters);
  return Reading{"bfs", make_bfs, {}};  // who has waited long goes first
}

Result<Reading> read_priority(const Term& term, const std::string& parameters) {
  return read_one_time(term, parameters, {"interval", kMicrosecond, "priority:5ms"},
                       &PriorityOptions::interval_ns, make_priority);
}

std::unique_ptr<Gil> make_sharded(const ShardedOptions& options) {
  return std::make_unique<Sharded>(options);
}

Result<Reading> read_sharded(const Term& term, const std::string& parameters) {
  return read_one_count(term, parameters, {"number of locks", "locks", 1, 4096, "sharded:16"},
                        &ShardedOptions::pieces, make_sharded, pace_of_pieces);
}

Result<Reading> read_none(const Term& term, const std::string& parameters) {
  if (!term.arguments.empty()) return unknown_argument(term, term.arguments[0], parameters);
  return Reading{"none", [] { return std::make_unique<NoLock>(); }, {.holders = SIZE_MAX}};
}

struct Policy {
  PolicyInfo info;
  std::string name;
  Result<Reading> (*read)(const Term& term, const std::string& parameters);
};

const std::vector<Policy>& policies() {
  static const std::vector<Policy> list = {
      {{"check-interval:100",
        "CPython to 3.1: every N+1 counted opcodes release, and take again at once",
        "N (opcodes), lock=condvar, yield",
        {"lock=condvar", "yield"}},
       "check-interval",
       read_check_interval},
      {{"switch-interval:5ms",
        "CPython 3.2+: a waiter whose wait runs out asks, the holder drops and lets it in",
        "T (time), flag=thread (3.13+)",
        {"flag=thread"}},
       "switch-interval",
       read_switch_interval},
      {{"fifo:100",
        "tickets: the releaser makes the next in the queue the owner, then wakes it",
        "N (opcodes between releases)",
        {}},
       "fifo",
       read_fifo},
      {{"pypy:10000",
        "PyPy: two locks, one stealer at a time; every N+1 opcodes given to it",
        "N (opcodes)",
        {}},
       "pypy",
       read_pypy},
      {{"gvl:100ms",
        "Ruby 3.1: a queue, and a waiter as timer; newcomers may barge in",
        "T (time)",
        {}},
       "gvl",
       read_gvl},
      {{"gvl-handoff:100ms",
        "Ruby 3.3: a queue, handed over; ticks of 10 ms while somebody waits",
        "T (time, from 10ms)",
        {}},
       "gvl-handoff",
       read_gvl_handoff},
      {{"bfs",
        "Nir Aides' proposal for CPython: slices of 10 ms, the earliest deadline first",
        "",
        {}},
       "bfs",
       read_bfs},
      {{"priority:5ms",
        "Beazley-style: up for a voluntary release, down for a time-out, the highest first",
        "T (time)",
        {}},
       "priority",
       read_priority},
      {{"sharded:16",
        "one big lock split into N, another piece after each check; N hold at once",
        "N (locks, 1 to 4096)",
        {}},
       "sharded",
       read_sharded},
      {{"none", "no global lock: Jython, free-threaded CPython", "", {}}, "none", read_none},
  };
  return list;
}

Result<Reading> read_policy(std::string_view text) {
  auto term = parse_term(text);
  if (!term) return fail(fmt::format("policy {}: {}", in_quotes(text), term.error().message));
  std::vector<std::string> names;
  for (const Policy& policy : policies()) {
    if (policy.name == term->name) return policy.read(*term, policy.info.parameters);
    names.push_back(policy.name);
  }
  std::string near = nearest(term->name, names);
  return fail(fmt::format("unknown policy {}{}; `gilscope list` names them", in_quotes(term->name),
                          near.empty() ? "" : fmt::format(": did you mean {}?", in_quotes(near))));
}

}  // namespace

const std::vector<PolicyInfo>& policy_list() {
  static const std::vector<PolicyInfo> list = [] {
    std::vector<PolicyInfo> infos;
    for (const Policy& policy : policies()) infos.push_back(policy.info);
    return infos;
  }();
  return list;
}

Result<std::string> canonical_policy(std::string_view text) {
  auto reading = read_policy(text);
  if (!reading) return fail(reading.error());
  return reading->canonical;
}

Result<PolicyPace> policy_pace(std::string_view text) {
  auto reading = read_policy(text);
  if (!reading) return fail(reading.error());
  return reading->pace;
}

Result<std::unique_ptr<Gil>> make_gil(std::string_view text) {
  auto reading = read_policy(text);
  if (!reading) return fail(reading.error());
  return reading->make();
}

}  // namespace gilscope
