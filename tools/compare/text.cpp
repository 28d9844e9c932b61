#include "tools/compare/text.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "tools/compare/answer.h"
#include "tools/compare/cell_names.h"
#include "tools/compare/curve.h"
#include "tools/compare/matrix.h"
#include "tools/compare/per_acquire.h"
#include "tools/compare/sentences.h"
#include "tools/paragraph.h"
#include "tools/table.h"

namespace gilscope {
namespace {

constexpr size_t kMostDifferences = 12;
constexpr size_t kLevelRoom = 18;
constexpr size_t kFewLines = 3;
constexpr size_t kField = 24, kNarrowField = 17;  // of a matrix

class Printer {
 public:
  Printer(std::ostream& out, const Comparison& comparison, const TextOptions& options)
      : out_(out),
        comparison_(comparison),
        options_(options),
        names_(short_names(comparison.axis, kLevelRoom)) {}

  void print(bool all) const {
    paragraph(bold(title(comparison_)));
    for (const ContrastResult& contrast : comparison_.results) {
      for (const std::string& line : stamp(contrast, comparison_.forced)) paragraph(bold(line));
    }
    if (const std::string line = emulation_line(comparison_); !line.empty()) paragraph(bold(line));
    for (const std::string& sentence : answer(comparison_)) paragraph(bold(sentence), 2);
    print_missing(missing_lines(comparison_), true, SIZE_MAX);
    print_missing(left_out_lines(comparison_), false, all ? SIZE_MAX : kFewLines);
    if (!all) print_environment();
    print_matrices(all);
    for (const Curves& all : curves(comparison_)) print_curves(all);
    if (comparison_.emulated() && !all) print_per_acquire();
    if (comparison_.results.size() == 1) print_cells(comparison_.results.front());
    if (all) print_all();
    out_ << "\n";
    if (const std::string line = undecided_line(comparison_); !line.empty()) paragraph(line);
    for (const std::string& line : method_lines(comparison_)) paragraph(line);
    paragraph(bold(conclusion(comparison_)) + (all ? "" : " --all shows every number."));
  }

 private:
  void paragraph(const std::string& text, size_t indent = 0) const {
    out_ << wrapped(text, options_.width, indent);
  }

  std::string bold(const std::string& text) const {
    return options_.color ? "\033[1m" + text + "\033[0m" : text;
  }

  std::string coloured(Verdict verdict, const std::string& text) const {
    const char* colour = verdict == Verdict::slower                             ? "\033[31m"
                         : verdict == Verdict::faster                           ? "\033[32m"
                         : verdict == Verdict::more || verdict == Verdict::less ? "\033[33m"
                                                                                : "";
    return options_.color && *colour ? colour + text + "\033[0m" : text;
  }

  // A level, short enough to head a column.
  const std::string& short_name(const std::string& level) const {
    const auto found = std::ranges::find(comparison_.axis.levels, level);
    return names_[size_t(found - comparison_.axis.levels.begin())];
  }

  void print_environment() const {
    bool first = true;
    for (const ContrastResult& contrast : comparison_.results) {
      const std::string line = environment_line(contrast, kFewLines);
      if (line.empty()) continue;
      if (first) out_ << "\n";
      first = false;
      const bool one = comparison_.results.size() == 1;
      paragraph(one ? line : fmt::format("{}: {}", short_name(contrast.contrast->b), line), 2);
    }
  }

  // A line for each cell, and below it what else is decided.
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
                               cell.metrics.empty() ? "" : cell.metrics.front().absent));
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
      const auto decided = others_decided(cell);
      for (size_t i = 0; i < std::min(decided.size(), kFewLines); ++i) {
        others += (i ? "; " : "") + decided_text(*decided[i]);
      }
      if (decided.size() > kFewLines) {
        others += fmt::format("; and {} more", decided.size() - kFewLines);
      }
      if (others.empty()) continue;
      std::string lines = wrapped("    " + others, options_.width, 4);
      while (lines.ends_with('\n')) lines.pop_back();
      for (size_t from = 0; from <= lines.size();) {
        const size_t end = std::min(lines.find('\n', from), lines.size());
        table.note(lines.substr(from, end - from));
        from = end + 1;
      }
    }
    out_ << "\n";
    table.print(out_, options_.width);
  }

  // Every number, as it was before there was a screen to fit.
  void print_all() const {
    for (const ContrastResult& contrast : comparison_.results) print_differences(contrast);
    out_ << "\n";
    for (const ContrastResult& contrast : comparison_.results) {
      for (const CellResult& cell : contrast.cells) {
        const Verdict verdict = cell.lead() ? cell.lead()->verdict : Verdict::undecided;
        paragraph(coloured(verdict, sentence(cell, *contrast.contrast, comparison_.axis)), 2);
      }
    }
    print_per_acquire();
    for (const ContrastResult& contrast : comparison_.results) {
      for (const CellResult& cell : contrast.cells) print_cell(cell, *contrast.contrast);
    }
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

  void print_missing(const MissingLines& missing, bool fails, size_t most) const {
    if (missing.lines.empty()) return;
    out_ << "\n";
    paragraph(fails ? bold(missing.heading) : missing.heading);
    const size_t shown = std::min(most, missing.lines.size());
    for (size_t i = 0; i < shown; ++i) paragraph("  " + missing.lines[i] + ".", 4);
    if (shown < missing.lines.size()) {
      paragraph(fmt::format("  and {} more (--all)", missing.lines.size() - shown), 4);
    }
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

  // Every level by every CPU count: its first metric, and what that is against the baseline's.
  // Where nothing is decided the cell is named, and `all` shows it.
  void print_matrices(bool all_of_them) const {
    if (comparison_.axis.key == "cpus") return;  // then there is a curve
    std::vector<std::string> quiet;
    for (const Matrix& matrix : matrices(comparison_)) {
      if (all_of_them || any_decided(matrix)) {
        print_matrix(matrix);
      } else {
        quiet.push_back(matrix.title);
      }
    }
    if (quiet.empty()) return;
    out_ << "\n";
    paragraph(fmt::format("Nothing is decided to differ in {}.", fmt::join(quiet, "; ")), 2);
  }

  static bool any_decided(const Matrix& matrix) {
    return std::ranges::any_of(matrix.rows, [](const Matrix::Row& row) {
      return std::ranges::any_of(
          row.entries, [](const MetricResult* entry) { return entry && entry->decided(); });
    });
  }

  void print_matrix(const Matrix& matrix) const {
    size_t label = 0;
    for (const std::string& name : names_) label = std::max(label, columns(name) + 2);
    const size_t room = size_t(std::max(options_.width, 60)) - std::min<size_t>(label, 40);
    const bool both = matrix.columns.size() * kField <= room;  // medians, and what they change by
    const size_t field = both ? kField : kNarrowField;
    const size_t at_once = std::max<size_t>(room / field, 1);
    out_ << "\n";
    paragraph(matrix.title);
    for (size_t first = 0; first < matrix.columns.size(); first += at_once) {
      const size_t end = std::min(first + at_once, matrix.columns.size());
      const auto row = [&](const std::string& name, auto text, auto verdict) {
        out_ << fmt::format("{:<{}}", name, label);
        for (size_t column = first; column < end; ++column) {
          out_ << coloured(verdict(column), fmt::format("{:>{}}", text(column), field));
        }
        out_ << "\n";
      };
      const auto same = [](size_t) { return Verdict::same; };
      row(
          "", [&](size_t column) { return spoken("cpus", matrix.columns[column]); }, same);
      row(
          "  " + short_name(comparison_.axis.levels.front()),
          [&](size_t column) {
            for (const Matrix::Row& other : matrix.rows) {
              const MetricResult* entry = other.entries[column];
              if (entry) return metrics()[entry->metric].number(entry->median_a).text();
            }
            return std::string("-");
          },
          same);
      for (const Matrix::Row& other : matrix.rows) {
        row(
            "  " + short_name(other.level),
            [&](size_t column) { return field_text(other.entries[column], both); },
            [&](size_t column) {
              return other.entries[column] ? other.entries[column]->verdict : Verdict::same;
            });
      }
    }
  }

  static std::string field_text(const MetricResult* entry, bool both) {
    if (!entry) return "-";
    const std::string change = fmt::format("{} {}", change_text(*entry), name_of(entry->verdict));
    return both ? metrics()[entry->metric].number(entry->median_b).text() + " " + change : change;
  }

  // Of each cell a line for each CPU count, its interval drawn on one scale for all.
  void print_curves(const Curves& all) const {
    double low = INFINITY, high = 0;
    for (const Curve& curve : all.curves) {
      for (const CurvePoint& point : curve.points) {
        if (!point.median) continue;
        low = std::min({low, *point.median, point.interval ? point.interval->low : INFINITY});
        high = std::max({high, *point.median, point.interval ? point.interval->high : 0});
      }
    }
    constexpr size_t kBefore = 42;
    const size_t room = size_t(std::max(options_.width, 60)) - kBefore;
    const double span = high > low ? high - low : 1;
    const auto at = [&](double value) {
      return std::min(room - 1, size_t((value - low) / span * double(room - 1) + 0.5));
    };
    const Metric& metric = metrics()[all.metric];
    out_ << "\n";
    paragraph(fmt::format("{} against CPUs: medians, with their 95 % intervals", metric.shown));
    for (const Curve& curve : all.curves) {
      paragraph(fmt::format("{}: {}", curve.cell, curve.bends), 2);
      for (const CurvePoint& point : curve.points) {
        std::string drawn(room, ' ');
        if (point.interval) {
          for (size_t i = at(point.interval->low); i <= at(point.interval->high); ++i)
            drawn[i] = '-';
        }
        if (point.median) drawn[at(*point.median)] = 'o';
        while (drawn.ends_with(' ')) drawn.pop_back();
        const std::string text = metric.number(point.median).text();
        const char* verdict = &point == &curve.points.front() ? "" : name_of(point.verdict);
        out_ << coloured(point.verdict, fmt::format("  {:>12} {:>10}  {:<10}   {}",
                                                    level_name(comparison_.axis, point.level), text,
                                                    verdict, drawn))
             << "\n";
      }
    }
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
                                            {change_text(result), ""},
                                            {interval_text(result), ""},
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
    table.row("    " + box.box, {metric.number(effect.median_a),
                                 metric.number(effect.median_b),
                                 {change_text(metric, effect), ""},
                                 {interval_text(metric, effect), ""},
                                 {"", ""},
                                 {box.why.empty() ? "" : "left out", ""},
                                 {"", ""}});
  }

  std::ostream& out_;
  const Comparison& comparison_;
  const TextOptions& options_;
  const std::vector<std::string> names_;  // of the levels, as columns are headed
};

}  // namespace

void print_comparison(std::ostream& out, const Comparison& comparison, const TextOptions& options,
                      bool all) {
  Printer(out, comparison, options).print(all);
}

}  // namespace gilscope
