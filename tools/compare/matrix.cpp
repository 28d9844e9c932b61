#include "tools/compare/matrix.h"

#include <algorithm>
#include <set>

#include "tools/compare/cell_names.h"
#include "tools/compare/sentences.h"
#include "tools/fact_text.h"

namespace gilscope {
namespace {

using Keys = std::map<std::string, std::string>;

Keys without_cpus(Keys keys) {
  keys.erase("cpus");
  return keys;
}

std::string cpus_of(const Keys& keys) {
  const auto found = keys.find("cpus");
  return found == keys.end() ? "" : found->second;
}

// The contrasts, their cells' CPU counts taken for one, which gives the names that a matrix needs.
std::vector<Contrast> named_without_cpus(const Comparison& comparison) {
  std::vector<Contrast> contrasts = comparison.contrasts;
  for (Contrast& contrast : contrasts) {
    for (CellPair& pair : contrast.cells) pair.keys = without_cpus(pair.keys);
  }
  return contrasts;
}

}  // namespace

std::vector<Matrix> matrices(const Comparison& comparison) {
  std::set<std::string> counts;
  std::set<Keys> cells;
  for (const ContrastResult& contrast : comparison.results) {
    for (const CellResult& cell : contrast.cells) {
      counts.insert(cpus_of(cell.pair->keys));
      cells.insert(without_cpus(cell.pair->keys));
    }
  }
  if (comparison.results.size() < 2) return {};
  std::vector<std::string> columns(counts.begin(), counts.end());
  std::ranges::sort(columns, naturally_less);

  const CellNames names(named_without_cpus(comparison));
  std::vector<Matrix> all;
  for (const Keys& keys : cells) {
    Matrix matrix;
    matrix.columns = columns;
    const char* lead_name = "";
    for (const ContrastResult& contrast : comparison.results) {
      Matrix::Row row{contrast.contrast->b, std::vector<const MetricResult*>(columns.size())};
      for (const CellResult& cell : contrast.cells) {
        if (without_cpus(cell.pair->keys) != keys) continue;
        const size_t column =
            size_t(std::ranges::find(columns, cpus_of(cell.pair->keys)) - columns.begin());
        row.entries[column] = cell.lead();
        if (const MetricResult* lead = cell.lead()) lead_name = metrics()[lead->metric].shown;
      }
      matrix.rows.push_back(std::move(row));
    }
    matrix.title = fmt::format("{}: {} against {}", names.of({keys, {}, {}}), lead_name,
                               shortened(comparison.axis.levels.front()));
    all.push_back(std::move(matrix));
  }
  return all;
}

}  // namespace gilscope
