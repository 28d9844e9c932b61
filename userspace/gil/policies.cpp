#include "userspace/gil/policies.h"

#include <cstdint>
#include <functional>

#include "userspace/gil/check_interval.h"
#include "userspace/gil/no_lock.h"
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
};

tl::unexpected<Error> unknown_argument(const Term& term, const Argument& argument,
                                       const std::string& parameters) {
  std::string given = argument.key.empty() ? argument.value : argument.key + "=" + argument.value;
  return fail(fmt::format("policy {} has no parameter {}; it takes {}", in_quotes(term.name),
                          in_quotes(given), parameters.empty() ? "none" : parameters));
}

Result<Reading> read_check_interval(const Term& term, const std::string& parameters) {
  CheckIntervalOptions options;
  bool first = true;
  for (const Argument& argument : term.arguments) {
    if (argument == Argument{"lock", "condvar"}) {
      options.condvar = true;
    } else if (argument == Argument{"", "yield"}) {
      options.yield = true;
    } else if (first && argument.key.empty()) {
      auto interval = parse_count(argument.value);
      if (!interval || *interval > INT32_MAX) {
        return fail(
            fmt::format("policy {}: check interval {} is not a count of opcodes from 0 to "
                        "{}, as in check-interval:100",
                        in_quotes(term.name), in_quotes(argument.value), INT32_MAX));
      }
      options.interval = static_cast<int32_t>(*interval);
    } else {
      return unknown_argument(term, argument, parameters);
    }
    first = false;
  }
  return Reading{fmt::format("check-interval:{}{}{}", options.interval,
                             options.condvar ? ",lock=condvar" : "", options.yield ? ",yield" : ""),
                 [options] { return make_check_interval(options); }};
}

Result<Reading> read_switch_interval(const Term& term, const std::string& parameters) {
  constexpr uint64_t kShortest = 1'000, kLongest = 3'600'000'000'000;  // CPython: 1 us at least
  SwitchIntervalOptions options;
  bool first = true;
  for (const Argument& argument : term.arguments) {
    if (argument == Argument{"flag", "thread"}) {
      options.flag_per_thread = true;
    } else if (first && argument.key.empty()) {
      auto interval = parse_duration_ns(argument.value);
      if (!interval || *interval < kShortest || *interval > kLongest) {
        return fail(
            fmt::format("policy {}: switch interval {} is not a time from 1us to 3600s, as "
                        "in switch-interval:5ms",
                        in_quotes(term.name), in_quotes(argument.value)));
      }
      options.interval_ns = *interval;
    } else {
      return unknown_argument(term, argument, parameters);
    }
    first = false;
  }
  return Reading{fmt::format("switch-interval:{}{}", format_duration_ns(options.interval_ns),
                             options.flag_per_thread ? ",flag=thread" : ""),
                 [options] { return make_switch_interval(options); }};
}

Result<Reading> read_none(const Term& term, const std::string& parameters) {
  if (!term.arguments.empty()) return unknown_argument(term, term.arguments[0], parameters);
  return Reading{"none", [] { return std::make_unique<NoLock>(); }};
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
        "N (opcodes), lock=condvar, yield"},
       "check-interval",
       read_check_interval},
      {{"switch-interval:5ms",
        "CPython 3.2+: a waiter whose wait runs out asks, the holder drops and lets it in",
        "T (time), flag=thread (3.13+)"},
       "switch-interval",
       read_switch_interval},
      {{"none", "no global lock: Jython, free-threaded CPython", ""}, "none", read_none},
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

Result<std::unique_ptr<Gil>> make_gil(std::string_view text) {
  auto reading = read_policy(text);
  if (!reading) return fail(reading.error());
  return reading->make();
}

}  // namespace gilscope
