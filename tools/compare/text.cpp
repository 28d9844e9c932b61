#include "tools/compare/text.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "tools/compare/matrix.h"
#include "tools/compare/per_acquire.h"
#include "tools/compare/sentences.h"
#include "tools/paragraph.h"
#include "tools/table.h"

namespace gilscope {
namespace {

constexpr size_t kMostDifferences = 12;
constexpr size_t kLevelRoom = 14;

class Printer {
 public:
  Printer(std::ostream& out, const Comparison& comparison, const TextOptions& options)
      : out_(out), comparison_(comparison), options_(options) {}

  void print() const {
    paragraph(bold(title(comparison_)));
    for (const ContrastResult& contrast : comparison_.results) {
      for (const std::string& line : stamp(contrast, comparison_.forced)) paragraph(bold(line));
    }
    if (const std::string line = emulation_line(comparison_); !line.empty()) paragraph(bold(line));
    print_missing(missing_lines(comparison_), true);
    print_missing(left_out_lines(comparison_), false);
    for (const ContrastResult& contrast : comparison_.results) print_differences(contrast);
    out_ << "\n";
    for (const ContrastResult& contrast : comparison_.results) {
      for (const CellResult& cell : contrast.cells) {
        paragraph(coloured(cell, sentence(cell, *contrast.contrast, comparison_.axis)), 2);
      }
    }
    print_per_acquire();
    print_matrices();
    for (const ContrastResult& contrast : comparison_.results) {
      for (const CellResult& cell : contrast.cells) print_cell(cell, *contrast.contrast);
    }
    out_ << "\n";
    for (const std::string& line : method_lines(comparison_)) paragraph(line);
    paragraph(bold(conclusion(comparison_)));
  }

 private:
  void paragraph(const std::string& text, size_t indent = 0) const {
    out_ << wrapped(text, options_.width, indent);
  }

  std::string bold(const std::string& text) const {
    return options_.color ? "\033[1m" + text + "\033[0m" : text;
  }

  std::string coloured(const CellResult& cell, const std::string& text) const {
    const MetricResult* lead = cell.lead();
    if (!options_.color || !lead) return text;
    const char* colour = lead->verdict == Verdict::slower   ? "\033[31m"
                         : lead->verdict == Verdict::faster ? "\033[32m"
                                                            : "";
    return *colour ? colour + text + "\033[0m" : text;
  }

  void print_differences(const ContrastResult& contrast) const {
    const auto lines = difference_lines(contrast);
    if (lines.empty()) return;
    out_ << "\n";
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

  void print_missing(const MissingLines& missing, bool fails) const {
    if (missing.lines.empty()) return;
    out_ << "\n";
    paragraph(fails ? bold(missing.heading) : missing.heading);
    for (const std::string& line : missing.lines) paragraph("  " + line + ".", 4);
  }

  void print_per_acquire() const {
    const PerAcquire all = per_acquire(comparison_);
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
    out_ << "\n";
    paragraph(fmt::format("{}  {}", bold(PerAcquire::kTitle), PerAcquire::kExplanation), 2);
    table.print(out_, options_.width);
  }

  void print_matrices() const {
    for (const Matrix& matrix : matrices(comparison_)) {
      std::vector<Table::Column> columns{{"", comparison_.axis.key}};
      for (const std::string& cpus : matrix.columns) columns.push_back({"CPUs", cpus});
      Table table(columns);
      table.heading(matrix.title);
      for (const Matrix::Row& row : matrix.rows) {
        std::vector<Number> numbers;
        for (const auto& entry : row.entries) {
          numbers.push_back(entry ? Number{ratio_text(entry->ratio), name_of(entry->verdict)}
                                  : Number{"-", ""});
        }
        table.row("  " + short_level(row.level, 40), std::move(numbers));
      }
      out_ << "\n";
      table.print(out_, options_.width);
    }
  }

  void print_cell(const CellResult& cell, const Contrast& contrast) const {
    Table table({{"", ""},
                 {"median", short_level(contrast.a, kLevelRoom), 3},
                 {"median", short_level(contrast.b, kLevelRoom), 3},
                 {"", "ratio"},
                 {"", "95 % interval"},
                 {"", "p", 4},
                 {"", "verdict"},
                 {"more", cell.unit == Unit::boot ? "boots" : "blocks"}});
    table.heading(cell.name);
    bool exploratory = false, any = false;
    std::vector<std::string> zero;
    std::vector<std::pair<std::string, std::vector<std::string>>> absent;  // metrics by the reason
    for (const MetricResult& result : cell.metrics) {
      const Metric& metric = metrics()[result.metric];
      if (!result.absent.empty()) {
        if (!result.primary || result.inapplicable) continue;
        auto group = std::ranges::find(absent, result.absent, &decltype(absent)::value_type::first);
        if (group == absent.end()) group = absent.insert(absent.end(), {result.absent, {}});
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
                                            {ratio_text(result.ratio), ""},
                                            {interval_text(result.interval), ""},
                                            {p_text(result.adjusted_p), ""},
                                            {name_of(result.verdict), ""},
                                            {more_text(result), ""}});
      for (const BoxResult& box : result.boxes) {
        if (result.boxes.size() < 2) break;
        add_box(table, metric, box);
      }
    }
    out_ << "\n";
    if (any) {
      table.print(out_, options_.width);
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

  void add_box(Table& table, const Metric& metric, const BoxResult& box) const {
    if (!box.effect) {
      table.note(fmt::format("    {}: {}", box.box, box.why));
      return;
    }
    const Effect& effect = *box.effect;
    table.row("    " + short_level(box.box, 24), {metric.number(effect.median_a),
                                                  metric.number(effect.median_b),
                                                  {ratio_text(effect.estimate.ratio), ""},
                                                  {interval_text(effect.estimate.interval), ""},
                                                  {"", ""},
                                                  {box.why.empty() ? "" : "left out", ""},
                                                  {"", ""}});
  }

  std::ostream& out_;
  const Comparison& comparison_;
  const TextOptions& options_;
};

}  // namespace

void print_comparison(std::ostream& out, const Comparison& comparison, const TextOptions& options) {
  Printer(out, comparison, options).print();
}

}  // namespace gilscope
