#include "tools/text/comparison_rows.h"

#include <fmt/ranges.h>

#include <array>

#include "tools/compare/answer.h"
#include "tools/compare/per_acquire.h"
#include "tools/compare/sentences.h"

namespace gilscope {
namespace {

// ---- CSV ----

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char letter : text) {
    if (letter == '"') out += '"';
    out += letter;
  }
  return out + '"';
}

std::string digits(const std::optional<double>& value) {
  return value ? fmt::format("{}", *value) : "";
}

constexpr std::array kColumns{"baseline",
                              "other",
                              "cell",
                              "metric",
                              "primary",
                              "units_a",
                              "units_b",
                              "median_a",
                              "median_b",
                              "ratio",
                              "low",
                              "high",
                              "p",
                              "adjusted_p",
                              "verdict",
                              "more_units",
                              "forced",
                              "planned_runs_a",
                              "planned_runs_b",
                              "compared_runs_a",
                              "compared_runs_b",
                              "missing",
                              "difference",
                              "difference_low",
                              "difference_high"};
constexpr size_t kVerdict = 14, kMissing = 21;

std::string joined(const std::vector<std::string>& fields) {
  std::string row;
  for (size_t i = 0; i < fields.size(); ++i) row += (i ? "," : "") + quoted(fields[i]);
  return row + "\n";
}

std::string missing_text(const Missing& missing) {
  return missing.side.empty() ? missing.what : missing.side + ": " + missing.what;
}

std::string missing_text(const CellResult& cell, const MetricResult& result) {
  std::vector<std::string> all;
  if (!result.absent_reason.empty()) all.push_back(result.absent_reason);
  for (const Missing& missing : cell.missing) all.push_back(missing_text(missing));
  return fmt::format("{}", fmt::join(all, "; "));
}

std::string csv_row(const ContrastResult& contrast, const CellResult& cell,
                    const MetricResult& result) {
  const bool ratio = result.scale == Scale::ratio;
  const std::string low = result.interval ? digits(result.interval->low) : "";
  const std::string high = result.interval ? digits(result.interval->high) : "";
  const std::vector<std::string> fields{
      contrast.contrast->a,
      contrast.contrast->b,
      cell.name,
      metrics()[result.metric].name,
      result.primary ? "true" : "false",
      result.absent_reason.empty() ? std::to_string(result.blocks_a) : "",
      result.absent_reason.empty() ? std::to_string(result.blocks_b) : "",
      digits(result.median_a),
      digits(result.median_b),
      digits(result.ratio()),
      ratio ? low : "",
      ratio ? high : "",
      digits(result.p),
      digits(result.adjusted_p),
      result.absent_reason.empty() ? name_of(result.verdict) : "absent",
      more_text(result),
      contrast.differences.refusals.empty() ? "false" : "true",
      std::to_string(runs_of(cell.pair->a).planned),
      std::to_string(runs_of(cell.pair->b).planned),
      std::to_string(runs_of(cell.pair->a).compared),
      std::to_string(runs_of(cell.pair->b).compared),
      missing_text(cell, result),
      ratio ? "" : digits(result.change),
      ratio ? "" : low,
      ratio ? "" : high};
  return joined(fields);
}

// A row without metrics: for a cell that is on one side only, or an unfinished report.
std::string missing_row(const std::string& a, const std::string& b, const std::string& cell,
                        const std::string& what) {
  std::vector<std::string> fields(kColumns.size());
  fields[0] = a, fields[1] = b, fields[2] = cell;
  fields[kVerdict] = "absent";
  fields[kMissing] = what;
  return joined(fields);
}

// ---- Markdown ----

// Escapes text from a report, which must not become markup.
std::string plain_text(const std::string& text) {
  std::string out;
  for (const char letter : text) {
    if (std::string_view("\\`*_[]<>|#~&!").find(letter) != std::string_view::npos) out += '\\';
    out += letter;
  }
  return out;
}

std::string markdown_row(const std::vector<std::string>& fields) {
  return fmt::format("| {} |\n", fmt::join(fields, " | "));
}

std::string cell_table(const CellResult& cell, const Contrast& contrast) {
  std::string out = fmt::format("\n### {}\n\n", plain_text(cell.name));
  out += markdown_row({"metric", plain_text(contrast.a), plain_text(contrast.b), "change",
                       "95 % interval", "p", "verdict",
                       cell.unit == Unit::boot ? "more boots" : "more blocks"});
  out += "|---|---:|---:|---:|---:|---:|---|---:|\n";
  for (const MetricResult& result : cell.metrics) {
    const Metric& metric = metrics()[result.metric];
    if (!result.absent_reason.empty()) {
      if (result.primary && !result.inapplicable) {
        out += markdown_row(
            {shown_name(metric), "", "", "", "", "", plain_text(result.absent_reason), ""});
      }
      continue;
    }
    const std::string name = shown_name(metric) + (result.primary ? "" : " (exploratory)");
    const bool difference =
        result.primary && result.verdict != Verdict::same && result.verdict != Verdict::undecided;
    const std::string verdict = name_of(result.verdict);
    out += markdown_row({name, metric.number(result.median_a).text(),
                         metric.number(result.median_b).text(), change_text(result),
                         interval_text(result), plain_text(p_text(result.adjusted_p)),
                         difference ? "**" + verdict + "**" : verdict, more_text(result)});
    if (result.machines.size() < 2) continue;
    for (const MachineResult& machine : result.machines) {
      if (!machine.effect) {
        out += markdown_row({"on " + plain_text(machine.machine), plain_text(machine.reason), "",
                             "", "", "", "", ""});
        continue;
      }
      out += markdown_row(
          {"on " + plain_text(machine.machine), metric.number(machine.effect->median_a).text(),
           metric.number(machine.effect->median_b).text(), change_text(metric, *machine.effect),
           interval_text(metric, *machine.effect), "", machine.reason.empty() ? "" : "left out",
           ""});
    }
  }
  return out;
}

std::string per_acquire_table(const Comparison& comparison) {
  const PerAcquire all = per_acquire(comparison);
  if (all.groups.empty()) return "";
  std::string out = fmt::format("\n### Per acquisition\n\n{}\n\n", PerAcquire::kExplanation);
  std::vector<std::string> head{"", ""};
  head.insert(head.end(), PerAcquire::kShown.begin(), PerAcquire::kShown.end());
  if (all.emulated) head.push_back("wall time");
  out += markdown_row(head) + "|---|---|---:|---:|---:|" + (all.emulated ? "---|\n" : "\n");
  for (const PerAcquire::Group& group : all.groups) {
    for (const PerAcquire::Row& row : group.rows) {
      std::vector<std::string> fields{plain_text(group.title), plain_text(row.level)};
      for (const auto& value : row.values) fields.push_back(PerAcquire::number(value).text());
      if (all.emulated) fields.emplace_back(row.wall_time());
      out += markdown_row(fields);
    }
  }
  return out;
}

}  // namespace

std::string comparison_csv(const Comparison& comparison) {
  std::string out = joined({kColumns.begin(), kColumns.end()});
  for (const UnfinishedReport& report : comparison.unfinished) {
    out += missing_row("", "", "",
                       fmt::format("{}: {}, {} of {} blocks begun", report.report, report.status,
                                   report.blocks, report.planned));
  }
  for (const ContrastResult& contrast : comparison.results) {
    for (const Missing& missing : contrast.unmatched) {
      out += missing_row(contrast.contrast->a, contrast.contrast->b, missing.cell,
                         missing_text(missing));
    }
    for (const CellResult& cell : contrast.cells) {
      for (const MetricResult& result : cell.metrics) out += csv_row(contrast, cell, result);
    }
  }
  return out;
}

std::string comparison_markdown(const Comparison& comparison) {
  std::string out = "## " + plain_text(title(comparison)) + "\n";
  for (const std::string& sentence : answer(comparison)) out += "\n" + plain_text(sentence) + "\n";
  for (const ContrastResult& contrast : comparison.results) {
    for (const std::string& line : forced_warnings(contrast, comparison.forced)) {
      out += "\n**" + plain_text(line) + "**\n";
    }
  }
  if (const std::string line = emulation_line(comparison); !line.empty()) {
    out += "\n**" + plain_text(line) + "**\n";
  }
  for (const bool fails : {true, false}) {
    const MissingLines missing = fails ? missing_lines(comparison) : left_out_lines(comparison);
    if (missing.lines.empty()) continue;
    const char* bold = fails ? "**" : "";
    out += fmt::format("\n{}{}{}\n\n", bold, plain_text(missing.heading), bold);
    for (const std::string& line : missing.lines) out += "- " + plain_text(line) + "\n";
  }
  for (const ContrastResult& contrast : comparison.results) {
    const auto lines = difference_lines(contrast);
    if (lines.empty()) continue;
    out += fmt::format("\nWhat differs between {} and {} that was not asked about:\n\n",
                       plain_text(contrast.contrast->a), plain_text(contrast.contrast->b));
    for (const std::string& line : lines) out += "- " + plain_text(line) + "\n";
  }
  out += "\n";
  for (const ContrastResult& contrast : comparison.results) {
    for (const CellResult& cell : contrast.cells) {
      out += "- " + plain_text(sentence(cell, *contrast.contrast, comparison.axis)) + "\n";
    }
  }
  out += per_acquire_table(comparison);
  for (const ContrastResult& contrast : comparison.results) {
    for (const CellResult& cell : contrast.cells) out += cell_table(cell, *contrast.contrast);
  }
  out += "\n";
  for (const std::string& line : method_lines(comparison)) out += plain_text(line) + "\n";
  return out + "\n" + plain_text(conclusion(comparison)) + "\n";
}

}  // namespace gilscope
