#include "tools/html/comparison_cells.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "tools/compare/sentences.h"
#include "tools/html/comparison_plots.h"
#include "tools/html/html_table.h"
#include "tools/html/markup.h"

namespace gilscope {
namespace {

// A page is to be looked at: the tables of more cells than this are left out, which it says.
constexpr size_t kMostCells = 60;

std::string metric_table(const CellResult& cell, const Contrast& contrast) {
  HtmlTable table("Each metric", {{"", "", ""},
                                  {"median", contrast.a, "median_a"},
                                  {"median", contrast.b, "median_b"},
                                  {"", "change", "compared ratio"},
                                  {"", "95 % interval", ""},
                                  {"", "p", "p"},
                                  {"", "verdict", ""},
                                  {"more", cell.unit == Unit::boot ? "boots" : "blocks", ""}});
  bool exploratory = false;
  for (const MetricResult& result : cell.metrics) {
    const Metric& metric = metrics()[result.metric];
    if (!result.absent_reason.empty()) {
      if (result.primary && !result.inapplicable)
        table.note(shown_name(metric) + ": " + result.absent_reason);
      continue;
    }
    if (!result.primary && !exploratory) {
      table.note("Exploratory: no part of the exit code.");
      exploratory = true;
    }
    table.row(definition_link(metric.name, shown_name(metric)),
              {{metric.number(result.median_a), result.median_a},
               {metric.number(result.median_b), result.median_b},
               {{change_text(result), ""}, result.change},
               {{interval_text(result), ""}, {}},
               {{p_text(result.adjusted_p), ""}, result.adjusted_p},
               {{name_of(result.verdict), ""}, {}},
               {{more_text(result), ""}, {}}},
              fmt::format("data-metric=\"{}\"", metric.name));
  }
  return table.html();
}

using CpuMedians = std::map<int, std::array<std::optional<double>, kCpuMetrics.size()>>;

CpuMedians cpu_medians(const std::vector<Member>& members) {
  std::map<int, std::array<std::vector<double>, kCpuMetrics.size()>> values;
  for (const Member& member : members) {
    for (const CpuValue& cpu : member.cell->cpus) {
      for (size_t i = 0; i < kCpuMetrics.size(); ++i) {
        values[cpu.cpu][i].push_back(cpu.values[i]);
      }
    }
  }
  CpuMedians medians;
  for (auto& [cpu, lists] : values) {
    for (size_t i = 0; i < kCpuMetrics.size(); ++i) medians[cpu][i] = median(std::move(lists[i]));
  }
  return medians;
}

// Medians alone: a CPU is no unit of replication.
std::string cpu_table(const CellResult& cell, const Contrast& contrast) {
  const CpuMedians a = cpu_medians(cell.pair->a), b = cpu_medians(cell.pair->b);
  if (a.empty() && b.empty()) return "";
  std::vector<HtmlTable::Column> columns{{"", "", ""}};
  for (const char* name : kCpuMetrics) {
    columns.push_back({name, contrast.a, ""});
    columns.push_back({name, contrast.b, ""});
  }
  HtmlTable table("Each CPU: medians over the traced blocks, counts a second", columns);
  std::set<int> cpus;
  for (const auto& [cpu, medians] : a) cpus.insert(cpu);
  for (const auto& [cpu, medians] : b) cpus.insert(cpu);
  for (const int cpu : cpus) {
    std::vector<HtmlTable::Datum> data;
    for (size_t i = 0; i < kCpuMetrics.size(); ++i) {
      for (const CpuMedians* side : {&a, &b}) {
        const auto found = side->find(cpu);
        const auto value = found == side->end() ? std::nullopt : found->second[i];
        data.push_back({i == 0 ? percent(value) : count(value), value});
      }
    }
    table.row(fmt::format("CPU {}", cpu), data);
  }
  return table.html();
}

}  // namespace

std::string cell_sections(const Comparison& comparison) {
  std::string out = "<h2 id=\"cells\">Cells</h2>\n";
  size_t shown = 0, hidden = 0;
  for (const ContrastResult& contrast : comparison.results) {
    for (const CellResult& cell : contrast.cells) {
      if (shown == kMostCells) {
        ++hidden;
        continue;
      }
      out += fmt::format("<details class=\"cell\"><summary><h3>{}</h3></summary>\n",
                         escaped(group_name(comparison, contrast, cell)));
      out += metric_table(cell, *contrast.contrast) + cpu_table(cell, *contrast.contrast) +
             distributions(cell, *contrast.contrast) + "</details>\n";
      ++shown;
    }
  }
  if (hidden) {
    out += fmt::format(
        "<p class=\"warning\">{} more cells have no room in this page: gilscope compare --format "
        "csv "
        "has them all.</p>\n",
        hidden);
  }
  return out;
}

}  // namespace gilscope
