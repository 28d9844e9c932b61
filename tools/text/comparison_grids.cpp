#include "tools/text/comparison_grids.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "tools/compare/cell_names.h"
#include "tools/compare/curve.h"
#include "tools/compare/matrix.h"
#include "tools/compare/sentences.h"
#include "tools/text/table.h"

namespace gilscope {
namespace {

constexpr size_t kField = 24, kNarrowField = 17;  // of a matrix

bool any_decided(const Matrix& matrix) {
  return std::ranges::any_of(matrix.rows, [](const Matrix::Row& row) {
    return std::ranges::any_of(row.entries,
                               [](const MetricResult* entry) { return entry && entry->decided(); });
  });
}

std::string field_text(const MetricResult* entry, bool both) {
  if (!entry) return "-";
  const std::string change = fmt::format("{} {}", change_text(*entry), name_of(entry->verdict));
  return both ? metrics()[entry->metric].number(entry->median_b).text() + " " + change : change;
}

void print_matrix(const ComparisonText& text, const Matrix& matrix) {
  size_t label = 0;
  for (const std::string& name : text.names) label = std::max(label, columns(name) + 2);
  const size_t room = size_t(std::max(text.options.width, 60)) - std::min<size_t>(label, 40);
  const bool both = matrix.columns.size() * kField <= room;  // medians, and what they change by
  const size_t field = both ? kField : kNarrowField;
  const size_t at_once = std::max<size_t>(room / field, 1);
  text.out << "\n";
  text.paragraph(matrix.title);
  for (size_t first = 0; first < matrix.columns.size(); first += at_once) {
    const size_t end = std::min(first + at_once, matrix.columns.size());
    const auto row = [&](const std::string& name, auto field_of, auto verdict) {
      text.out << fmt::format("{:<{}}", name, label);
      for (size_t column = first; column < end; ++column) {
        text.out << text.coloured(verdict(column), fmt::format("{:>{}}", field_of(column), field));
      }
      text.out << "\n";
    };
    const auto same = [](size_t) { return Verdict::same; };
    row(
        "", [&](size_t column) { return value_name("cpus", matrix.columns[column]); }, same);
    row(
        "  " + text.short_name(text.comparison.axis.levels.front()),
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
          "  " + text.short_name(other.level),
          [&](size_t column) { return field_text(other.entries[column], both); },
          [&](size_t column) {
            return other.entries[column] ? other.entries[column]->verdict : Verdict::same;
          });
    }
  }
}

// "wall time of check-interval:100, sequential: 113 ms with 1 CPU, 109 ms with 2 CPUs (same)"
void print_curve_lines(const ComparisonText& text, const Curves& all) {
  const Metric& metric = metrics()[all.metric];
  text.out << "\n";
  for (const Curve& curve : all.curves) {
    std::vector<std::string> points;
    for (const CurvePoint& point : curve.points) {
      const bool baseline = &point == &curve.points.front();
      points.push_back(fmt::format("{} with {}{}", metric.number(point.value).text(),
                                   level_name(text.comparison.axis, point.level),
                                   baseline ? "" : fmt::format(" ({})", name_of(point.verdict))));
    }
    text.paragraph(fmt::format("{} of {}: {}", metric.shown, curve.cell, fmt::join(points, ", ")),
                   2);
  }
}

// Each cell has a line for each CPU count, its interval drawn on one scale for all.
void print_drawn(const ComparisonText& text, const Curves& all) {
  double low = INFINITY, high = 0;
  for (const Curve& curve : all.curves) {
    for (const CurvePoint& point : curve.points) {
      if (!point.value) continue;
      low = std::min({low, *point.value, point.interval ? point.interval->low : INFINITY});
      high = std::max({high, *point.value, point.interval ? point.interval->high : 0});
    }
  }
  constexpr size_t kBefore = 42;
  const size_t room = size_t(std::max(text.options.width, 60)) - kBefore;
  const double span = high > low ? high - low : 1;
  const auto at = [&](double value) {
    return std::min(room - 1, size_t((value - low) / span * double(room - 1) + 0.5));
  };
  const Metric& metric = metrics()[all.metric];
  text.out << "\n";
  text.paragraph(fmt::format("{} against CPUs, with 95 % intervals", metric.shown));
  for (const Curve& curve : all.curves) {
    text.paragraph(fmt::format("{}: {}", curve.cell, curve.bends), 2);
    for (const CurvePoint& point : curve.points) {
      std::string drawn(room, ' ');
      if (point.interval) {
        for (size_t i = at(point.interval->low); i <= at(point.interval->high); ++i) drawn[i] = '-';
      }
      if (point.value) drawn[at(*point.value)] = 'o';
      while (drawn.ends_with(' ')) drawn.pop_back();
      const std::string number = metric.number(point.value).text();
      const char* verdict = &point == &curve.points.front() ? "" : name_of(point.verdict);
      text.out << text.coloured(point.verdict,
                                fmt::format("  {:>12} {:>10}  {:<10}   {}",
                                            level_name(text.comparison.axis, point.level), number,
                                            verdict, drawn))
               << "\n";
    }
  }
}

}  // namespace

bool print_matrices(const ComparisonText& text, bool all_of_them) {
  if (text.comparison.axis.key == "cpus") return false;  // then there is a curve
  std::vector<std::string> quiet;
  const std::vector<Matrix> all = matrices(text.comparison);
  for (const Matrix& matrix : all) {
    if (all_of_them || any_decided(matrix)) {
      print_matrix(text, matrix);
    } else {
      quiet.push_back(matrix.title);
    }
  }
  if (!quiet.empty()) {
    text.out << "\n";
    text.paragraph(fmt::format("Nothing is decided to differ in {}.", fmt::join(quiet, "; ")), 2);
  }
  return !all.empty();
}

void print_curves(const ComparisonText& text, bool every_one) {
  const auto rate = find_metric("operations_per_s");
  bool first = true;
  for (const Curves& all : curves(text.comparison)) {
    const bool drawn = first || every_one || all.metric == rate;
    drawn ? print_drawn(text, all) : print_curve_lines(text, all);
    first = false;
  }
}

}  // namespace gilscope
