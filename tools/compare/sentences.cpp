#include "tools/compare/sentences.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "tools/analysis/fact_text.h"
#include "tools/analysis/wording.h"
#include "tools/compare/cell_names.h"
#include "tools/compare/level_names.h"

namespace gilscope {
namespace {

std::string axis_name(const std::string& key) {
  return key == kByReport ? "report" : key;
}

std::string times(double ratio) {
  if (ratio >= 9.995) return fmt::format("{:.{}f}x", ratio, ratio < 99.95 ? 1 : 0);
  return fmt::format("{:.{}f}x", ratio, ratio < 0.0995 ? 3 : 2);
}

std::string changed(const Metric& metric, Scale scale, const std::optional<double>& change) {
  if (!change) return "-";
  return scale == Scale::ratio ? times(*change) : metric.difference(change).text();
}

std::string within(const Metric& metric, Scale scale, const std::optional<Interval>& interval) {
  if (!interval) return "-";
  if (scale == Scale::ratio) {
    const auto end = [](double ratio) {
      std::string text = times(ratio);
      text.pop_back();
      return text;
    };
    return fmt::format("{} to {}", end(interval->low), end(interval->high));
  }
  const Number low = metric.difference(interval->low), high = metric.difference(interval->high);
  return fmt::format("{} to {}", low.unit == high.unit ? low.digits : low.text(), high.text());
}

std::string verdict_words(Verdict verdict, const Contrast& contrast, const Axis& axis) {
  const std::string a = level_name(axis, contrast.a), b = level_name(axis, contrast.b);
  if (verdict == Verdict::undecided) return fmt::format("undecided between {} and {}", b, a);
  return fmt::format("{} with {} {} with {}", name_of(verdict), b,
                     verdict == Verdict::same ? "as" : "than", a);
}

std::string counts(const CellResult& cell) {
  std::vector<std::string> parts;
  for (const Verdict verdict : {Verdict::slower, Verdict::faster, Verdict::more, Verdict::less,
                                Verdict::same, Verdict::undecided}) {
    if (const size_t n = cell.primary(verdict)) {
      parts.push_back(fmt::format("{} {}", n, name_of(verdict)));
    }
  }
  return "primary metrics: " + Wording::list(parts);
}

std::string units_of(const CellResult& cell, const MetricResult& lead) {
  const char* what = cell.unit == Unit::boot ? "boot" : "block";
  if (cell.design == Design::paired) {
    return fmt::format("{} of both", Wording::number_of(lead.blocks_a, what));
  }
  return fmt::format("{} against {}", Wording::number_of(lead.blocks_a, what), lead.blocks_b);
}

}  // namespace

std::string title(const Comparison& comparison) {
  std::vector<std::string> others(comparison.axis.levels.begin() + 1, comparison.axis.levels.end());
  for (std::string& level : others) level = level_name(comparison.axis, level);
  std::string text = fmt::format("gilscope compare by {}: {} against {}",
                                 axis_name(comparison.axis.key), Wording::list(others),
                                 level_name(comparison.axis, comparison.axis.levels.front()));
  if (!comparison.axis.within.empty()) {
    text += fmt::format(", within each {}", fmt::join(comparison.axis.within, " and "));
  }
  return text;
}

std::vector<std::string> method_lines(const Comparison& comparison) {
  std::vector<std::string> lines;
  lines.push_back(fmt::format(
      "Changes are from {} to {}, with 95 % intervals; changes below {:g} % (points, for shares) "
      "count as the same. p is for {} together, over {} arrangements of whole blocks: the chance "
      "of even one false verdict is 5 % at most.",
      level_name(comparison.axis, comparison.axis.levels.front()),
      comparison.results.size() == 1 ? level_name(comparison.axis, comparison.contrasts.front().b)
                                     : "each other side",
      comparison.min_effect * 100, Wording::number_of(comparison.tests, "test"),
      comparison.arrangements.exact ? fmt::format("all {}", comparison.arrangements.count)
                                    : fmt::format("{} drawn", comparison.arrangements.count)));
  bool boots = false, blocks_of_boots = false, unpaired = false;
  for (const ContrastResult& result : comparison.results) {
    for (const CellResult& cell : result.cells) {
      boots = boots || cell.unit == Unit::boot;
      if (cell.design != Design::unpaired) continue;
      unpaired = true;
      if (cell.unit == Unit::block && !cell.pair->a.empty() && !cell.pair->b.empty() &&
          cell.pair->a.front().report->boot != cell.pair->b.front().report->boot) {
        blocks_of_boots = true;
      }
    }
  }
  if (boots) lines.emplace_back("Each side was booted several times: one boot is one observation.");
  if (blocks_of_boots) {
    lines.emplace_back(
        "One boot each: the effect of a boot on all of its blocks looks like a difference here. "
        "Six "
        "boots of each side tell them apart.");
  } else if (unpaired) {
    lines.emplace_back(
        "The sides ran at different times: changes on the machine in between look like differences "
        "here. One spec with both sides runs them in the same blocks.");
  }
  return lines;
}

std::vector<std::string> forced_warnings(const ContrastResult& contrast, bool forced) {
  std::vector<std::string> lines;
  if (!forced) return lines;
  for (const std::string& reason : contrast.differences.refusals) {
    lines.push_back(fmt::format("FORCED, {} against {}: {}.", contrast.contrast->b,
                                contrast.contrast->a, reason));
  }
  return lines;
}

namespace {

// "on b, 8 of 8 runs failed (...): cell; cell", in the order of first mention.
std::vector<std::string> grouped(const Comparison& comparison, bool passes) {
  std::vector<std::pair<std::string, std::vector<std::string>>> groups;
  for (const ContrastResult& contrast : comparison.results) {
    for (const Missing& missing : contrast.missing()) {
      if (missing.passes != passes) continue;
      std::string what =
          missing.side.empty()
              ? missing.what
              : fmt::format("{}: {}", level_name(comparison.axis, missing.side), missing.what);
      auto group = std::ranges::find(groups, what, &decltype(groups)::value_type::first);
      if (group == groups.end()) group = groups.insert(groups.end(), {std::move(what), {}});
      // What the baseline lacks comes up in every contrast.
      if (std::ranges::count(group->second, missing.cell) == 0) {
        group->second.push_back(missing.cell);
      }
    }
  }
  std::vector<std::string> lines;
  for (const auto& [what, cells] : groups) {
    lines.push_back(fmt::format("{}: {}", what, fmt::join(cells, "; ")));
  }
  return lines;
}

}  // namespace

MissingLines missing_lines(const Comparison& comparison) {
  MissingLines all;
  for (const UnfinishedReport& report : comparison.unfinished) {
    all.lines.push_back(fmt::format("{} is not finished ({}): {} of {} were begun", report.report,
                                    report.status, report.blocks,
                                    Wording::number_of(report.planned, "block")));
  }
  for (std::string& line : grouped(comparison, false)) all.lines.push_back(std::move(line));
  if (all.lines.empty()) return all;
  all.heading = comparison.missing_passes
                    ? "INCOMPLETE, and allowed to pass by --allow-missing yes:"
                    : "INCOMPLETE: this comparison does not pass, because this is missing "
                      "(--allow-missing yes lets it pass):";
  return all;
}

MissingLines left_out_lines(const Comparison& comparison) {
  MissingLines all;
  all.lines = grouped(comparison, true);
  if (!all.lines.empty()) all.heading = "Left out, which is no reason to fail:";
  return all;
}

std::string emulation_line(const Comparison& comparison) {
  if (!comparison.emulated()) return "";
  return "EMULATED CPUs: their times mean nothing and are left out. Counts are compared; a "
         "difference here is a reason to look on real CPUs.";
}

std::vector<std::string> difference_lines(const ContrastResult& contrast) {
  std::vector<std::string> lines;
  for (const Difference& difference : contrast.differences.between) {
    lines.push_back(fmt::format("{}: {} on {}, {} on {}", difference.key, difference.a,
                                shortened(contrast.contrast->a), difference.b,
                                shortened(contrast.contrast->b)));
  }
  for (const Variation& variation : contrast.differences.within) {
    lines.push_back(fmt::format("{} varies within {}: {}; --within {} holds it fixed",
                                variation.key, shortened(variation.side), variation.values,
                                variation.key));
  }
  return lines;
}

std::string level_name(const Axis& axis, const std::string& level) {
  return shortened(std::ranges::count(cell_keys(), axis.key) > 0 ? value_name(axis.key, level)
                                                                 : level);
}

std::vector<std::string> short_names(const Axis& axis, size_t room) {
  std::vector<std::string> names;
  for (const std::string& level : axis.levels) {
    names.push_back(std::ranges::count(cell_keys(), axis.key) > 0 ? value_name(axis.key, level)
                                                                  : level);
  }
  return distinct_names(names, room);
}

std::string sentence(const CellResult& cell, const Contrast& contrast, const Axis& axis) {
  const MetricResult* lead = cell.lead();
  if (!lead) {
    const std::string why =
        cell.metrics.empty() ? "no metrics" : cell.metrics.front().absent_reason;
    return fmt::format("{}: nothing to compare: {}.", cell.name, why);
  }
  std::string text =
      fmt::format("{}: {}: {}", cell.name, verdict_words(lead->verdict, contrast, axis),
                  shown_name(metrics()[lead->metric]));
  if (lead->change) text += " " + change_text(*lead);
  if (lead->interval) text += fmt::format(" ({})", interval_text(*lead));
  text += fmt::format(", {}", units_of(cell, *lead));
  if (lead->verdict == Verdict::undecided && lead->more) {
    text += fmt::format("; {} {} more would decide it", lead->at_least ? "at least" : "about",
                        *lead->more);
  }
  text += "; " + counts(cell) + ".";
  if (lead->combined) {
    text += fmt::format(" {} machines, combined with the machine as a random effect.",
                        lead->machines.size());
    if (lead->combined->contradictory) {
      text += " THE BOXES CONTRADICT EACH OTHER: on some it is more, on others less.";
    } else if (lead->combined->signs_differ) {
      text += " The machines disagree in sign.";
    }
  }
  if (!cell.machines_left_out.empty()) {
    text +=
        fmt::format(" Left out, having one side only: {}.", Wording::list(cell.machines_left_out));
  }
  return text;
}

std::string conclusion(const Comparison& comparison) {
  std::vector<std::string> parts;
  for (const Verdict verdict : {Verdict::slower, Verdict::faster, Verdict::more, Verdict::less,
                                Verdict::same, Verdict::undecided}) {
    if (const size_t n = comparison.primary(verdict)) {
      parts.push_back(fmt::format("{} {}", n, name_of(verdict)));
    }
  }
  std::string text = "Of the primary metrics: " +
                     (parts.empty() ? std::string("none could be compared") : Wording::list(parts));
  text += fmt::format("; undecided ones {} (--allow-undecided {})",
                      comparison.undecided_passes ? "pass" : "fail",
                      comparison.undecided_passes ? "yes" : "no");
  if (comparison.missing() > 0) {
    text += fmt::format("; what is missing {} (--allow-missing {})",
                        comparison.missing_passes ? "passes" : "fails",
                        comparison.missing_passes ? "yes" : "no");
  }
  text += fmt::format(": exit code {}.", int(comparison.exit()));
  return text;
}

std::string shown_name(const Metric& metric) {
  if (metric.unit == Metric::Unit::rate) return fmt::format("{} a second", metric.shown);
  if (metric.unit == Metric::Unit::each) return fmt::format("{} an acquisition", metric.shown);
  return metric.shown;
}

std::string change_text(const MetricResult& result) {
  return changed(metrics()[result.metric], result.scale, result.change);
}

std::string change_text(const Metric& metric, const Effect& effect) {
  return changed(metric, effect.scale, from_scale(effect.scale, effect.estimate.value));
}

std::string interval_text(const MetricResult& result) {
  return within(metrics()[result.metric], result.scale, result.interval);
}

std::string interval_text(const Metric& metric, const Effect& effect) {
  const auto& interval = effect.estimate.interval;
  return within(metric, effect.scale,
                interval ? std::optional(from_scale(effect.scale, *interval)) : std::nullopt);
}

std::string p_text(const std::optional<double>& p) {
  if (!p) return "-";
  if (*p < 0.0001) return "<0.0001";
  if (*p >= 0.995) return "1";
  return fmt::format("{:.{}f}", *p, *p < 0.00995 ? 4 : *p < 0.0995 ? 3 : 2);
}

std::string more_text(const MetricResult& result) {
  if (result.too_many_needed) return fmt::format(">{}", kMaxMoreBlocks);
  if (!result.more) return "";
  return fmt::format("{}{}", *result.more, result.at_least ? "+" : "");
}

}  // namespace gilscope
