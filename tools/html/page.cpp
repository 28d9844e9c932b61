#include "tools/html/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tools/html/cell_section.h"
#include "tools/html/definitions.h"
#include "tools/html/machine_section.h"
#include "tools/html/markup.h"
#include "tools/html/overview.h"
#include "tools/html/page_head.h"
#include "tools/html/timeline.h"
#include "userspace/base/digest.h"
#include "userspace/report/embedded_report.h"
#include "userspace/report/json.h"

namespace gilscope {
namespace {

constexpr std::string_view kScript =
#include "tools/html/timeline_data.js.inc"
// comes first: page.js calls it
#include "tools/html/page.js.inc"
    ;

// Shares of the page's 2 MB. The report's copy gets what the sections leave.
constexpr size_t kCellBytes = 500'000;
constexpr size_t kTimelineBytes = 600'000;

// The digest as a content security policy names it.
std::string hash_of(std::string_view script) {
  const std::string hex = sha256(script);
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += char(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return to_base64(bytes);
}

std::string head(const Report& report) {
  return page_head({kPageFirstLine, fmt::format("'sha256-{}'", hash_of(kScript)),
                    experiment_name(report) + ": gilscope report"});
}

// The cells that have a section, in the page's order.
std::vector<const CellSummary*> order_of(const Summary& summary) {
  std::vector<const CellSummary*> cells;
  for (const CellSummary& cell : summary.cells) {
    if (cell.runs > 0) cells.push_back(&cell);
  }
  std::stable_partition(cells.begin(), cells.end(),
                        [](const CellSummary* cell) { return comes_first(*cell->cell); });
  return cells;
}

// The largest share that keeps the sum within `room`, where small needs leave their rest to the
// others.
size_t fair_share(std::vector<size_t> needs, size_t room) {
  std::ranges::sort(needs);
  for (size_t i = 0; i < needs.size(); ++i) {
    const size_t share = room / (needs.size() - i);
    if (needs[i] > share) return share;
    room -= needs[i];
  }
  return room;
}

class Timelines {
 public:
  Timelines(const PageContent& page, const std::vector<const CellSummary*>& cells) : page_(page) {
    std::vector<size_t> needs;
    for (const CellSummary* cell : cells) {
      const CellWindows* windows = windows_of(*cell);
      if (!windows) continue;
      for (const auto& window : {&windows->first, &windows->worst}) {
        if (*window) needs.push_back(packed(**window).size() * 4 / 3 + 4);
      }
    }
    share_ = fair_share(std::move(needs), kTimelineBytes);
  }

  std::string of(const CellSummary& cell) const {
    const size_t index = size_t(cell.cell - page_.report.cells.data());
    const CellWindows* windows = windows_of(cell);
    if (!windows || !windows->first) {
      const bool has_segments = page_.trace.findings.of(page_.report, *cell.cell) != nullptr;
      return has_segments ? "<p class=\"warning\">No room in this page for its timelines.</p>\n"
                          : "";
    }
    const std::string whose = page_.summary.times.emulated ? ", as the emulator had it." : ".";
    std::string out = "<div class=\"timelines\">";
    out += timeline(fmt::format("first-{}", index), "The first 50 ms" + whose, *windows->first,
                    share_);
    if (windows->worst) {
      out += timeline(fmt::format("worst-{}", index), "The worst 50 ms" + whose, *windows->worst,
                      share_);
    }
    return out + "</div>\n";
  }

 private:
  const CellWindows* windows_of(const CellSummary& cell) const {
    const size_t index = size_t(cell.cell - page_.report.cells.data());
    return index < page_.trace.windows.size() ? &page_.trace.windows[index] : nullptr;
  }

  const PageContent& page_;
  size_t share_ = 0;
};

std::string cell_sections(const PageContent& page) {
  const std::vector<const CellSummary*> cells = order_of(page.summary);
  const Timelines timelines(page, cells);
  std::string out = "<h2 id=\"cells\">Cells</h2>\n";
  if (!page.trace.findings.any()) {
    out +=
        page.trace.findings.runs_without_files
            ? fmt::format(
                  "<p class=\"warning\">The segments of {} were not beside the report when "
                  "this page was made: there are no timelines, no matrices and no "
                  "hand-offs here.</p>\n",
                  Wording::number_of(page.trace.findings.runs_without_files, "run"))
            : "<p>The report names no segments (gilscope run --trace full --out keeps them): there "
              "are no timelines, no matrices and no hand-offs here.</p>\n";
  }
  size_t shown = 0, bytes = 0;
  for (const CellSummary* cell : cells) {
    if (bytes > kCellBytes) break;
    const std::string drawn = timelines.of(*cell);
    const std::string section = cell_section(page, *cell, drawn, shown < 2);
    bytes += section.size() - drawn.size();
    out += section;
    ++shown;
  }
  if (shown < cells.size()) {
    out += fmt::format(
        "<p class=\"warning\">{} more of {} cells have no room in this page: gilscope show --per "
        "CPU and --per thread has them all.</p>\n",
        cells.size() - shown, cells.size());
  }
  return out;
}

// Parts of the report that its copy gives up, one after the other.
struct Cut {
  const char* name;
  void (*from)(Run& run);
};
constexpr std::array<Cut, 5> kCuts{{
    {"threads.histograms",
     [](Run& run) {
       for (Thread& thread : run.threads) {
         if (thread.trace) thread.trace->histograms = {};
       }
     }},
    {"cores.histograms",
     [](Run& run) {
       for (CpuTrace& cpu : run.cpus) cpu.histograms = {};
     }},
    {"histograms", [](Run& run) { run.histograms.reset(); }},
    {"threads", [](Run& run) { run.threads.clear(); }},
    {"cores", [](Run& run) { run.cpus.clear(); }},
}};

void cut(Report& report, const Cut& what) {
  for (Cell& cell : report.cells) {
    for (Run& run : cell.runs) what.from(run);
  }
  if (!report.lacks(what.name)) report.left_out.emplace_back(what.name);
}

// Packing a large report for each cut would take minutes: a sample of its runs shows which cuts
// will not fit.
class Sample {
 public:
  explicit Sample(const Report& report) {
    size_t runs = 0;
    for (const Cell& cell : report.cells) runs += cell.runs.size();
    every_ = runs / kRuns;
    if (every_ < 2) return;
    some_ = report;
    size_t n = 0, kept = 0;
    for (Cell& cell : some_.cells) {
      std::erase_if(cell.runs, [&](const Run&) { return n++ % every_ != 0; });
      kept += cell.runs.size();
    }
    scale_ = double(runs) / double(kept);
  }

  void cut(const Cut& what) { gilscope::cut(some_, what); }
  bool may_fit(size_t room) const {
    if (every_ < 2) return true;
    // The whole packs a little better than a sample.
    return !pack_report(to_json(some_), size_t(1.1 * double(room) / scale_) + kHead).empty();
  }

 private:
  static constexpr size_t kRuns = 400;
  static constexpr size_t kHead = 4000;  // bytes that do not grow with the runs

  Report some_;
  size_t every_ = 0;
  double scale_ = 1;
};

struct Copy {
  std::string element;
  std::vector<std::string> left_out;
  bool none = false;
};

Copy copy_of(const Report& report, std::string_view json, size_t room) {
  Sample sample(report);
  std::string packed = sample.may_fit(room) ? pack_report(json, room) : "";
  Copy copy{"", report.left_out};
  if (packed.empty()) {
    Report less = report;
    for (const Cut& what : kCuts) {
      cut(less, what);
      sample.cut(what);
      if (sample.may_fit(room)) packed = pack_report(to_json(less), room);
      if (!packed.empty()) break;
    }
    copy.left_out = less.left_out;
  }
  copy.none = packed.empty();
  if (!copy.none) copy.element = embed_report(packed);
  return copy;
}

std::string copy_note(const Copy& copy) {
  if (copy.none) {
    return "<p class=\"warning\">This page has no room for a copy of its report: gilscope cannot "
           "read "
           "it.</p>\n";
  }
  if (copy.left_out.empty()) {
    return "<p>This page carries its whole report: gilscope show, validate and html read it like "
           "the "
           "report.json.</p>\n";
  }
  return fmt::format(
      "<p class=\"warning\">This page carries its report, which gilscope show reads, but had no "
      "room "
      "for {} of its runs. Every number and plot here is of the whole report.</p>\n",
      escaped(Wording::list(copy.left_out)));
}

}  // namespace

std::string html_page(const Report& report, std::string_view json, const PageTrace& trace,
                      size_t max_bytes) {
  const Summary summary(report);
  const Wording wording(report);
  const PageContent content{report, summary, wording, trace};

  std::string page = head(report) + overview(content);
  page +=
      "<nav aria-label=\"Sections\"><a href=\"#times\">Times</a> <a href=\"#cells\">Cells</a> <a "
      "href=\"#disturbed\">What disturbed it</a> <a href=\"#environment\">Environment</a> <a "
      "href=\"#spec\">Spec</a> <a href=\"#definitions\">Definitions</a></nav>\n<main>\n";
  page += "<h2 id=\"times\">Times</h2>\n" + time_tables(content) + cell_sections(content);
  page += disturbances(content) + environment(content) + spec_section(content);
  page +=
      "<h2 id=\"definitions\">Definitions</h2>\n<details><summary>What each number is, and where "
      "it is counted</summary>\n" +
      definitions() + "</details>\n";

  constexpr size_t kNote = 600;
  const std::string tail = fmt::format("</main>\n<script>{}</script>\n</body></html>\n", kScript);
  const size_t used = page.size() + kNote + tail.size();
  const Copy copy = copy_of(report, json, used < max_bytes ? max_bytes - used : 0);
  return page + copy_note(copy) + copy.element + tail;
}

}  // namespace gilscope
