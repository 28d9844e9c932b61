#include "tools/compare/matrix.h"

#include <algorithm>
#include <set>

#include "tools/compare/cell_names.h"
#include "tools/compare/sentences.h"
#include "userspace/base/natural_order.h"

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

// The contrasts without their cells' CPU counts, which give the names that a matrix needs.
std::vector<Contrast> named_without_cpus(const Comparison& comparison) {
  std::vector<Contrast> contrasts = comparison.contrasts;
  for (Contrast& contrast : contrasts) {
    for (auto* cells : {&contrast.cells, &contrast.only_a, &contrast.only_b}) {
      for (CellPair& pair : *cells) pair.keys = without_cpus(pair.keys);
    }
  }
  return contrasts;
}

}  // namespace

std::vector<Matrix> matrices(const Comparison& comparison) {
  std::set<std::string, NaturalOrder> columns_of;
  std::vector<Keys> cells;
  for (const ContrastResult& contrast : comparison.results) {
    for (const CellResult& cell : contrast.cells) {
      columns_of.insert(cpus_of(cell.pair->keys));
      const Keys keys = without_cpus(cell.pair->keys);
      if (std::ranges::count(cells, keys) == 0) cells.push_back(keys);
    }
  }
  if (comparison.results.size() < 2) return {};
  const std::vector<std::string> columns(columns_of.begin(), columns_of.end());
  std::ranges::stable_sort(cells, comes_before);

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
    matrix.title = fmt::format("{}: {}", names.of({keys, {}, {}}), lead_name);
    all.push_back(std::move(matrix));
  }
  return all;
}

}  // namespace gilscope
