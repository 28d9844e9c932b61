#include "tools/html/heat_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tools/analysis/numbers.h"
#include "tools/html/markup.h"

namespace gilscope {
namespace {

constexpr size_t kMost = 24;

// The new place of each of `totals`; all but the largest share the last place.
std::vector<size_t> places(const std::vector<uint64_t>& totals) {
  std::vector<size_t> place(totals.size());
  std::iota(place.begin(), place.end(), 0);
  if (totals.size() <= kMost) return place;
  std::vector<size_t> order = place;
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return totals[a] > totals[b]; });
  std::vector<bool> kept(totals.size());
  for (size_t i = 0; i + 1 < kMost; ++i) kept[order[i]] = true;
  for (size_t i = 0, next = 0; i < totals.size(); ++i) place[i] = kept[i] ? next++ : kMost - 1;
  return place;
}

std::vector<std::string> merged(const std::vector<std::string>& names,
                                const std::vector<size_t>& place) {
  std::vector<std::string> result(std::min(names.size(), kMost));
  size_t others = 0;
  for (size_t i = 0; i < names.size(); ++i) {
    if (names.size() > kMost && place[i] == kMost - 1) {
      result[place[i]] = fmt::format("{} others", ++others);
    } else {
      result[place[i]] = names[i];
    }
  }
  return result;
}

void keep_the_largest(HeatMap& map) {
  if (map.rows.size() <= kMost && map.columns.size() <= kMost) return;
  std::vector<uint64_t> of_rows(map.rows.size()), of_columns(map.columns.size());
  for (size_t r = 0; r < map.rows.size(); ++r) {
    for (size_t c = 0; c < map.columns.size(); ++c) {
      of_rows[r] += map.counts[r][c];
      of_columns[c] += map.counts[r][c];
    }
  }
  std::fill_n(of_columns.rbegin(), std::min(map.own_columns, of_columns.size()), UINT64_MAX);
  const std::vector<size_t> row = places(of_rows), column = places(of_columns);
  std::vector<std::vector<uint64_t>> counts(
      std::min(map.rows.size(), kMost), std::vector<uint64_t>(std::min(map.columns.size(), kMost)));
  for (size_t r = 0; r < map.rows.size(); ++r) {
    for (size_t c = 0; c < map.columns.size(); ++c) counts[row[r]][column[c]] += map.counts[r][c];
  }
  map.rows = merged(map.rows, row);
  map.columns = merged(map.columns, column);
  map.counts = std::move(counts);
}

}  // namespace

std::string heat_map(HeatMap map) {
  keep_the_largest(map);
  uint64_t most = 1;
  for (const auto& row : map.counts) {
    for (const uint64_t n : row) most = std::max(most, n);
  }
  std::string out = fmt::format(
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{0}\"><table "
      "class=\"heat\">"
      "<caption>{0}</caption><thead><tr><th scope=\"col\">{1} \\ {2}",
      escaped(map.title), escaped(map.from), escaped(map.to));
  for (const std::string& name : map.columns) out += "<th scope=\"col\">" + escaped(name);
  out += "</thead><tbody>\n";
  for (size_t r = 0; r < map.rows.size(); ++r) {
    out += "<tr><th scope=\"row\">" + escaped(map.rows[r]);
    for (size_t c = 0; c < map.columns.size(); ++c) {
      const uint64_t n = map.counts[r][c];
      if (n == 0) {
        out += "<td>0";
        continue;
      }
      // The square root makes small counts distinguishable from zero.
      const double share = std::sqrt(double(n) / double(most));
      out += fmt::format("<td{} style=\"--v:{:.2f}\" data-key=\"{}\" data-value=\"{}\">{}",
                         share > 0.55 ? " class=\"dark\"" : "", share, escaped(map.key), n,
                         escaped((map.of_times ? duration(double(n)) : count(double(n))).text()));
    }
    out += "\n";
  }
  return out + "</tbody></table></div>\n";
}

}  // namespace gilscope
