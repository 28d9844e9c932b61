#include "tools/analysis/cpu_lines.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace gilscope {
namespace {

using Value = std::optional<double>;

struct CpuRuns {
  std::vector<double> on_cpu, wakeups, migrations, failed, wasted;

  void add(const Run& run, const CpuTrace& cpu) {
    const double window = double(run.window_ns.value_or(run.wall_ns));
    if (cpu.observed && window > 0) on_cpu.push_back(double(cpu.on_cpu_ns) / window);
    wakeups.push_back(double(cpu.wakeups.ran));
    migrations.push_back(double(cpu.migrations.wakeup + cpu.migrations.preempt));
    failed.push_back(double(cpu.failed.contended + cpu.failed.woken_lost + cpu.failed.timed_out));
    if (cpu.wakeups.ran) {
      wasted.push_back(double(cpu.wasted_wakeups) / double(cpu.wakeups.ran));
    }
  }
};

bool touched(const CpuTrace& cpu) {
  return cpu.segments > 0 || cpu.acquires > 0 || cpu.wakeups.ran > 0;
}

std::vector<CpuLine> lines_of(const Cell& cell) {
  std::map<int, CpuRuns> by_cpu;
  std::map<int, bool> used;
  for (const Run& run : cell.runs) {
    if (!measured(run) || !run.traced()) continue;
    for (const CpuTrace& cpu : run.cpus) {
      by_cpu[cpu.cpu].add(run, cpu);
      used[cpu.cpu] = used[cpu.cpu] || touched(cpu);
    }
  }
  std::vector<CpuLine> lines;
  for (const auto& [cpu, runs] : by_cpu) {
    if (!used[cpu]) continue;
    lines.push_back({cpu, median(runs.on_cpu), median(runs.wakeups), median(runs.migrations),
                     median(runs.failed), median(runs.wasted)});
  }
  return lines;
}

// Sorts before others where it is larger.
std::pair<int, double> rank_of(const Summary& summary, const CellSummary& cell) {
  for (const PairSummary& pair : summary.pairs) {
    if (pair.threaded != &cell || !pair.slowdown) continue;
    if (pair.verdict == Verdict::undecided) return {0, 0};
    return {pair.verdict == Verdict::slower ? 2 : 1, std::fabs(std::log(*pair.slowdown))};
  }
  return {0, 0};
}

double busyness(const CpuLine& line) {
  return line.wakeups.value_or(0) + line.failed.value_or(0) + line.migrations.value_or(0);
}

void keep_the_busiest(std::vector<CpuLine>& lines, size_t most) {
  if (lines.size() <= most) return;
  std::ranges::stable_sort(lines, std::greater<>(), busyness);
  lines.resize(most);
  std::ranges::sort(lines, {}, &CpuLine::cpu);
}

}  // namespace

std::vector<CellLines> cpu_lines(const Summary& summary) {
  const bool any_threaded = std::ranges::any_of(summary.cells, [](const CellSummary& cell) {
    return cell.runs > 0 && cell.cell->arrangement == "threaded";
  });
  std::vector<CellLines> all;
  for (const CellSummary& cell : summary.cells) {
    if (!cell.traced || (any_threaded && cell.cell->arrangement != "threaded")) continue;
    CellLines lines{&cell, lines_of(*cell.cell)};
    if (!lines.lines.empty()) all.push_back(std::move(lines));
  }
  std::ranges::stable_sort(all, std::greater<>(),
                           [&](const CellLines& lines) { return rank_of(summary, *lines.cell); });
  return all;
}

CpuSelection selected(std::vector<CellLines> all, size_t most) {
  CpuSelection selection;
  std::vector<size_t> wanted(all.size());
  size_t left = std::max<size_t>(most, 1);
  // A few lines of each cell before all lines of the first.
  for (const size_t few : {size_t(2), size_t(4), size_t(8), SIZE_MAX}) {
    for (size_t i = 0; i < all.size(); ++i) {
      const size_t more = std::min(left, std::min(all[i].lines.size(), few) - wanted[i]);
      wanted[i] += more;
      left -= more;
    }
  }
  for (size_t i = 0; i < all.size(); ++i) {
    if (wanted[i] == 0) {
      ++selection.cells_left_out;
      continue;
    }
    selection.cpus_left_out += all[i].lines.size() - wanted[i];
    keep_the_busiest(all[i].lines, wanted[i]);
    selection.cells.push_back(std::move(all[i]));
  }
  // In the report's order again.
  std::ranges::sort(selection.cells, {}, [](const CellLines& lines) { return lines.cell; });
  return selection;
}

}  // namespace gilscope
