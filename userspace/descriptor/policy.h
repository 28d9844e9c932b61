// What is known of each GIL policy without running it: its name, parameters and source, and what
// its failures mean. Lists, documents, completions, plans, views and tests are made from these
// descriptors; the algorithms are in userspace/gil. This room lies below both halves of the
// program: it is plain data and includes neither.
//
// Policy names are a contract: "check-interval:100,lock=condvar", "switch-interval:5ms", "bfs".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/base/result.h"

namespace gilscope {

// A policy's one number, such as the 100 of "check-interval:100".
struct PolicyValue {
  std::string what;   // "check interval", as messages call it
  std::string unit;   // "opcodes"; empty: a time in ns
  std::string shown;  // "N (opcodes)", as lists show it
  uint64_t fallback = 0;
  uint64_t lowest = 0, highest = 0;
  // Another value that an experiment on every policy runs before the fallback.
  std::optional<uint64_t> reference = std::nullopt;

  bool is_time() const { return unit.empty(); }
};

// The longest time that a policy takes; CPython's shortest switch interval.
inline constexpr uint64_t kLongestTurnNs = 3'600'000'000'000;
inline constexpr uint64_t kShortestTurnNs = 1'000;

// A word that a policy takes: "lock=condvar", "yield".
struct PolicyOption {
  std::string word;
  std::string remark = "";  // "3.13+"
};

// When an attempt counts as which failure, and when a drop is requested (docs/metrics.md). Empty:
// it never happens, and tests hold the policy to that.
struct FailureMeanings {
  std::string contended, woken_lost, timed_out, drop_requests;
};

// Further rules that tests hold a policy to.
struct PolicyPromises {
  // A checkpoint gives the GIL up even when nobody waits.
  bool always_releases = false;
  // A holder that was asked for the GIL has it back only after another thread has had it.
  bool gives_way = false;
  // One acquisition fails at most once as `contended`.
  bool contended_once = true;
};

// How long a thread that computes keeps the lock while another one waits, and how many may compute
// at once. Plans go by it.
struct PolicyPace {
  size_t holders = 1;
  uint64_t held_ns = 0;
  uint64_t held_opcodes = 0;  // counted ones
};

struct PolicyDescriptor {
  std::string name;     // "check-interval"
  std::string summary;  // one line
  std::optional<PolicyValue> value = std::nullopt;
  std::vector<PolicyOption> options = {};

  // The columns of docs/architecture.md.
  std::string whose;      // "CPython to 3.1"
  std::string primitive;  // what the lock is built from
  std::string next;       // who gets it next
  std::string given_up;   // when the holder gives it up

  FailureMeanings failures = {};
  PolicyPromises promises = {};
  PolicyPace (*pace)(uint64_t value) = [](uint64_t) { return PolicyPace{}; };

  std::string with(uint64_t number) const;  // "check-interval:7"
  std::string example() const;              // "check-interval:100", or "bfs"
  std::string parameters() const;           // "N (opcodes), lock=condvar, yield", or empty
  // The spellings that an experiment on every policy runs: "check-interval:100",
  // "check-interval:100,lock=condvar" and so on.
  std::vector<std::string> forms() const;
  // A woken thread has the GIL already.
  bool hands_over() const { return !failures.contended.empty() && failures.woken_lost.empty(); }
};

// In the order in which lists show them.
const std::vector<PolicyDescriptor>& policies();

struct PolicyArguments {
  uint64_t value = 0;
  std::vector<std::string> options = {};

  bool has(std::string_view option) const;
};

// A policy's text, taken apart.
struct PolicyText {
  const PolicyDescriptor* policy;  // one of policies()
  PolicyArguments arguments;
  std::string canonical;
  PolicyPace pace;
};
// Says what is wrong with a bad text, and what there is.
Result<PolicyText> read_policy(std::string_view text);
Result<std::string> canonical_policy(std::string_view text);
Result<PolicyPace> policy_pace(std::string_view text);

// Whether only one thread at a time has the lock. True of a policy that this version does not know.
bool has_one_owner(std::string_view text);

}  // namespace gilscope
