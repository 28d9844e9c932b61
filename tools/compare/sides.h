// The sides of a comparison: reports and their cells, sorted into the levels of one key (the axis),
// and for each pair of levels into cells that agree in everything else.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/compare/compared_report.h"

namespace gilscope {

struct Member {
  const ComparedReport* report;
  const ComparedCell* cell;
};

// One cell of the matrix, on both sides.
struct CellPair {
  std::map<std::string, std::string> keys;  // that both agree in, those held fixed included
  std::vector<Member> a, b;
};

// A level held against the baseline.
struct Contrast {
  std::string a, b;  // the levels, the baseline first
  std::vector<CellPair> cells;
  std::vector<CellPair> only_a, only_b;  // cells that have no match: one of their sides is empty
};

struct Axis {
  std::string key;                  // "report": each argument is a level
  std::vector<std::string> levels;  // the baseline first
  std::vector<std::string> within;  // keys held fixed besides the cell's own
};

struct SidesRequest {
  std::string by;                       // empty: "report"
  std::vector<std::string> within;      // as they were asked for
  std::optional<std::string> baseline;  // a level; empty: the first argument, or the lowest level
};

inline constexpr const char* kByReport = "report";

// How all their runs ended.
RunTally runs_of(const std::vector<Member>& members);

// The value of a key of the cell or its report; empty where neither has it.
std::optional<std::string> value_of(const Member& member, const std::string& key);

// The order of display: threaded cells first, then by the meaning of their keys.
bool comes_before(const std::map<std::string, std::string>& a,
                  const std::map<std::string, std::string>& b);

// Keeps one copy of each report in a pool. Fails, naming both files, where two have the same id and
// different contents: merge knows which is the later. `by_report` makes each argument its own pool.
Result<std::vector<ComparedReport>> without_duplicates(std::vector<ComparedReport> reports,
                                                       bool by_report);

// Accepts keys without their "environment.", and "host" and "kernel". Fails with a suggestion for
// an unknown key, and with Exit::no_data where all reports agree in the key.
Result<Axis> axis_of(const std::vector<ComparedReport>& reports, const SidesRequest& request);

// One for each level but the baseline. Fails with Exit::no_data where no cell is on both sides.
Result<std::vector<Contrast>> contrasts_of(const std::vector<ComparedReport>& reports,
                                           const Axis& axis);

}  // namespace gilscope
