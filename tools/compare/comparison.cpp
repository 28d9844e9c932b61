#include "tools/compare/comparison.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "tools/compare/cell_names.h"
#include "tools/compare/metric_results.h"
#include "tools/compare/missing.h"
#include "userspace/base/quote.h"
#include "userspace/base/term.h"
#include "userspace/report/metric_names.h"

namespace gilscope {
namespace {

Result<std::vector<size_t>> primary_metrics(const std::vector<ComparedReport>& reports,
                                            const std::vector<std::string>& asked) {
  std::set<std::string> names(asked.begin(), asked.end());
  if (names.empty()) {
    for (const ComparedReport& report : reports) {
      names.insert(report.settings.metrics.begin(), report.settings.metrics.end());
    }
  }
  std::set<size_t> places;
  for (const std::string& name : names) {
    if (const auto place = find_metric(name)) {
      places.insert(*place);
      continue;
    }
    const std::string near = nearest(name, metric_names());
    return fail(fmt::format("no metric {}: {}", in_quotes(name),
                            near.empty()
                                ? fmt::format("there are {}", fmt::join(metric_names(), ", "))
                                : fmt::format("did you mean '{}'?", near)));
  }
  if (places.empty()) {
    for (size_t i = 0; i < metrics().size(); ++i) {
      if (metrics()[i].primary) places.insert(i);
    }
  }
  return std::vector<size_t>(places.begin(), places.end());
}

Status refuse(const Comparison& comparison) {
  for (const ContrastResult& result : comparison.results) {
    if (result.differences.refusals.empty()) continue;
    return fail(
        fmt::format("{} and {} do not compare: {}; --force compares all the same, and says so",
                    in_quotes(result.contrast->a), in_quotes(result.contrast->b),
                    fmt::join(result.differences.refusals, "; ")));
  }
  return {};
}

// A metric that was asked for by name has to be there.
Status missing(const CellResult& cell, const Contrast& contrast,
               const std::vector<std::string>& asked) {
  for (const MetricResult& result : cell.metrics) {
    const std::string name = metrics()[result.metric].name;
    if (result.absent_reason.empty() || std::ranges::count(asked, name) == 0) continue;
    return fail(Exit::no_data,
                fmt::format("{}, {} against {}: {}: {}; leave out --metric {}", cell.name,
                            contrast.a, contrast.b, name, result.absent_reason, name));
  }
  return {};
}

}  // namespace

const MetricResult* CellResult::lead() const {
  for (const MetricResult& result : metrics) {
    if (result.primary && result.absent_reason.empty()) return &result;
  }
  return nullptr;
}

size_t CellResult::primary(Verdict verdict) const {
  return size_t(std::ranges::count_if(metrics, [&](const MetricResult& result) {
    return result.primary && result.absent_reason.empty() && result.verdict == verdict;
  }));
}

size_t Comparison::primary(Verdict verdict) const {
  size_t sum = 0;
  for (const ContrastResult& contrast : results) {
    for (const CellResult& cell : contrast.cells) sum += cell.primary(verdict);
  }
  return sum;
}

bool Comparison::emulated() const {
  return std::ranges::any_of(results, [](const ContrastResult& contrast) {
    return std::ranges::any_of(contrast.cells, &CellResult::emulated);
  });
}

std::vector<Missing> ContrastResult::missing() const {
  std::vector<Missing> all = unmatched;
  for (const CellResult& cell : cells) {
    all.insert(all.end(), cell.missing.begin(), cell.missing.end());
  }
  return all;
}

size_t Comparison::missing() const {
  size_t sum = unfinished.size();
  for (const ContrastResult& contrast : results) {
    const auto all = contrast.missing();
    sum += size_t(std::ranges::count(all, false, &Missing::passes));
  }
  return sum;
}

Exit Comparison::exit() const {
  const bool failed = primary(Verdict::slower) > 0 ||
                      (!undecided_passes && primary(Verdict::undecided) > 0) ||
                      (!missing_passes && missing() > 0);
  return failed ? Exit::check_failed : Exit::done;
}

Result<Comparison> compare(std::vector<ComparedReport> reports, const ComparisonOptions& options) {
  Comparison comparison;
  comparison.min_effect = options.min_effect;
  comparison.undecided_passes = options.undecided_passes;
  comparison.missing_passes = options.missing_passes;
  const bool declared =
      !options.metrics.empty() || std::ranges::any_of(reports, [](const ComparedReport& report) {
        return !report.settings.metrics.empty();
      });
  const auto primary = primary_metrics(reports, options.metrics);
  if (!primary) return fail(primary.error());
  const bool by_report = options.sides.by.empty() || options.sides.by == kByReport;
  auto once = without_duplicates(std::move(reports), by_report);
  if (!once) return fail(once.error());
  comparison.reports = std::move(*once);
  auto axis = axis_of(comparison.reports, options.sides);
  if (!axis) return fail(axis.error());
  comparison.axis = std::move(*axis);
  auto contrasts = contrasts_of(comparison.reports, comparison.axis);
  if (!contrasts) return fail(contrasts.error());
  comparison.contrasts = std::move(*contrasts);

  comparison.unfinished = unfinished(comparison.reports);
  const CellNames names(comparison.contrasts);
  const UnitNumbers units(comparison.reports);
  bool any = false;
  std::string why_not;
  for (const Contrast& contrast : comparison.contrasts) {
    ContrastResult& result = comparison.results.emplace_back();
    result.contrast = &contrast;
    result.differences = differences(contrast, comparison.axis);
    result.unmatched = unmatched_of(contrast, comparison.axis, names);
    comparison.forced = comparison.forced || !result.differences.refusals.empty();
    for (const CellPair& pair : contrast.cells) {
      CellResult& cell = result.cells.emplace_back();
      cell.pair = &pair;
      cell.name = names.of(pair);
      cell.machines_left_out = machines_left_out(pair, comparison.axis);
      const auto how = comparison_design(pair, comparison.axis);
      cell.design = how.design;
      cell.unit = how.unit;
      cell.emulated = is_emulated(pair);
      for (const bool first : {true, false}) {
        for (size_t metric = 0; metric < metrics().size(); ++metric) {
          const bool is_primary = std::ranges::count(*primary, metric) > 0;
          if (is_primary != first) continue;
          const bool asked_for = declared && is_primary;
          if (metrics()[metric].of_subjects && !asked_for && !is_of_subject(pair)) continue;
          auto found = metric_result(pair, comparison.axis, metric, units);
          if (!found) return fail(found.error());
          found->primary = is_primary;
          found->inapplicable = !declared && (found->absent_reason == kNotCaptured ||
                                              found->absent_reason == kEmulated);
          any = any || (found->absent_reason.empty() && is_primary);
          if (!found->absent_reason.empty() && is_primary && why_not.empty()) {
            why_not = fmt::format("{}: {}", cell.name, found->absent_reason);
          }
          cell.metrics.push_back(std::move(*found));
        }
      }
      cell.missing = missing_of(cell, contrast, comparison.axis);
      const bool lost = std::ranges::count(cell.missing, false, &Missing::passes) > 0;
      Status there = missing(cell, contrast, options.metrics);
      if (!there && !lost) return fail(there.error());
    }
  }
  if (comparison.forced && !options.force) return fail(refuse(comparison).error());
  if (!any) {
    return fail(
        Exit::no_data,
        fmt::format("nothing to compare: no metric was measured on both sides ({})", why_not));
  }
  if (Status judged = judge_results(comparison); !judged) return fail(judged.error());
  return comparison;
}

}  // namespace gilscope
