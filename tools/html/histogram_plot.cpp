#include "tools/html/histogram_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "tools/analysis/numbers.h"
#include "tools/html/markup.h"

namespace gilscope {
namespace {

constexpr double kLeft = 4, kWidth = 272, kBase = 62, kHeight = 56;
constexpr double kFirstDecade = 2, kDecades = 8;  // 100 ns to 10 s

double at(double ns) {
  const double decades = std::log10(std::max(ns, 1.0)) - kFirstDecade;
  return kLeft + std::clamp(decades / kDecades, 0.0, 1.0) * kWidth;
}

struct Tick {
  double ns;
  const char* text;
};
constexpr std::array<Tick, 4> kTicks{{{1e3, "1 us"}, {1e6, "1 ms"}, {1e9, "1 s"}, {1e10, ""}}};

std::string bars(const Histogram& histogram) {
  uint64_t most = 1;
  for (const Histogram::Bucket& bucket : histogram.buckets) most = std::max(most, bucket.count);
  std::string path;
  for (const Histogram::Bucket& bucket : histogram.buckets) {
    const double from = at(double(bucket.low_ns)), to = at(double(bucket.high_ns));
    // Keeps a bucket with one sample among millions visible.
    const double height = std::max(1.0, double(bucket.count) / double(most) * kHeight);
    path += fmt::format("M{:.1f} {:.0f}v-{:.1f}h{:.1f}v{:.1f}", from, kBase, height,
                        std::max(to - from, 1.0), height);
  }
  return fmt::format("<path class=\"bars\" d=\"{}\"/>", path);
}

std::string number(const std::string& key, const char* which, std::optional<uint64_t> ns) {
  if (!ns) return "";
  return fmt::format("<span data-key=\"{}.{}\" data-value=\"{}\">{} {}</span> ", escaped(key),
                     which, *ns, which, number_html(duration(double(*ns))));
}

}  // namespace

std::string histogram_plot(const std::string& name, const std::string& key,
                           const Histogram& histogram) {
  const uint64_t samples = histogram.count();
  if (samples == 0) return "";
  const auto p50 = histogram.quantile_ns(0.50), p99 = histogram.quantile_ns(0.99);
  std::string decades;
  for (double decade = 0; decade <= kDecades; ++decade) {
    decades += fmt::format("M{:.0f} 6v{:.0f}", kLeft + decade / kDecades * kWidth, kBase - 6);
  }
  std::string out = fmt::format(
      "<figure class=\"histogram\"><figcaption><b>{}</b> {}</figcaption>"
      "<svg viewBox=\"0 0 280 76\" role=\"img\" aria-label=\"{}: {} samples, median {}\">"
      "<path class=\"grid\" d=\"{}\"/>{}<path class=\"base\" d=\"M{:.0f} {:.0f}h{:.0f}\"/>",
      definition_link(key, name), escaped(count(double(samples)).text()), escaped(name), samples,
      escaped(duration(p50 ? std::optional(double(*p50)) : std::nullopt).text()), decades,
      bars(histogram), kLeft, kBase, kWidth);
  for (const auto& [quantile, style] : {std::pair(p50, "median"), std::pair(p99, "p99")}) {
    if (quantile) {
      out += fmt::format("<path class=\"{}\" d=\"M{:.1f} 2v{:.0f}\"/>", style,
                         at(double(*quantile)), kBase);
    }
  }
  for (const Tick& tick : kTicks) {
    out += fmt::format("<text x=\"{:.0f}\" y=\"74\">{}</text>", at(tick.ns), tick.text);
  }
  out += "</svg><p>" + number(key, "p50", p50) + number(key, "p99", p99) +
         number(key, "max", histogram.max_ns);
  return out + "</p></figure>\n";
}

}  // namespace gilscope
