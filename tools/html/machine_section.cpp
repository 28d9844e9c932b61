#include "tools/html/machine_section.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <limits>
#include <map>
#include <sstream>

#include "tools/html/markup.h"
#include "tools/text/disturbances.h"
#include "tools/text/report_tables.h"

namespace gilscope {
namespace {

constexpr size_t kManyHits = 300;
// A fact may be a list with an entry for every CPU.
constexpr size_t kLongText = 2000;

std::string text_of(const Fact& fact) {
  struct Text {
    std::string operator()(std::monostate) const { return ""; }
    std::string operator()(bool value) const { return value ? "yes" : "no"; }
    std::string operator()(int64_t value) const { return std::to_string(value); }
    std::string operator()(double value) const { return plain(value); }
    std::string operator()(const std::string& value) const { return value; }
    std::string operator()(const std::vector<int64_t>& values) const {
      return fmt::format("{}", fmt::join(values, ", "));
    }
    std::string operator()(const std::vector<std::string>& values) const {
      return fmt::format("{}", fmt::join(values, ", "));
    }
  };
  std::string text = std::visit(Text(), fact.value);
  if (text.size() > kLongText) text = text.substr(0, kLongText) + " ...";
  return text;
}

std::string cell_of(const Fact* fact) {
  if (!fact) return "<td>";
  if (std::holds_alternative<std::monostate>(fact->value)) {
    return "<td class=\"unknown\">unknown: " + escaped(fact->reason);
  }
  return "<td>" + escaped(text_of(*fact));
}

std::string facts_table(const std::string& title, const Facts& facts) {
  if (facts.empty()) return "";
  std::string out = fmt::format(
      "<div class=\"scroll\" tabindex=\"0\"><table class=\"text\"><caption>"
      "{}</caption><tbody>\n",
      escaped(title));
  for (const Fact& fact : facts) {
    out += "<tr><th scope=\"row\">" + escaped(fact.key) + cell_of(&fact) + "\n";
  }
  return out + "</tbody></table></div>\n";
}

std::string moments_table(const Report& report) {
  std::map<std::string, const Fact*> after;
  for (const Fact& fact : report.environment_after) after[fact.key] = &fact;
  if (report.environment_before.empty() && after.empty()) return "";
  std::string out =
      "<div class=\"scroll\" tabindex=\"0\"><table class=\"text\"><caption>Facts that may "
      "change</caption><thead><tr><th scope=\"col\"><th scope=\"col\">before<th "
      "scope=\"col\">after</thead><tbody>\n";
  const auto row = [&](const std::string& key, const Fact* before, const Fact* then) {
    const bool changed = before && then && text_of(*before) != text_of(*then);
    out += fmt::format("<tr{}><th scope=\"row\">{}{}{}\n", changed ? " class=\"changed\"" : "",
                       escaped(key), cell_of(before), cell_of(then));
  };
  for (const Fact& fact : report.environment_before) {
    const auto found = after.find(fact.key);
    row(fact.key, &fact, found == after.end() ? nullptr : found->second);
    if (found != after.end()) after.erase(found);
  }
  for (const auto& [key, fact] : after) row(key, nullptr, fact);
  return out + "</tbody></table></div>\n";
}

std::string disturbed_runs(const PageContent& page) {
  std::string rows;
  size_t hits = 0;
  for (const Cell& cell : page.report.cells) {
    for (const Run& run : cell.runs) {
      if (!run.disturbed() || ++hits > kManyHits) continue;
      rows += fmt::format("<tr><td>{}{}<td>{}<td>{}<td>{}\n", run.block,
                          run.warmup ? " (warm-up)" : "", escaped(page.wording.cell(cell)),
                          escaped(run.trace), escaped(disturbances_of(run)));
    }
  }
  if (hits == 0) return "<p>No run was disturbed beyond a limit.</p>\n";
  if (hits > kManyHits) {
    rows += fmt::format("<tr><td colspan=\"4\">and {} more: gilscope show --per block\n",
                        hits - kManyHits);
  }
  return fmt::format(
      "<div class=\"scroll\" tabindex=\"0\"><table class=\"text\"><caption>Runs that were "
      "disturbed beyond a limit: "
      "kept, but in no derived number</caption><thead><tr><th scope=\"col\">block<th "
      "scope=\"col\">cell<th scope=\"col\">trace<th scope=\"col\">disturbance "
      "limit</thead><tbody>\n{}</tbody>"
      "</table></div>\n",
      rows);
}

}  // namespace

std::string disturbances(const PageContent& content) {
  std::ostringstream text;
  TextOptions options;
  options.width = std::numeric_limits<int>::max();  // the browser wraps lines
  const Page page{text, options, content.summary, content.wording, content.trace.findings};
  print_disturbances(page, content.report);
  std::string out = "<h2 id=\"disturbed\">What disturbed it</h2>\n";
  std::istringstream lines(text.str());
  for (std::string line; std::getline(lines, line);) {
    const bool part = line.starts_with("  ");
    out += fmt::format("<p{}>{}</p>\n", part ? " class=\"part\"" : "",
                       escaped(part ? std::string_view(line).substr(2) : std::string_view(line)));
  }
  return out + disturbed_runs(content);
}

std::string environment(const PageContent& page) {
  const Report& report = page.report;
  return "<h2 id=\"environment\">Environment</h2>\n<details><summary>Facts that do not "
         "change</summary>" +
         facts_table("The machine", report.environment) +
         "</details>\n<details><summary>Before and "
         "after</summary>" +
         moments_table(report) +
         "</details>\n<details><summary>What the tracer "
         "could use</summary>" +
         facts_table("Capabilities", report.capabilities) + "</details>\n";
}

std::string spec_section(const PageContent& page) {
  const Report& report = page.report;
  return fmt::format(
      "<h2 id=\"spec\">Spec</h2>\n<details><summary>The spec, verbatim</summary><pre "
      "tabindex=\"0\">{}</pre></details>\n<p>SHA-256 {}; seed {}; report {}.</p>\n",
      escaped_lines(report.spec), escaped(report.spec_sha256), report.seed, escaped(report.id));
}

}  // namespace gilscope
