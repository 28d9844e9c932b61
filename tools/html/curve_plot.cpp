#include "tools/html/curve_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tools/compare/sentences.h"
#include "tools/html/html_table.h"
#include "tools/html/markup.h"

namespace gilscope {
namespace {

constexpr double kWidth = 760, kHeight = 300, kLeft = 70, kRight = 20, kTop = 12, kBottom = 28;
constexpr size_t kColours = 6;  // of page.css

struct Range {
  double low = INFINITY, high = 0;

  void visit(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

class Drawing {
 public:
  Drawing(const Curves& curves, const Axis& axis) : curves_(curves), axis_(axis) {
    for (const Curve& curve : curves.curves) {
      for (const CurvePoint& point : curve.points) {
        if (point.value) range_.visit(*point.value);
        if (point.interval) range_.visit(point.interval->low), range_.visit(point.interval->high);
      }
    }
    const double pad = std::max(0.05 * (range_.high - range_.low), 0.02 * range_.high);
    range_ = {std::max(0.0, range_.low - pad), range_.high + pad};
  }

  std::string svg() const {
    const Metric& metric = metrics()[curves_.metric];
    std::string out = fmt::format(
        "<svg class=\"curves\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{} against CPUs; "
        "the numbers stand below\">\n",
        kWidth, kHeight, escaped(metric.shown));
    for (int i = 0; i <= 4; ++i) {
      const double value = range_.low + (range_.high - range_.low) * i / 4;
      out += fmt::format(
          "<path class=\"grid\" d=\"M{} {:.1f}H{}\"/><text x=\"{}\" y=\"{:.1f}\" "
          "text-anchor=\"end\">{}</text>\n",
          kLeft, y(value), kWidth - kRight, kLeft - 6, y(value) + 4,
          escaped(metric.number(value).text()));
    }
    for (size_t i = 0; i < axis_.levels.size(); ++i) {
      out += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", x(i, 0),
                         kHeight - 8, escaped(level_name(axis_, axis_.levels[i])));
    }
    for (size_t i = 0; i < curves_.curves.size(); ++i) out += line(curves_.curves[i], i);
    return out + "</svg>\n";
  }

 private:
  // Lines are set a little apart, so that their intervals do not hide one another.
  double x(size_t level, size_t line) const {
    const double step = (kWidth - kLeft - kRight) / double(axis_.levels.size());
    return kLeft + step * (double(level) + 0.5) +
           5 * (double(line % kColours) - 2.5) * (line ? 1 : 0);
  }

  double y(double value) const {
    return kTop + (kHeight - kTop - kBottom) * (range_.high - value) / (range_.high - range_.low);
  }

  std::string line(const Curve& curve, size_t number) const {
    std::string path, rest;
    for (const CurvePoint& point : curve.points) {
      if (!point.value) continue;
      const size_t level =
          size_t(std::ranges::find(axis_.levels, point.level) - axis_.levels.begin());
      const double place = x(level, number);
      path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", place, y(*point.value));
      if (point.interval) {
        rest += fmt::format(
            "<path class=\"interval\" d=\"M{0:.1f} {1:.1f}V{2:.1f}M{3:.1f} "
            "{1:.1f}h8M{3:.1f} {2:.1f}h8\"/>",
            place, y(point.interval->low), y(point.interval->high), place - 4);
      }
      rest +=
          fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.5\"/>", place, y(*point.value));
    }
    return fmt::format("<g class=\"line{}\"><path class=\"line\" d=\"{}\"/>{}</g>\n",
                       number % kColours, path, rest);
  }

  const Curves& curves_;
  const Axis& axis_;
  Range range_;
};

}  // namespace

std::string curve_plot(const Curves& curves, const Axis& axis) {
  if (curves.curves.empty()) return "";
  const Metric& metric = metrics()[curves.metric];
  std::string out =
      fmt::format("<h3>{} against CPUs, with 95 % intervals</h3>\n", escaped(metric.shown));
  out += Drawing(curves, axis).svg() + "<ul class=\"legend\">\n";
  for (size_t i = 0; i < curves.curves.size(); ++i) {
    out += fmt::format("<li class=\"line{}\">{}: {}\n", i % kColours,
                       escaped(curves.curves[i].cell), escaped(curves.curves[i].bends));
  }
  out += "</ul>\n";
  std::vector<HtmlTable::Column> columns{{"", "", ""}};
  for (const std::string& level : axis.levels) columns.push_back({"", level_name(axis, level), ""});
  HtmlTable table(std::string(metric.shown) + " against CPUs", columns);
  for (const Curve& curve : curves.curves) {
    std::vector<HtmlTable::Datum> data;
    for (const std::string& level : axis.levels) {
      const auto point = std::ranges::find(curve.points, level, &CurvePoint::level);
      HtmlTable::Datum datum{{"-", ""}, {}, ""};
      if (point != curve.points.end()) {
        datum = {metric.number(point->value), point->value, name_of(point->verdict)};
        if (point->interval) {
          datum.shown = {fmt::format("{} ({} to {})", datum.shown.text(),
                                     metric.number(point->interval->low).text(),
                                     metric.number(point->interval->high).text()),
                         ""};
        }
      }
      data.push_back(std::move(datum));
    }
    table.row(escaped(curve.cell), data);
  }
  return out + table.html();
}

}  // namespace gilscope
