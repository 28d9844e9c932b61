#include "tools/html/comparison_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "tools/compare/answer.h"
#include "tools/compare/curve.h"
#include "tools/compare/matrix.h"
#include "tools/compare/per_acquire.h"
#include "tools/compare/sentences.h"
#include "tools/html/curve_plot.h"
#include "tools/html/definitions.h"
#include "tools/html/forest_plot.h"
#include "tools/html/html_table.h"
#include "tools/html/markup.h"
#include "tools/html/page_head.h"

namespace gilscope {
namespace {

// A page is to be looked at: of more cells than this the tables are left out, and said to be.
constexpr size_t kMostCells = 60;
constexpr size_t kOpenCells = 0;
constexpr size_t kMostDots = 400;
constexpr size_t kLevelRoom = 24;

std::string paragraph(const std::string& text, const char* attributes = "") {
  return fmt::format("<p{}{}>{}</p>\n", *attributes ? " " : "", attributes, escaped(text));
}

// ---- what differs ----

std::string differences_table(const ContrastResult& contrast) {
  const Differences& found = contrast.differences;
  std::string out;
  if (!found.between.empty()) {
    out += fmt::format(
        "<div class=\"scroll\"><table class=\"text\"><thead><tr><th scope=\"col\">key<th "
        "scope=\"col\">{}<th scope=\"col\">{}</thead>\n<tbody>",
        escaped(contrast.contrast->a), escaped(contrast.contrast->b));
    for (const Difference& difference : found.between) {
      out += fmt::format("<tr><th scope=\"row\">{}<td>{}<td>{}\n", escaped(difference.key),
                         escaped(difference.a), escaped(difference.b));
    }
    out += "</tbody></table></div>\n";
  }
  for (const Variation& variation : found.within) {
    out += paragraph(
        fmt::format("{} varies within {}: {}", variation.key, variation.side, variation.values),
        "class=\"warning\"");
  }
  return out;
}

std::string differences_section(const Comparison& comparison) {
  std::string out = "<h2 id=\"differences\">What differs that was not asked about</h2>\n";
  bool any = false;
  for (const ContrastResult& contrast : comparison.results) {
    const std::string table = differences_table(contrast);
    if (table.empty()) continue;
    any = true;
    if (comparison.results.size() > 1) {
      out += fmt::format("<h4>{} and {}</h4>\n", escaped(contrast.contrast->a),
                         escaped(contrast.contrast->b));
    }
    out += table;
  }
  if (!any) out += "<p>Nothing, of all that the reports say of their boxes.</p>\n";
  return out;
}

// ---- what is missing ----

std::string missing_list(const MissingLines& missing, const char* attributes) {
  if (missing.lines.empty()) return "";
  std::string out = paragraph(missing.heading, attributes) + "<ul>\n";
  for (const std::string& line : missing.lines) out += "<li>" + escaped(line) + "\n";
  return out + "</ul>\n";
}

std::string missing_section(const Comparison& comparison) {
  const std::string lists = missing_list(missing_lines(comparison), "class=\"warning\"") +
                            missing_list(left_out_lines(comparison), "");
  return lists.empty() ? "" : "<h2 id=\"missing\">What is missing</h2>\n" + lists;
}

// ---- what was found ----

std::string sentences(const Comparison& comparison) {
  std::string out = "<ul class=\"findings\">\n";
  for (const ContrastResult& contrast : comparison.results) {
    for (const CellResult& cell : contrast.cells) {
      out += "<li>" + escaped(sentence(cell, *contrast.contrast, comparison.axis)) + "\n";
    }
  }
  return out + "</ul>\n";
}

std::string group_name(const Comparison& comparison, const ContrastResult& contrast,
                       const CellResult& cell) {
  if (comparison.results.size() == 1) return cell.name;
  return fmt::format("{}: {} against {}", cell.name, contrast.contrast->b, contrast.contrast->a);
}

// The other side's blocks, each over the baseline's: of the same block where there is one.
std::vector<double> ratios_of(const CellResult& cell, const MetricResult& result) {
  std::map<std::pair<std::string, int>, double> baseline;
  for (const Member& member : cell.pair->a) {
    for (const BlockValue& value : member.cell->values[result.metric]) {
      baseline[{member.report->id, value.block}] = value.value;
    }
  }
  std::vector<double> ratios;
  for (const Member& member : cell.pair->b) {
    for (const BlockValue& value : member.cell->values[result.metric]) {
      double under = result.median_a.value_or(0);
      if (cell.design == Design::paired) {
        const auto found = baseline.find({member.report->id, value.block});
        if (found == baseline.end()) continue;
        under = found->second;
      }
      if (under > 0 && ratios.size() < kMostDots) ratios.push_back(value.value / under);
    }
  }
  return ratios;
}

std::string ratio_plot(const Comparison& comparison) {
  std::vector<ForestRow> rows;
  for (const ContrastResult& contrast : comparison.results) {
    for (const CellResult& cell : contrast.cells) {
      for (const MetricResult& result : cell.metrics) {
        if (!result.primary || !result.ratio()) continue;
        ForestRow row;
        row.group = group_name(comparison, contrast, cell);
        row.label =
            fmt::format("{}: {}", shown_name(metrics()[result.metric]), name_of(result.verdict));
        row.values = ratios_of(cell, result);
        row.median = result.change;
        row.interval = result.interval;
        row.attributes = fmt::format("data-metric=\"{}\" data-verdict=\"{}\"",
                                     metrics()[result.metric].name, name_of(result.verdict));
        rows.push_back(std::move(row));
        if (result.boxes.size() < 2) continue;
        for (const BoxResult& box : result.boxes) {
          if (!box.effect) continue;
          const Estimate& estimate = box.effect->estimate;
          ForestRow of_box;
          of_box.group = rows.back().group;
          of_box.label = "on " + box.box;
          of_box.median = shown_on(Scale::ratio, estimate.value);
          if (estimate.interval) of_box.interval = shown_on(Scale::ratio, *estimate.interval);
          rows.push_back(std::move(of_box));
        }
      }
    }
  }
  if (rows.empty()) return "";
  ForestAxis axis{"Ratio to " + level_name(comparison.axis, comparison.axis.levels.front()),
                  "compared ratio", "block", 1.0};
  axis.middle = "ratio";
  return forest_plot(axis, rows);
}

// A level by what tells it from the others.
std::string short_name(const Comparison& comparison, const std::string& level) {
  const auto& levels = comparison.axis.levels;
  const auto names = short_names(comparison.axis, kLevelRoom);
  return names[size_t(std::ranges::find(levels, level) - levels.begin())];
}

// Where one level is held against the baseline: a line for each cell, and what else is decided.
std::string cell_lines(const ContrastResult& contrast, const Comparison& comparison) {
  HtmlTable table("Each cell, and what else is decided of it",
                  {{"", "", ""},
                   {"", "", ""},
                   {"median", short_name(comparison, contrast.contrast->a), ""},
                   {"median", short_name(comparison, contrast.contrast->b), ""},
                   {"", "change", ""},
                   {"", "95 % interval", ""},
                   {"", "verdict", ""}});
  for (const CellResult& cell : contrast.cells) {
    const MetricResult* lead = cell.lead();
    if (!lead) continue;
    const Metric& metric = metrics()[lead->metric];
    const std::string verdict = name_of(lead->verdict);
    table.row(escaped(cell.name), {{{metric.shown, ""}, {}},
                                   {metric.number(lead->median_a), lead->median_a},
                                   {metric.number(lead->median_b), lead->median_b},
                                   {{change_text(*lead), ""}, lead->change, verdict},
                                   {{interval_text(*lead), ""}, {}},
                                   {{verdict, ""}, {}, verdict}});
    std::string others;
    for (const MetricResult* result : others_decided(cell)) {
      others += (others.empty() ? "" : "; ") + decided_text(*result);
    }
    if (!others.empty()) table.note(others);
  }
  return table.empty() ? "" : table.html();
}

std::string matrix_tables(const Comparison& comparison) {
  std::string out;
  if (comparison.axis.key == "cpus") return out;  // then there is a curve
  for (const Matrix& matrix : matrices(comparison)) {
    std::vector<HtmlTable::Column> columns{{"", comparison.axis.key, ""}};
    for (const std::string& cpus : matrix.columns) columns.push_back({"CPUs", cpus, ""});
    HtmlTable table(matrix.title, columns);
    std::vector<HtmlTable::Datum> baseline(matrix.columns.size(), {{"-", ""}, {}});
    for (const Matrix::Row& row : matrix.rows) {
      for (size_t column = 0; column < row.entries.size(); ++column) {
        const MetricResult* entry = row.entries[column];
        if (!entry) continue;
        baseline[column] = {metrics()[entry->metric].number(entry->median_a), entry->median_a};
      }
    }
    table.row(escaped(comparison.axis.levels.front()), baseline);
    for (const Matrix::Row& row : matrix.rows) {
      std::vector<HtmlTable::Datum> data;
      for (const MetricResult* entry : row.entries) {
        if (!entry) {
          data.push_back({{"-", ""}, {}});
          continue;
        }
        const std::string verdict = name_of(entry->verdict);
        data.push_back(
            {{fmt::format("{}, {} {}", metrics()[entry->metric].number(entry->median_b).text(),
                          change_text(*entry), verdict),
              ""},
             entry->change,
             verdict});
      }
      table.row(escaped(row.level), data);
    }
    out += table.html();
  }
  return out;
}

// ---- one cell ----

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
    if (!result.absent.empty()) {
      if (result.primary && !result.inapplicable)
        table.note(shown_name(metric) + ": " + result.absent);
      continue;
    }
    if (!result.primary && !exploratory) {
      table.note("Exploratory: no part of the exit code.");
      exploratory = true;
    }
    table.row(defined(metric.name, shown_name(metric)),
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

Number (*written(Metric::Unit unit))(std::optional<double>) {
  switch (unit) {
    case Metric::Unit::time:
      return duration;
    case Metric::Unit::share:
      return percent;
    case Metric::Unit::rate:
      return count;
    case Metric::Unit::each:
    case Metric::Unit::factor:
      break;
  }
  return factor;
}

std::vector<double> values_of(const std::vector<Member>& members, size_t metric) {
  std::vector<double> values;
  for (const Member& member : members) {
    for (const BlockValue& value : member.cell->values[metric]) {
      if (values.size() < kMostDots) values.push_back(value.value);
    }
  }
  return values;
}

// Both sides' blocks on one axis, for each primary metric.
std::string distributions(const CellResult& cell, const Contrast& contrast) {
  std::string out;
  for (const MetricResult& result : cell.metrics) {
    if (!result.primary || !result.absent.empty() || !result.change) continue;
    const Metric& metric = metrics()[result.metric];
    std::vector<ForestRow> rows;
    for (const bool baseline : {true, false}) {
      ForestRow row;
      row.label = baseline ? contrast.a : contrast.b;
      row.values = values_of(baseline ? cell.pair->a : cell.pair->b, result.metric);
      row.median = median(row.values);
      row.interval = median_interval(row.values);
      rows.push_back(std::move(row));
    }
    out += forest_plot({shown_name(metric), metric.name, "block", std::nullopt, false, "median",
                        written(metric.unit)},
                       rows);
  }
  if (out.empty()) return "";
  return "<details><summary>Distributions side by side</summary>\n" + out + "</details>\n";
}

using CoreMedians = std::map<int, std::array<std::optional<double>, kCoreMetrics.size()>>;

CoreMedians core_medians(const std::vector<Member>& members) {
  std::map<int, std::array<std::vector<double>, kCoreMetrics.size()>> values;
  for (const Member& member : members) {
    for (const CoreValue& core : member.cell->cores) {
      for (size_t i = 0; i < kCoreMetrics.size(); ++i) {
        values[core.cpu][i].push_back(core.values[i]);
      }
    }
  }
  CoreMedians medians;
  for (auto& [cpu, lists] : values) {
    for (size_t i = 0; i < kCoreMetrics.size(); ++i) medians[cpu][i] = median(std::move(lists[i]));
  }
  return medians;
}

// Medians alone: a core is no unit of what was run.
std::string core_table(const CellResult& cell, const Contrast& contrast) {
  const CoreMedians a = core_medians(cell.pair->a), b = core_medians(cell.pair->b);
  if (a.empty() && b.empty()) return "";
  std::vector<HtmlTable::Column> columns{{"", "", ""}};
  for (const char* name : kCoreMetrics) {
    columns.push_back({name, contrast.a, ""});
    columns.push_back({name, contrast.b, ""});
  }
  HtmlTable table("Each core: medians over the traced blocks, counts a second", columns);
  std::set<int> cpus;
  for (const auto& [cpu, medians] : a) cpus.insert(cpu);
  for (const auto& [cpu, medians] : b) cpus.insert(cpu);
  for (const int cpu : cpus) {
    std::vector<HtmlTable::Datum> data;
    for (size_t i = 0; i < kCoreMetrics.size(); ++i) {
      for (const CoreMedians* side : {&a, &b}) {
        const auto found = side->find(cpu);
        const auto value = found == side->end() ? std::nullopt : found->second[i];
        data.push_back({i == 0 ? percent(value) : count(value), value});
      }
    }
    table.row(fmt::format("core {}", cpu), data);
  }
  return table.html();
}

std::string per_acquire_table(const Comparison& comparison) {
  const PerAcquire all = per_acquire(comparison);
  if (all.groups.empty()) return "";
  std::vector<HtmlTable::Column> columns{{"", "", ""}};
  for (const char* name : PerAcquire::kShown) columns.push_back({"", name, ""});
  if (all.emulated) columns.push_back({"", "wall time", ""});
  HtmlTable table(fmt::format("Per acquisition: {}", PerAcquire::kExplanation), columns);
  for (const PerAcquire::Group& group : all.groups) {
    for (const PerAcquire::Row& row : group.rows) {
      std::vector<HtmlTable::Datum> data;
      for (const auto& value : row.values) data.push_back({PerAcquire::number(value), value});
      if (all.emulated) data.push_back({{row.wall_time(), ""}, {}});
      table.row(fmt::format("{}: {}", group.title, row.level), data);
    }
  }
  return table.html();
}

std::string cell_sections(const Comparison& comparison) {
  std::string out = "<h2 id=\"cells\">Cells</h2>\n";
  size_t shown = 0, hidden = 0;
  for (const ContrastResult& contrast : comparison.results) {
    for (const CellResult& cell : contrast.cells) {
      if (shown == kMostCells) {
        ++hidden;
        continue;
      }
      out += fmt::format("<details class=\"cell\"{}><summary><h3>{}</h3></summary>\n",
                         shown < kOpenCells ? " open" : "",
                         escaped(group_name(comparison, contrast, cell)));
      out += metric_table(cell, *contrast.contrast) + core_table(cell, *contrast.contrast) +
             distributions(cell, *contrast.contrast) + "</details>\n";
      ++shown;
    }
  }
  if (hidden) {
    out += paragraph(fmt::format("{} more cells have no room in this page: gilscope compare "
                                 "--format csv has them all.",
                                 hidden),
                     "class=\"warning\"");
  }
  return out;
}

}  // namespace

std::string comparison_page(const Comparison& comparison) {
  const std::string name = title(comparison);
  std::string page = page_head({"<!DOCTYPE html>", "'none'", name});
  page += "<header><h1>" + escaped(name) + "</h1>\n";
  for (const ContrastResult& contrast : comparison.results) {
    for (const std::string& line : stamp(contrast, comparison.forced)) {
      page += paragraph(line, "class=\"warning\"");
    }
  }
  if (const std::string line = emulation_line(comparison); !line.empty()) {
    page += paragraph(line, "class=\"warning\"");
  }
  if (comparison.missing() > 0)
    page += paragraph(missing_lines(comparison).heading, "class=\"warning\"");
  for (const std::string& sentence : answer(comparison)) {
    page += paragraph(sentence, "class=\"answer\"");
  }
  page += "<p class=\"lead\">" + escaped(conclusion(comparison)) + "</p>\n</header>\n";
  page +=
      "<nav aria-label=\"Sections\"><a href=\"#found\">What was found</a> <a "
      "href=\"#differences\">Differences</a> <a href=\"#all\">Every number</a> <a "
      "href=\"#cells\">Cells</a> <a "
      "href=\"#definitions\">Definitions</a></nav>\n<main>\n";
  page += missing_section(comparison);
  page += "<h2 id=\"found\">What was found</h2>\n";
  page += matrix_tables(comparison);
  for (const Curves& all : curves(comparison)) page += curve_plot(all, comparison.axis);
  if (comparison.results.size() == 1) page += cell_lines(comparison.results.front(), comparison);
  if (const std::string line = undecided_line(comparison); !line.empty()) page += paragraph(line);
  page += differences_section(comparison);
  page += "<h2 id=\"all\">Every number</h2>\n" + sentences(comparison);
  page += per_acquire_table(comparison) + ratio_plot(comparison);
  for (const std::string& line : method_lines(comparison)) page += paragraph(line);
  page += cell_sections(comparison);
  page +=
      "<h2 id=\"definitions\">Definitions</h2>\n<details><summary>What each number is, and where "
      "it is counted</summary>\n" +
      definitions() + "</details>\n";
  return page + "</main>\n</body></html>\n";
}

}  // namespace gilscope
