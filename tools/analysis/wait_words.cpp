#include "tools/analysis/wait_words.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/analysis/lock_name.h"
#include "tools/analysis/subject_words.h"

namespace gilscope {
namespace {

// Of the window: a pair that waits for less has no reason to complain.
constexpr double kHardly = 0.001;
// A share of a pair's time; less goes without saying.
constexpr double kWorthSaying = 0.1, kMost = 0.5;
// More of it may be uncertain than this, and a sentence says so.
constexpr double kNearlyCertain = 0.01;

std::string quoted_name(const std::vector<std::string>& names, uint32_t slot) {
  return slot < names.size() ? "`" + names[slot] + "`" : fmt::format("thread {}", slot);
}

std::string time_of(uint64_t ns, size_t runs) {
  return duration(double(ns) / double(std::max<size_t>(runs, 1))).text();
}

// "0.90 s of that `worker-1` was preempted, 0.10 s asleep"
std::string owner_spent(const PairWaits& waits, const std::string& owner, size_t runs) {
  const double all = double(waits.total().ns);
  std::vector<std::pair<uint64_t, const char*>> parts{
      {waits.of(OwnerWas::preempted).ns, "preempted"}, {waits.of(OwnerWas::asleep).ns, "asleep"}};
  std::erase_if(parts, [&](const auto& part) { return double(part.first) < kWorthSaying * all; });
  if (parts.empty()) return owner + " ran meanwhile";
  std::ranges::stable_sort(parts, std::greater<>());
  std::string text =
      fmt::format("{} of that {} was {}", time_of(parts[0].first, runs), owner, parts[0].second);
  if (parts.size() > 1) {
    text += fmt::format(" and {} {}", time_of(parts[1].first, runs), parts[1].second);
  }
  return text;
}

}  // namespace

std::string worst_pair(const WaitMatrix& waits, const std::vector<std::string>& names,
                       const std::string& lock, size_t runs) {
  const auto worst = waits.worst();
  if (!worst) return "";
  const WaitTime all = worst->waits.total();
  const bool certain = double(all.bounded_ns) <= kNearlyCertain * double(all.ns);
  const std::string waiter = quoted_name(names, worst->waiter),
                    owner = quoted_name(names, worst->owner);
  const std::string sure =
      all.exact_ns() ? time_of(all.exact_ns(), runs) : std::string("none of it");
  std::string text =
      fmt::format("{} waited {}{}{}{} for {} while {} held it", waiter, certain ? "" : "about ",
                  time_of(all.ns, runs), runs > 1 ? " a run" : "",
                  certain ? "" : fmt::format(" ({} for certain)", sure), lock, owner);
  text += ": " + owner_spent(worst->waits, owner, runs);
  const uint64_t runnable = worst->waits.of(WaiterWas::runnable).ns;
  if (double(runnable) >= kMost * double(all.ns)) {
    text += fmt::format("; for {} {} itself could have run and had no CPU", time_of(runnable, runs),
                        waiter);
  }
  return text + ".";
}

std::string worst_pair(const Cell& cell, const CellFindings* found, const Times& times) {
  if (!found || times.emulated || !doubt_of(cell).empty()) return "";
  const TraceFindings& sum = found->sum;
  const auto worst = sum.waits.worst();
  if (!worst || double(worst->waits.total().ns) < kHardly * double(sum.span_ns)) return "";
  std::string text = worst_pair(sum.waits, thread_names(*found), lock_name(cell), sum.runs);
  if (sum.dropped) {
    text += fmt::format(" That has holes: {} dropped.", Wording::number_of(sum.dropped, "record"));
  }
  return text;
}

std::string worst_pair(const Report& report, const ReportFindings& trace, const Wording& wording,
                       const Times& times) {
  const Cell* worst_cell = nullptr;
  double most = 0;
  size_t cells = 0;
  for (const Cell& cell : report.cells) {
    const CellFindings* found = trace.of(report, cell);
    if (!found || found->sum.waits.empty()) continue;
    ++cells;
    const auto worst = found->sum.waits.worst();
    const double ns = worst ? double(worst->waits.total().ns) / double(found->sum.runs) : 0;
    if (ns > most) most = ns, worst_cell = &cell;
  }
  if (!worst_cell) return "";
  const std::string text = worst_pair(*worst_cell, trace.of(report, *worst_cell), times);
  if (text.empty()) return "";
  return cells > 1 ? fmt::format("{}: {}", wording.cell(*worst_cell), text) : text;
}

std::vector<std::string> thread_names(const CellFindings& found) {
  return found.runs.empty() ? std::vector<std::string>() : thread_names(*found.runs[0].first);
}

WaitLines wait_lines(const CellFindings& found, size_t most) {
  const WaitMatrix& waits = found.sum.waits;
  const std::vector<std::string> names = thread_names(found);
  const auto name = [&](uint32_t slot) {
    return slot < names.size() ? names[slot] : fmt::format("thread {}", slot);
  };
  WaitLines all;
  for (const WaitMatrix::Worst& pair : waits.pairs()) {
    if (all.lines.size() < most) {
      all.lines.push_back({name(pair.waiter), name(pair.owner), pair.waits});
    } else {
      all.pairs_left_out += 1;
      all.left_out += pair.waits;
    }
  }
  for (const WaitMatrix::Row& row : waits.rows()) {
    all.left_out += row.others;
    for (size_t way = 0; way < kWaiterWays; ++way) all.nobody_ns[way] += row.nobody_ns[way];
  }
  return all;
}

std::array<uint64_t, 8> columns_of(const PairWaits& waits) {
  const WaitTime all = waits.total();
  return {all.ns,
          all.exact_ns(),
          waits.of(WaiterWas::asleep).ns,
          waits.of(WaiterWas::runnable).ns,
          waits.of(WaiterWas::running).ns,
          waits.of(OwnerWas::running).ns,
          waits.of(OwnerWas::preempted).ns,
          waits.of(OwnerWas::asleep).ns};
}

}  // namespace gilscope
