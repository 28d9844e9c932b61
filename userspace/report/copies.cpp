#include "userspace/report/copies.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "userspace/base/quote.h"
#include "userspace/report/json_document.h"

namespace gilscope {
namespace {

using Json = nlohmann::ordered_json;
using Difference = std::optional<std::string>;

const Json* find(const Json& object, const std::string& key) {
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

bool holds_nothing(const Json& value) {
  if (value.is_string()) return value.get_ref<const std::string&>().empty();
  return value.is_null() || (value.is_structured() && value.empty());
}

std::string shown(const Json& value) {
  constexpr size_t kShown = 48;
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > kShown) text = text.substr(0, kShown) + "...";
  return printable(text);
}

// `at` is the key, with dots. A null pointer stands for a side without the key.
Difference difference(const Json* one, const Json* later, const std::string& at,
                      const std::set<std::string>& may_differ = {}) {
  const auto name = [&](const std::string& key) { return at.empty() ? key : at + "." + key; };
  if (!one || !later) {
    const Json* there = one ? one : later;
    if (!there || holds_nothing(*there)) return {};
    return fmt::format("{} is {} in the {} and not in the {}", printable(at), shown(*there),
                       one ? "first" : "second", one ? "second" : "first");
  }
  if (one->is_object() && later->is_object()) {
    for (const auto& [key, value] : one->items()) {
      if (may_differ.contains(key)) continue;
      if (auto found = difference(&value, find(*later, key), name(key))) return found;
    }
    for (const auto& [key, value] : later->items()) {
      if (may_differ.contains(key) || one->contains(key)) continue;
      if (auto found = difference(nullptr, &value, name(key))) return found;
    }
    return {};
  }
  if (one->is_array() && later->is_array() && one->size() == later->size()) {
    for (size_t i = 0; i < one->size(); ++i) {
      if (auto found = difference(&(*one)[i], &(*later)[i], name(std::to_string(i)))) return found;
    }
    return {};
  }
  if (one->is_array() && later->is_array()) {
    return fmt::format("{} has {} entries in the first and {} in the second", printable(at),
                       one->size(), later->size());
  }
  if (*one == *later) return {};
  return fmt::format("{} is {} in the first and {} in the second", printable(at), shown(*one),
                     shown(*later));
}

std::string named(size_t cell, const Json& run) {
  return fmt::format("cell {}, block {}, trace {}: ", cell, run["block"].dump(),
                     run["trace"].get_ref<const std::string&>());
}

// A run never changes, except that one of a block that was cut short is marked as interrupted.
Difference run_difference(const Json& one, const Json& later) {
  const bool marked = later["status"] == "interrupted";
  return difference(&one, &later, "",
                    marked ? std::set<std::string>{"status"} : std::set<std::string>{});
}

// Runs are only ever appended.
Difference runs_difference(const Json& one, const Json& later, size_t cell) {
  for (size_t i = 0; i < one.size(); ++i) {
    if (i == later.size()) return named(cell, one[i]) + "the run is in the first only";
    if (auto found = run_difference(one[i], later[i])) return named(cell, one[i]) + *found;
  }
  return {};
}

Difference cells_difference(const Json& one, const Json& later) {
  for (size_t i = 0; i < std::min(one.size(), later.size()); ++i) {
    if (auto found = difference(&one[i], &later[i], "", {"runs"})) {
      return fmt::format("cell {}: {}", i, *found);
    }
  }
  if (one.size() != later.size()) {
    return fmt::format("{} cells in the first and {} in the second", one.size(), later.size());
  }
  for (size_t i = 0; i < one.size(); ++i) {
    if (auto found = runs_difference(one[i]["runs"], later[i]["runs"], i)) return found;
  }
  return {};
}

Result<Json> parsed(std::string_view text) {
  auto document = parse_report(text, "report");
  if (!document) return document;
  if (const auto violations = check_schema(*document); !violations.empty()) {
    return fail(Exit::no_data, "report: not a valid report: " + violations.front());
  }
  return document;
}

}  // namespace

ReportState state_of(const Report& report) {
  ReportState state;
  for (const Cell& cell : report.cells) {
    state.runs += cell.runs.size();
    for (const Run& run : cell.runs) state.interrupted_runs += run.status == "interrupted";
  }
  state.status = report.status == "done" ? 2 : report.status == "interrupted" ? 1 : 0;
  state.minor = report.minor;
  return state;
}

Result<std::optional<std::string>> contradiction(std::string_view one, std::string_view later) {
  const Result<Json> first = parsed(one);
  if (!first) return fail(first.error());
  const Result<Json> second = parsed(later);
  if (!second) return fail(second.error());
  // These change as an experiment goes on: the version that writes, the state, the environment
  // after the last block, and the capabilities of the tracer when the experiment resumed.
  const std::set<std::string> of_the_moment = {"schema", "status", "capabilities"};
  std::set<std::string> apart = of_the_moment;
  apart.insert({"environment", "cells"});
  if (auto found = difference(&*first, &*second, "", apart)) return found;
  if (auto found = difference(find(*first, "environment"), find(*second, "environment"),
                              "environment", {"after"})) {
    return found;
  }
  return cells_difference((*first)["cells"], (*second)["cells"]);
}

}  // namespace gilscope
