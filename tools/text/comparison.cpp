#include "tools/text/comparison.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "tools/compare/answer.h"
#include "tools/compare/cell_names.h"
#include "tools/compare/per_acquire.h"
#include "tools/compare/sentences.h"
#include "tools/text/comparison_grids.h"
#include "tools/text/paragraph.h"
#include "tools/text/table.h"

namespace gilscope {
namespace {

constexpr size_t kMostDifferences = 12;
constexpr size_t kFewLines = 3;

class Printer : private ComparisonText {
 public:
  using ComparisonText::ComparisonText;

  void print(bool all) const {
    paragraph(bold(title(comparison)));
    for (const ContrastResult& contrast : comparison.results) {
      for (const std::string& line : forced_warnings(contrast, comparison.forced))
        paragraph(bold(line));
    }
    if (const std::string line = emulation_line(comparison); !line.empty()) paragraph(bold(line));
    for (const std::string& sentence : answer(comparison)) paragraph(bold(sentence), 2);
    print_missing(missing_lines(comparison), true, SIZE_MAX);
    print_missing(left_out_lines(comparison), false, all ? SIZE_MAX : kFewLines);
    if (!all) print_environment();
    const bool has_matrix = print_matrices(*this, all);
    print_curves(*this, all);
    if (comparison.emulated() && !has_matrix && !all) print_per_acquire();
    if (comparison.results.size() == 1) print_cells(comparison.results.front());
    if (all) print_all();
    out << "\n";
    if (const std::string line = undecided_line(comparison); !line.empty()) paragraph(line);
    for (const std::string& line : method_lines(comparison)) paragraph(line);
    paragraph(bold(conclusion(comparison)) + (all ? "" : " --all shows every number."));
  }

 private:
  void print_environment() const {
    bool first = true;
    const bool one = comparison.results.size() == 1;
    for (const ContrastResult& contrast : comparison.results) {
      const std::string line = environment_line(contrast, one ? kFewLines : 1);
      if (line.empty()) continue;
      if (first) out << "\n";
      first = false;
      paragraph(one ? line : fmt::format("{}: {}", short_name(contrast.contrast->b), line), 2);
    }
  }

  // A line for each cell, and below it the other decided metrics.
  void print_cells(const ContrastResult& contrast) const {
    Table table({{"", ""},
                 {"", ""},
                 {"median", short_name(contrast.contrast->a)},
                 {"median", short_name(contrast.contrast->b)},
                 {"", "change"},
                 {"", "95 % interval", 1},
                 {"", "verdict"}});
    for (const CellResult& cell : contrast.cells) {
      const MetricResult* lead = cell.lead();
      if (!lead) {
        table.note(fmt::format("{}: {}", cell.name,
                               cell.metrics.empty() ? "" : cell.metrics.front().absent_reason));
        continue;
      }
      const Metric& metric = metrics()[lead->metric];
      table.row(cell.name, {{metric.shown, ""},
                            metric.number(lead->median_a),
                            metric.number(lead->median_b),
                            {change_text(*lead), ""},
                            {interval_text(*lead), ""},
                            {name_of(lead->verdict), ""}});
      std::string others;
      const auto decided = other_decided_metrics(cell);
      for (size_t i = 0; i < std::min(decided.size(), kFewLines); ++i) {
        others += (i ? "; " : "") + decided_text(*decided[i]);
      }
      if (decided.size() > kFewLines) {
        others += fmt::format("; and {} more", decided.size() - kFewLines);
      }
      if (others.empty()) continue;
      std::string lines = wrapped("    " + others, options.width, 4);
      while (lines.ends_with('\n')) lines.pop_back();
      for (size_t from = 0; from <= lines.size();) {
        const size_t end = std::min(lines.find('\n', from), lines.size());
        table.note(lines.substr(from, end - from));
        from = end + 1;
      }
    }
    out << "\n";
    table.print(out, options.width);
  }

  // Every number.
  void print_all() const {
    for (const ContrastResult& contrast : comparison.results) print_differences(contrast);
    out << "\n";
    for (const ContrastResult& contrast : comparison.results) {
      for (const CellResult& cell : contrast.cells) {
        const Verdict verdict = cell.lead() ? cell.lead()->verdict : Verdict::undecided;
        paragraph(coloured(verdict, sentence(cell, *contrast.contrast, comparison.axis)), 2);
      }
    }
    print_per_acquire();
    for (const ContrastResult& contrast : comparison.results) {
      for (const CellResult& cell : contrast.cells) print_cell(cell, *contrast.contrast);
    }
  }

  void print_differences(const ContrastResult& contrast) const {
    const auto lines = difference_lines(contrast);
    if (lines.empty()) return;
    out << "\n";
    paragraph(fmt::format("What differs between {} and {} that was not asked about:",
                          contrast.contrast->a, contrast.contrast->b));
    for (size_t i = 0; i < std::min(lines.size(), kMostDifferences); ++i) {
      paragraph("  " + lines[i], 4);
    }
    if (lines.size() > kMostDifferences) {
      paragraph(
          fmt::format("  and {} more, which --format json has", lines.size() - kMostDifferences),
          4);
    }
  }

  void print_missing(const MissingLines& missing, bool fails, size_t most) const {
    if (missing.lines.empty()) return;
    out << "\n";
    paragraph(fails ? bold(missing.heading) : missing.heading);
    const size_t shown = std::min(most, missing.lines.size());
    for (size_t i = 0; i < shown; ++i) paragraph("  " + missing.lines[i] + ".", 4);
    if (shown < missing.lines.size()) {
      paragraph(fmt::format("  and {} more (--all)", missing.lines.size() - shown), 4);
    }
  }

  void print_per_acquire() const {
    const PerAcquire all = per_acquire(comparison);
    if (all.groups.empty()) return;
    std::vector<Table::Column> columns{{"", ""}};
    for (const char* name : PerAcquire::kShown) columns.push_back({"", name});
    if (all.emulated) columns.push_back({"", "wall time"});
    Table table(columns);
    for (const PerAcquire::Group& group : all.groups) {
      table.heading(group.title);
      for (const PerAcquire::Row& row : group.rows) {
        std::vector<Number> numbers;
        for (const auto& value : row.values) numbers.push_back(PerAcquire::number(value));
        if (all.emulated) numbers.push_back({row.wall_time(), ""});
        table.row("  " + row.level, std::move(numbers));
      }
    }
    out << "\n";
    paragraph(fmt::format("{}  {}", bold(PerAcquire::kTitle), PerAcquire::kExplanation), 2);
    table.print(out, options.width);
  }

  void print_cell(const CellResult& cell, const Contrast& contrast) const {
    Table table({{"", ""},
                 {"median", short_name(contrast.a)},
                 {"median", short_name(contrast.b)},
                 {"", "change"},
                 {"", "95 % interval", 1},
                 {"", "p", 3},
                 {"", "verdict"},
                 {"more", cell.unit == Unit::boot ? "boots" : "blocks", 2}});
    table.heading(cell.name);
    bool exploratory = false, any = false;
    std::vector<std::string> zero;
    std::vector<std::pair<std::string, std::vector<std::string>>> absent;  // metrics by the reason
    for (const MetricResult& result : cell.metrics) {
      const Metric& metric = metrics()[result.metric];
      if (!result.absent_reason.empty()) {
        if (!result.primary || result.inapplicable) continue;
        auto group =
            std::ranges::find(absent, result.absent_reason, &decltype(absent)::value_type::first);
        if (group == absent.end()) group = absent.insert(absent.end(), {result.absent_reason, {}});
        group->second.push_back(shown_name(metric));
        continue;
      }
      if (result.all_zero) {
        zero.push_back(shown_name(metric));
        continue;
      }
      if (!result.primary && !exploratory) {
        table.heading("  exploratory: no part of the exit code");
        exploratory = true;
      }
      any = true;
      table.row("  " + shown_name(metric), {metric.number(result.median_a),
                                            metric.number(result.median_b),
                                            {change_text(result), ""},
                                            {interval_text(result), ""},
                                            {p_text(result.adjusted_p), ""},
                                            {name_of(result.verdict), ""},
                                            {more_text(result), ""}});
      for (const MachineResult& machine : result.machines) {
        if (result.machines.size() < 2) break;
        add_machine(table, metric, machine);
      }
    }
    out << "\n";
    if (any) {
      table.print(out, options.width);
    } else {
      paragraph(cell.name);
    }
    if (!zero.empty()) {
      paragraph(fmt::format("  0 on both sides: {}.", fmt::join(zero, "; ")), 4);
    }
    for (const auto& [why, names] : absent) {
      paragraph(fmt::format("  Not compared: {} ({}).", fmt::join(names, "; "), why), 4);
    }
  }

  void add_machine(Table& table, const Metric& metric, const MachineResult& machine) const {
    if (!machine.effect) {
      table.note(fmt::format("    {}: {}", machine.machine, machine.reason));
      return;
    }
    const Effect& effect = *machine.effect;
    table.row("    " + machine.machine, {metric.number(effect.median_a),
                                         metric.number(effect.median_b),
                                         {change_text(metric, effect), ""},
                                         {interval_text(metric, effect), ""},
                                         {"", ""},
                                         {machine.reason.empty() ? "" : "left out", ""},
                                         {"", ""}});
  }
};

}  // namespace

void print_comparison(std::ostream& out, const Comparison& comparison, const TextOptions& options,
                      bool all) {
  Printer(out, comparison, options).print(all);
}

}  // namespace gilscope
