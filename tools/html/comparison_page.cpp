#include "tools/html/comparison_page.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/compare/answer.h"
#include "tools/compare/curve.h"
#include "tools/compare/matrix.h"
#include "tools/compare/per_acquire.h"
#include "tools/compare/sentences.h"
#include "tools/html/comparison_cells.h"
#include "tools/html/comparison_plots.h"
#include "tools/html/curve_plot.h"
#include "tools/html/definitions.h"
#include "tools/html/html_table.h"
#include "tools/html/markup.h"
#include "tools/html/page_head.h"

namespace gilscope {
namespace {

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
  if (!any) out += "<p>Nothing, of all that the reports say of their machines.</p>\n";
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

// A level's short name.
std::string short_name(const Comparison& comparison, const std::string& level) {
  const auto& levels = comparison.axis.levels;
  const auto names = short_names(comparison.axis, kLevelRoom);
  return names[size_t(std::ranges::find(levels, level) - levels.begin())];
}

// A line for each cell and its other decided metrics, where only one level is held against the
// baseline.
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
    for (const MetricResult* result : other_decided_metrics(cell)) {
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

}  // namespace

std::string comparison_page(const Comparison& comparison) {
  const std::string name = title(comparison);
  std::string page = page_head({"<!DOCTYPE html>", "'none'", name});
  page += "<header><h1>" + escaped(name) + "</h1>\n";
  for (const ContrastResult& contrast : comparison.results) {
    for (const std::string& line : forced_warnings(contrast, comparison.forced)) {
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
