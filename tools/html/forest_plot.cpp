#include "tools/html/forest_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tools/html/markup.h"

namespace gilscope {
namespace {

constexpr double kWidth = 1000, kHeight = 20;

// Where a value lies, in the drawing's own 1000 units.
class Scale {
 public:
  Scale(const ForestAxis& axis, const std::vector<ForestRow>& rows) {
    double low = INFINITY, high = -INFINITY;
    const auto visit = [&](double value) {
      if (!std::isfinite(value) || value <= 0) return;
      low = std::min(low, value);
      high = std::max(high, value);
    };
    for (const ForestRow& row : rows) {
      for (const double value : row.values) visit(value);
      if (row.interval) visit(row.interval->low), visit(row.interval->high);
    }
    if (axis.reference) visit(*axis.reference);
    if (!(low <= high)) low = 0.5, high = 2;
    // Factors far apart would all lie in one corner.
    log_ = high / low > 5;
    const double pad = 0.04;
    if (log_) {
      low_ = std::log(low) - pad * std::log(high / low);
      high_ = std::log(high) + pad * std::log(high / low);
    } else {
      const double span = std::max(high - low, high * 0.1);
      low_ = std::max(0.0, low - pad * span);
      high_ = high + pad * span;
    }
  }

  double at(double value) const {
    if (log_ && value <= 0) return 0;
    const double position = ((log_ ? std::log(value) : value) - low_) / (high_ - low_);
    return std::clamp(position, 0.0, 1.0) * kWidth;
  }

  std::vector<double> ticks() const {
    std::vector<double> ticks;
    if (log_) {
      const double first = std::exp(low_), last = std::exp(high_);
      const bool decades = last / first > 200;
      for (double power = std::pow(10, std::floor(std::log10(first))); power <= last; power *= 10) {
        for (const double digit : {1.0, 2.0, 5.0}) {
          const double tick = digit * power;
          if ((digit == 1 || !decades) && tick >= first && tick <= last) ticks.push_back(tick);
        }
      }
      return ticks;
    }
    const double rough = (high_ - low_) / 5;
    const double power = std::pow(10, std::floor(std::log10(rough)));
    const double step = (rough > 5 * power   ? 10
                         : rough > 2 * power ? 5
                         : rough > power     ? 2
                                             : 1) *
                        power;
    for (double n = std::ceil(low_ / step); n * step <= high_; ++n) ticks.push_back(n * step);
    return ticks;
  }

 private:
  double low_, high_;
  bool log_;
};

std::string shown(const ForestAxis& axis, double value) {
  if (axis.written) return axis.written(value).text();
  if (axis.times) return duration(value).text();
  return fmt::format("{:.4g}x", value);
}

Number shown(const ForestAxis& axis, std::optional<double> value) {
  if (axis.written) return axis.written(value);
  return axis.times ? duration(value) : factor(value);
}

std::string shown(const ForestAxis& axis, const std::optional<Interval>& interval) {
  if (!interval) return "-";
  if (axis.times || axis.written)
    return shown(axis, interval->low) + " to " + shown(axis, interval->high);
  return fmt::format("{} to {}", factor(interval->low).text(), factor(interval->high).text());
}

std::string grid(const ForestAxis& axis, const Scale& scale) {
  std::string path;
  for (const double tick : scale.ticks()) path += fmt::format("M{:.0f} 0v20", scale.at(tick));
  std::string out = fmt::format("<path class=\"grid\" d=\"{}\"/>", path);
  if (axis.reference) {
    out += fmt::format("<path class=\"reference\" d=\"M{:.0f} 0v20\"/>", scale.at(*axis.reference));
  }
  return out;
}

// A dot is a line of no length with round ends: ten bytes, of which a page can hold many.
std::string dots(const ForestRow& row, const Scale& scale) {
  std::string path;
  for (size_t i = 0; i < row.values.size(); ++i) {
    // Apart in height, so that a heap of them is seen as one.
    const int y = 10 + (row.values.size() == 1 ? 0 : int(i * 7 % 11) - 5);
    path += fmt::format("M{:.0f} {}h0", scale.at(row.values[i]), y);
  }
  return fmt::format("<path class=\"dots\" d=\"{}\"/>", path);
}

std::string drawing(const ForestAxis& axis, const Scale& scale, const ForestRow& row) {
  std::string out = fmt::format(
      "<svg viewBox=\"0 0 {:.0f} {:.0f}\" preserveAspectRatio=\"none\" role=\"img\" "
      "aria-label=\"{} {}s from {} to {}\">",
      kWidth, kHeight, row.values.size(), axis.each,
      shown(axis, row.values.empty() ? 0 : *std::ranges::min_element(row.values)),
      shown(axis, row.values.empty() ? 0 : *std::ranges::max_element(row.values)));
  out += grid(axis, scale);
  if (row.interval) {
    const double from = scale.at(row.interval->low), to = scale.at(row.interval->high);
    out += fmt::format(
        "<rect class=\"interval\" x=\"{:.1f}\" y=\"3\" width=\"{:.1f}\" "
        "height=\"14\"/>",
        from, std::max(to - from, 1.0));
  }
  out += dots(row, scale);
  if (row.middle) {
    out += fmt::format("<path class=\"median\" d=\"M{:.1f} 1v18\"/>", scale.at(*row.middle));
  }
  return out + "</svg>";
}

}  // namespace

std::string forest_plot(const ForestAxis& axis, const std::vector<ForestRow>& rows) {
  const Scale scale(axis, rows);
  std::string out = fmt::format(
      "<table class=\"forest\"><caption>{}: every {} a dot, the line their {}, the box its 95 "
      "% "
      "interval</caption>\n<thead><tr><th scope=\"col\"><th scope=\"col\"><th scope=\"col\">{}"
      "<th scope=\"col\">95 % interval<th scope=\"col\">{}s</thead>\n<tbody>\n",
      definition_link(axis.key, axis.name), escaped(axis.each), escaped(axis.middle),
      escaped(axis.middle), escaped(axis.each));
  const std::string* group = nullptr;
  for (const ForestRow& row : rows) {
    if (!row.group.empty() && (!group || *group != row.group)) {
      out += fmt::format("<tr class=\"group\"><th colspan=\"5\" scope=\"rowgroup\">{}\n",
                         escaped(row.group));
    }
    group = &row.group;
    out += fmt::format("<tr{}{}><th scope=\"row\">{}<td class=\"plot\">{}",
                       row.attributes.empty() ? "" : " ", row.attributes, escaped(row.label),
                       drawing(axis, scale, row));
    out += row.middle ? fmt::format("<td data-key=\"{}\" data-value=\"{}\">", escaped(axis.key),
                                    plain(*row.middle))
                      : "<td>";
    out += fmt::format("{}<td class=\"spread\">{}<td>{}\n", number_html(shown(axis, row.middle)),
                       escaped(shown(axis, row.interval)), row.values.size());
  }
  out += "<tr class=\"axis\"><td><td class=\"plot\"><div>";
  for (const double tick : scale.ticks()) {
    out += fmt::format("<span style=\"left:{:.1f}%\">{}</span>", scale.at(tick) / kWidth * 100,
                       escaped(shown(axis, tick)));
  }
  return out + "</div><td><td><td></tbody></table>\n";
}

}  // namespace gilscope
