#include "tools/compare/answer.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "tools/analysis/wording.h"
#include "tools/compare/sentences.h"

namespace gilscope {
namespace {

// A change in multiples of the smallest change that matters: this makes ratios and differences
// comparable.
double size_of(const MetricResult& result) {
  if (!result.change) return 0;
  if (result.scale == Scale::ratio) {
    return std::fabs(std::log(*result.change)) / std::log1p(result.least);
  }
  return std::fabs(*result.change) / result.least;
}

bool is(const MetricResult& result, std::string_view name) {
  return name == metrics()[result.metric].name;
}

const MetricResult* decided(const CellResult& cell, std::string_view name) {
  for (const MetricResult& result : cell.metrics) {
    if (is(result, name) && result.absent_reason.empty() && result.decided()) return &result;
  }
  return nullptr;
}

std::string number(const MetricResult& result, const std::optional<double>& value) {
  return metrics()[result.metric].number(value).text();
}

std::string from_to(const MetricResult& result) {
  return fmt::format("from {} to {}", number(result, result.median_a),
                     number(result, result.median_b));
}

// A ratio as "1.62 times".
std::string times(const MetricResult& result) {
  std::string text = change_text(result);
  text.pop_back();
  return text + " times";
}

// The threads' side, which the wall time does not show.
std::string kernels_side(const CellResult& cell) {
  std::vector<std::string> parts;
  for (const char* name : {"failed_per_acquire", "contended_per_acquire", "woken_lost_per_acquire",
                           "timed_out_per_acquire", "contended_per_s"}) {
    const MetricResult* failures = decided(cell, name);
    if (!failures) continue;
    // A slower run has fewer failures a second at the same number an acquisition.
    if (is(*failures, "contended_per_s") && *failures->median_b < *failures->median_a) continue;
    const std::string what = shown_name(metrics()[failures->metric]);
    const std::string subject =
        is(*failures, "failed_per_acquire") ? "threads fail" : what + " come";
    parts.push_back(failures->scale == Scale::ratio
                        ? fmt::format("{} {} as often", subject, times(*failures))
                        : fmt::format("{} goes {}", what, from_to(*failures)));
    break;
  }
  if (const MetricResult* wasted = decided(cell, "wasted_share")) {
    parts.push_back(fmt::format("wasted wakeups go {}", from_to(*wasted)));
  }
  if (const MetricResult* migrations = decided(cell, "migrations_per_s")) {
    parts.push_back(fmt::format("migrations go {}", from_to(*migrations)));
  }
  return parts.empty() ? "" : Wording::list(parts);
}

std::string headline(const CellResult& cell, const Contrast& contrast, const Axis& axis) {
  const MetricResult& lead = *cell.lead();
  const std::string a = level_name(axis, contrast.a), b = level_name(axis, contrast.b);
  const std::string within = lead.interval ? fmt::format(" ({})", interval_text(lead)) : "";
  if (lead.scale == Scale::ratio && is(lead, "wall_ns")) {
    return fmt::format("{} takes {} as long with {} as with {}{}", cell.name, times(lead), b, a,
                       within);
  }
  if (lead.scale == Scale::ratio && is(lead, "operations_per_s")) {
    return fmt::format("{} does {} as many operations a second with {} as with {}{}", cell.name,
                       times(lead), b, a, within);
  }
  return fmt::format("{}: {} {} with {} against {}{}", cell.name,
                     shown_name(metrics()[lead.metric]), change_text(lead), b, a, within);
}

// "Slower, too: a 1.31x and b 1.12x."
std::string also(const std::vector<const CellResult*>& cells, Verdict verdict, const char* word) {
  constexpr size_t kNamed = 3;
  std::vector<std::string> parts;
  size_t more = 0;
  for (const CellResult* cell : cells) {
    if (cell->lead()->verdict != verdict) continue;
    if (parts.size() == kNamed) {
      ++more;
    } else {
      parts.push_back(fmt::format("{} {}", cell->name, change_text(*cell->lead())));
    }
  }
  if (parts.empty()) return "";
  if (more) parts.push_back(fmt::format("{} more", more));
  return fmt::format(" {}: {}.", word, fmt::join(parts, "; "));
}

// The largest change besides the first metrics, primary metrics before others.
std::string other_than_the_first(const ContrastResult& contrast) {
  const CellResult* of = nullptr;
  const MetricResult* most = nullptr;
  const auto rank = [](const MetricResult& result) {
    return std::tuple(result.primary, result.verdict == Verdict::slower, size_of(result));
  };
  for (const CellResult& cell : contrast.cells) {
    for (const MetricResult* result : other_decided_metrics(cell)) {
      if (!most || rank(*result) > rank(*most)) most = result, of = &cell;
    }
  }
  if (!most) return "";
  return fmt::format(" What differs most is {} of {}.", decided_text(*most), of->name);
}

// The kernel's side of the cell where it changes most, among the cells whose time is undecided.
std::string kernels_side_alone(const ContrastResult& contrast) {
  const CellResult* of = nullptr;
  double most = 0;
  for (const CellResult& cell : contrast.cells) {
    if (!cell.lead() || cell.lead()->decided() || kernels_side(cell).empty()) continue;
    const double size = size_of(*other_decided_metrics(cell).front());
    if (!of || size > most) most = size, of = &cell;
  }
  return of ? fmt::format(" In {}, {}.", of->name, kernels_side(*of)) : "";
}

// Contradictions between machines, which nobody should overlook.
std::string machines_text(const ContrastResult& contrast) {
  std::string text;
  for (const CellResult& cell : contrast.cells) {
    const MetricResult* lead = cell.lead();
    if (lead && lead->combined && lead->combined->contradictory) {
      text += fmt::format(
          " {}: THE BOXES CONTRADICT EACH OTHER: on some it is more, on others less.", cell.name);
    }
  }
  return text;
}

std::string of_contrast(const ContrastResult& result, const Axis& axis) {
  std::vector<const CellResult*> differ, same, undecided;
  for (const CellResult& cell : result.cells) {
    if (!cell.lead()) continue;
    const Verdict verdict = cell.lead()->verdict;
    (verdict == Verdict::same        ? same
     : verdict == Verdict::undecided ? undecided
                                     : differ)
        .push_back(&cell);
  }
  // The worse cells come first, the largest change in front.
  std::ranges::stable_sort(differ, std::greater<>(), [](const CellResult* cell) {
    return std::pair(cell->lead()->verdict == Verdict::slower, size_of(*cell->lead()));
  });
  const Contrast& contrast = *result.contrast;
  std::string text;
  if (differ.empty()) {
    text = fmt::format("Between {} and {} no cell differs decidedly in its first metric.",
                       level_name(axis, contrast.a), level_name(axis, contrast.b));
    if (kernels_side_alone(result).empty()) text += other_than_the_first(result);
  } else {
    const std::string kernel = kernels_side(*differ.front());
    text = headline(*differ.front(), contrast, axis) + (kernel.empty() ? "." : ": " + kernel + ".");
    const std::vector<const CellResult*> rest(differ.begin() + 1, differ.end());
    text += also(rest, Verdict::slower, "Slower, too") + also(rest, Verdict::faster, "Faster") +
            also(rest, Verdict::more, "More") + also(rest, Verdict::less, "Less");
  }
  text += kernels_side_alone(result);
  if (!same.empty()) text += fmt::format(" The same: {}.", Wording::number_of(same.size(), "cell"));
  if (!undecided.empty()) {
    text += fmt::format(" Undecided: {}.", Wording::number_of(undecided.size(), "cell"));
  }
  return text + machines_text(result);
}

}  // namespace

std::vector<std::string> answer(const Comparison& comparison) {
  std::vector<std::string> sentences;
  for (const ContrastResult& result : comparison.results) {
    sentences.push_back(of_contrast(result, comparison.axis));
  }
  return sentences;
}

std::vector<const MetricResult*> other_decided_metrics(const CellResult& cell) {
  std::vector<const MetricResult*> all;
  for (const MetricResult& result : cell.metrics) {
    if (result.absent_reason.empty() && result.decided() && &result != cell.lead())
      all.push_back(&result);
  }
  std::ranges::stable_sort(all, std::greater<>(),
                           [](const MetricResult* result) { return size_of(*result); });
  return all;
}

std::string decided_text(const MetricResult& result) {
  return fmt::format("{} {} ({} to {})", shown_name(metrics()[result.metric]), change_text(result),
                     number(result, result.median_a), number(result, result.median_b));
}

std::string undecided_line(const Comparison& comparison) {
  size_t all = 0, too_many_needed = 0, few = 0, least = SIZE_MAX, most = 0;
  for (const ContrastResult& contrast : comparison.results) {
    for (const CellResult& cell : contrast.cells) {
      for (const MetricResult& result : cell.metrics) {
        if (!result.primary || !result.absent_reason.empty() ||
            result.verdict != Verdict::undecided) {
          continue;
        }
        ++all;
        if (result.too_many_needed) ++too_many_needed;
        if (!result.more) continue;
        ++few, least = std::min(least, *result.more), most = std::max(most, *result.more);
      }
    }
  }
  if (all == 0) return "";
  std::string text = fmt::format("Undecided: {}", Wording::number_of(all, "primary metric"));
  if (few > 0) {
    text += least == most ? fmt::format("; {} more blocks would decide {}", least, few)
                          : fmt::format("; {} to {} more blocks would decide {}", least, most, few);
  }
  if (too_many_needed > 0) {
    text +=
        fmt::format("; {} would take more than {}: not worth it", too_many_needed, kMaxMoreBlocks);
  }
  return text + ".";
}

std::string environment_line(const ContrastResult& contrast, size_t most) {
  const auto lines = difference_lines(contrast);
  if (lines.empty()) return "";
  std::vector<std::string> some(lines.begin(), lines.begin() + long(std::min(most, lines.size())));
  if (lines.size() > most) some.push_back(fmt::format("and {} more", lines.size() - most));
  return fmt::format("What differs that was not asked about: {}.", fmt::join(some, "; "));
}

}  // namespace gilscope
