#include "tools/analysis/summary.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "tools/analysis/judgement.h"
#include "tools/analysis/rates.h"

namespace gilscope {
namespace {

using Runs = std::vector<const gilscope::Run*>;

bool left_out(const Run& run) {
  return run.status == "done" && !run.warmup && run.disturbed();
}

void count_disturbances(const Run& run, DisturbanceSummary& disturbances) {
  if (left_out(run)) ++disturbances.runs;
  for (const Disturbance& result : run.disturbances) {
    DisturbanceSummary::Kind& kind = disturbances.by_kind[result.kind];
    kind.limit = result.limit;
    kind.worst = std::max(kind.worst, result.value.value_or(0));
    ++(result.value ? kind.hits : kind.not_judged);
  }
}

Runs measured_runs(const Cell& cell, bool traced) {
  Runs runs;
  for (const Run& run : cell.runs) {
    if (measured(run) && run.traced() == traced) runs.push_back(&run);
  }
  return runs;
}

double window_ns(const Run& run) {
  return double(run.window_ns.value_or(run.wall_ns));
}

// The median of `value` over the items; items without a value take no part.
template <typename Item, typename Value>
std::optional<double> median_of(const std::vector<Item>& items, Value value) {
  std::vector<double> values;
  for (const Item& item : items) {
    if (const std::optional<double> v = value(item)) values.push_back(*v);
  }
  return median(std::move(values));
}

std::optional<double> ratio(std::optional<uint64_t> part, double whole) {
  if (!part || whole <= 0) return std::nullopt;
  return double(*part) / whole;
}

// Wall times of two runs of the same block, for every block that has both.
template <typename Of>
std::vector<BlockPair> pair_by_block(const Runs& numerator, const Runs& denominator, Of same) {
  std::map<int, BlockPair> pairs;
  for (const Run* above : numerator) {
    for (const Run* below : denominator) {
      if (above->block != below->block || !same(*above, *below)) continue;
      pairs.try_emplace(above->block,
                        BlockPair{above->block, double(below->wall_ns), double(above->wall_ns)});
      break;
    }
  }
  std::vector<BlockPair> in_order;
  for (const auto& [block, pair] : pairs) in_order.push_back(pair);
  return in_order;
}

// Time an operation, for every block that has both: the wall time of runs that are bounded by time
// is set, traced or not.
std::vector<BlockPair> pair_of_operations(const Runs& traced, const Runs& untraced) {
  const auto rate = [](const Run& run) {
    const auto found = run.workload.find("operations_per_s");
    return found == run.workload.end() ? 0 : found->second;
  };
  std::map<int, BlockPair> pairs;
  for (const Run* with : traced) {
    for (const Run* without : untraced) {
      if (with->block != without->block) continue;
      if (rate(*with) > 0 && rate(*without) > 0) {
        pairs.try_emplace(with->block,
                          BlockPair{with->block, 1e9 / rate(*without), 1e9 / rate(*with)});
      }
      break;
    }
  }
  std::vector<BlockPair> in_order;
  for (const auto& [block, pair] : pairs) in_order.push_back(pair);
  return in_order;
}

// The same estimate and interval as compare's of the same blocks.
std::optional<Effect> ratio_of(const std::vector<BlockPair>& blocks) {
  Side below{"the first", {}}, above{"the second", {}};
  for (const BlockPair& block : blocks) {
    below.values.push_back({block.block, block.sequential_ns});
    above.values.push_back({block.block, block.threaded_ns});
  }
  auto effect = paired_effect(below, above, Scale::ratio);
  return effect ? std::optional(std::move(*effect)) : std::nullopt;
}

void summarize_tracer(const Cell& cell, const Runs& traced, const Runs& untraced,
                      CellSummary& summary) {
  summary.tracer_effect =
      ratio_of(bounded_by_time(cell)
                   ? pair_of_operations(traced, untraced)
                   : pair_by_block(traced, untraced, [](const Run&, const Run&) { return true; }));
  if (const auto& effect = summary.tracer_effect) {
    summary.tracer_cost = effect->shown() - 1;
    if (const auto interval = effect->shown_interval()) {
      summary.tracer_cost_interval = Interval{interval->low - 1, interval->high - 1};
    }
  }
  double ns = 0, programs = 0, cpu_ns = 0;
  for (const Run& run : cell.runs) {
    if (run.status != "done" || !run.tracer_cost) continue;
    ns += double(run.tracer_cost->bpf_ns);
    programs += double(run.tracer_cost->bpf_runs);
    cpu_ns += double(run.wall_ns) * double(std::max<size_t>(1, cell.cpu_list.size()));
  }
  if (programs > 0) summary.program_ns = ns / programs;
  if (cpu_ns > 0) summary.program_share = ns / cpu_ns;
}

CellSummary summarize(const Cell& cell) {
  CellSummary summary;
  summary.cell = &cell;
  const Runs traced = measured_runs(cell, true), untraced = measured_runs(cell, false);
  const Runs& wall = untraced.empty() ? traced : untraced;
  const Runs& runs = traced.empty() ? untraced : traced;
  summary.runs = traced.size() + untraced.size();
  summary.disturbed =
      static_cast<size_t>(std::count_if(cell.runs.begin(), cell.runs.end(), left_out));
  summary.traced = !traced.empty();
  summary.wall_ns =
      median_of(wall, [](const Run* run) { return std::optional(double(run->wall_ns)); });
  summary.drop_requests_per_s = median_of(
      runs, [](const Run* run) { return ratio(run->gil.drop_requests, window_ns(*run) / 1e9); });
  summarize_tracer(cell, traced, untraced, summary);

  std::map<std::string, std::vector<double>> results;
  for (const Run* run : wall) {
    for (const auto& [key, value] : run->workload) results[key].push_back(value);
  }
  for (auto& [key, values] : results) summary.results[key] = *median(std::move(values));

  std::map<int, std::vector<CpuOfRun>> cpus;
  std::vector<double> wakeups, wasted;
  for (const Run* run : traced) {
    uint64_t ran = 0, lost = 0;
    for (const CpuTrace& cpu : run->cpus) {
      cpus[cpu.cpu].push_back({&cpu, window_ns(*run)});
      ran += cpu.wakeups.ran;
      lost += cpu.wasted_wakeups;
    }
    wakeups.push_back(double(ran));
    if (ran) wasted.push_back(double(lost) / double(ran));
  }
  summary.wakeups = median(wakeups);
  summary.wasted_share = median(wasted);
  for (const auto& [cpu, items] : cpus) summary.cpus.push_back(summarize(cpu, items));

  // Every run of a cell has the same threads in the same order.
  for (size_t t = 0;; ++t) {
    std::vector<const Thread*> threads;
    for (const Run* run : runs) {
      if (t < run->threads.size()) threads.push_back(&run->threads[t]);
    }
    if (threads.empty()) break;
    summary.threads.push_back(summarize(threads));
  }
  return summary;
}

void complete(PairSummary& pair) {
  const auto wall = [](const CellSummary* cell) {
    return cell ? cell->wall_ns : std::optional<double>();
  };
  pair.sequential_ns = wall(pair.sequential);
  pair.threaded_ns = wall(pair.threaded);
  if (!pair.sequential || !pair.threaded) return;
  // Untraced runs come first: the tracer's cost is no part of the slowdown.
  for (const bool traced : {false, true}) {
    pair.blocks = pair_by_block(measured_runs(*pair.threaded->cell, traced),
                                measured_runs(*pair.sequential->cell, traced),
                                [](const Run& a, const Run& b) { return a.trace == b.trace; });
    pair.traced = traced;
    if (!pair.blocks.empty()) break;
  }
  if (pair.blocks.empty()) return;
  std::vector<double> slowdowns;
  for (const BlockPair& block : pair.blocks) slowdowns.push_back(block.slowdown());
  pair.sequential_ns = median_of(
      pair.blocks, [](const BlockPair& block) { return std::optional(block.sequential_ns); });
  pair.threaded_ns = median_of(
      pair.blocks, [](const BlockPair& block) { return std::optional(block.threaded_ns); });
  pair.range = range(slowdowns);
  pair.effect = ratio_of(pair.blocks);
  if (!pair.effect) return;
  pair.slowdown = pair.effect->shown();
  pair.interval = pair.effect->shown_interval();
}

}  // namespace

bool measured(const Run& run) {
  return run.status == "done" && !run.warmup && run.wall_ns > 0 && !run.disturbed();
}

Summary::Summary(const Report& report) {
  times.emulated = std::ranges::any_of(report.environment, [](const Fact& fact) {
    return fact.key == "virtualization.emulated" && fact.value == decltype(fact.value)(true);
  });
  std::set<int> blocks, warmup;
  for (const Cell& cell : report.cells) {
    cells.push_back(summarize(cell));
    for (const Run& run : cell.runs) {
      ++runs;
      if (run.status == "failed") ++failed_runs;
      if (run.status != "done") continue;
      ++finished_runs;
      if (run.warmup || !run.disturbed()) (run.warmup ? warmup : blocks).insert(run.block);
      if (!run.warmup) {
        ++measured_runs;
        count_disturbances(run, disturbances);
      }
      if (!run.disturbed()) steal.add(run, cell.cpu_list.size());
      if (!run.lost) continue;
      ++lost.traced_runs;
      if (run.lost->segments) ++lost.runs_with_dropped;
      lost.sum.segments += run.lost->segments;
      lost.sum.discarded += run.lost->discarded;
      lost.sum.censored += run.lost->censored;
      lost.sum.untracked_threads += run.lost->untracked_threads;
      lost.sum.missed_switches += run.lost->missed_switches;
      lost.sum.recursion_misses += run.lost->recursion_misses;
      const uint64_t late = run.lost->window_late_ns.value_or(0);
      if (late) ++lost.runs_with_late_edges;
      lost.sum.window_late_ns = std::max(lost.sum.window_late_ns.value_or(0), late);  // the worst
    }
  }
  measured_blocks = int(blocks.size());
  warmup_blocks = int(warmup.size());

  using Key = std::tuple<std::string, std::string, int, std::string, std::string, std::string,
                         std::string, int>;
  std::map<Key, size_t> places;
  for (const CellSummary& cell : cells) {
    const Cell& c = *cell.cell;
    const Key key{c.policy,  c.workload,  c.threads,   c.cpus,
                  c.cpus_by, c.cpu_order, c.main_exit, c.pid()};
    const auto [place, fresh] = places.emplace(key, pairs.size());
    if (fresh) pairs.emplace_back();
    PairSummary& pair = pairs[place->second];
    (c.arrangement == "threaded" ? pair.threaded : pair.sequential) = &cell;
  }
  for (PairSummary& pair : pairs) complete(pair);
  rates = rate_pairs(cells);
  judge_ratios();
}

// Slowdowns and rates are one family; the tracer's costs are another, and take nothing from the
// first.
void Summary::judge_ratios() {
  constexpr size_t kMeasured = 0, kTracer = 1;
  std::vector<Question> questions;
  std::vector<Verdict*> verdicts;
  const auto ask = [&](const std::optional<Effect>& effect, size_t family, Better better,
                       Verdict& verdict) {
    if (!effect) return;
    Question& question = questions.emplace_back();
    question.effect = *effect;
    question.family = family;
    question.better = better;
    question.min_difference = 1;  // an operation a second
    verdicts.push_back(&verdict);
  };
  for (PairSummary& pair : pairs) ask(pair.effect, kMeasured, Better::lower, pair.verdict);
  for (RatePair& pair : rates) ask(pair.effect, kMeasured, Better::higher, pair.verdict);
  for (CellSummary& cell : cells) {
    ask(cell.tracer_effect, kTracer, Better::lower, cell.tracer_verdict);
  }
  const auto judged = judge_together(questions);
  for (size_t i = 0; judged && i < verdicts.size(); ++i) *verdicts[i] = judged->each[i].verdict;
}

std::optional<double> CellSummary::result(const std::string& key) const {
  const auto found = results.find(key);
  return found == results.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace gilscope
