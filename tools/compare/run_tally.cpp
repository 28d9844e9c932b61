#include "tools/compare/run_tally.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/analysis/fact_text.h"
#include "tools/analysis/summary.h"
#include "tools/analysis/wording.h"
#include "userspace/base/quote.h"

namespace gilscope {
namespace {

constexpr size_t kWordsShown = 3;

void add(std::map<std::string, size_t>& sum, const std::map<std::string, size_t>& more) {
  for (const auto& [words, n] : more) sum[words] += n;
}

// The most frequent entries, with their numbers where there are several.
std::string listed(const std::map<std::string, size_t>& counts, size_t runs) {
  std::vector<std::pair<std::string, size_t>> sorted(counts.begin(), counts.end());
  std::ranges::stable_sort(sorted, std::greater<>(), &std::pair<std::string, size_t>::second);
  std::vector<std::string> parts;
  for (size_t i = 0; i < std::min(sorted.size(), kWordsShown); ++i) {
    const auto& [words, n] = sorted[i];
    parts.push_back(shortened(words) + (n == runs ? "" : fmt::format(" x {}", n)));
  }
  if (sorted.size() > kWordsShown) {
    parts.push_back(fmt::format("{} more", sorted.size() - kWordsShown));
  }
  return Wording::list(parts);
}

struct Part {
  size_t runs;
  std::string what;  // "failed (...)", of one and of several runs
};

std::vector<Part> parts_of(const RunTally& tally) {
  const auto be = [](size_t n) { return n == 1 ? "was" : "were"; };
  std::vector<Part> parts;
  if (tally.failed) {
    parts.push_back(
        {tally.failed, fmt::format("failed ({})", listed(tally.failures, tally.failed))});
  }
  if (tally.interrupted) {
    parts.push_back({tally.interrupted, fmt::format("{} interrupted", be(tally.interrupted))});
  }
  if (tally.not_run)
    parts.push_back({tally.not_run, fmt::format("{} never run", be(tally.not_run))});
  if (tally.disturbed) {
    parts.push_back({tally.disturbed, fmt::format("{} left out by limits ({})", be(tally.disturbed),
                                                  listed(tally.disturbances, tally.disturbed))});
  }
  return parts;
}

}  // namespace

RunTally& RunTally::operator+=(const RunTally& other) {
  planned += other.planned;
  compared += other.compared;
  disturbed += other.disturbed;
  failed += other.failed;
  interrupted += other.interrupted;
  not_run += other.not_run;
  add(disturbances, other.disturbances);
  add(failures, other.failures);
  return *this;
}

RunTally CellRuns::all() const {
  RunTally sum = untraced;
  sum += traced;
  return sum;
}

CellRuns tally_of(const Cell& cell, const PlannedRuns& planned) {
  CellRuns runs;
  size_t there_untraced = 0, there_traced = 0;
  for (const Run& run : cell.runs) {
    if (run.warmup) continue;
    RunTally& tally = run.traced() ? runs.traced : runs.untraced;
    ++(run.traced() ? there_traced : there_untraced);
    if (measured(run)) {
      ++tally.compared;
      (run.traced() ? runs.traced_blocks : runs.untraced_blocks).push_back(run.block);
    } else if (run.status == "done" && run.disturbed()) {
      ++tally.disturbed;
      for (const Disturbance& found : run.disturbances) {
        if (found.value) ++tally.disturbances[printable(found.kind)];
      }
    } else if (run.status == "interrupted") {
      ++tally.interrupted;
    } else {
      ++tally.failed;
      const std::string words = run.status == "done" ? "it took no time" : printable(run.failure);
      ++tally.failures[words.empty() ? "the report does not say why" : words];
    }
  }
  const auto complete = [&](RunTally& tally, bool wanted, size_t there) {
    tally.planned = std::max(wanted || there ? planned.blocks : 0, there);
    tally.not_run = tally.planned - there;
  };
  complete(runs.untraced, planned.untraced, there_untraced);
  complete(runs.traced, planned.traced, there_traced);
  return runs;
}

std::string loss_text(const RunTally& tally, const std::string& kind) {
  const std::vector<Part> parts = parts_of(tally);
  if (parts.empty()) return "";
  const std::string runs = Wording::number_of(tally.planned, kind + "run");
  if (parts.size() == 1) {
    return fmt::format("{} of {} {}", parts.front().runs, runs, parts.front().what);
  }
  std::vector<std::string> texts;
  for (const Part& part : parts) texts.push_back(fmt::format("{} {}", part.runs, part.what));
  return fmt::format("of {} {}", runs, Wording::list(texts));
}

std::string loss_text(const RunTally& untraced, const RunTally& traced) {
  const bool both = untraced.planned > 0 && traced.planned > 0;
  if (both && untraced.compared == 0 && traced.compared == 0) {
    RunTally all = untraced;
    all += traced;
    return loss_text(all, "");
  }
  std::string text = loss_text(untraced, both ? "untraced " : "");
  const std::string second = loss_text(traced, both ? "traced " : "");
  if (!text.empty() && !second.empty()) text += "; ";
  return text + second;
}

}  // namespace gilscope
