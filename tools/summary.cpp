#include "tools/summary.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "tools/rates.h"

namespace gilscope {
namespace {

using Runs = std::vector<const gilscope::Run*>;

bool left_out(const Run& run) {
  return run.status == "done" && !run.warmup && run.gated();
}

void add_gates(const Run& run, GateSummary& gates) {
  if (left_out(run)) ++gates.runs;
  for (const GateResult& result : run.gates) {
    GateSummary::Gate& gate = gates.by_gate[result.gate];
    gate.limit = result.limit;
    gate.worst = std::max(gate.worst, result.value.value_or(0));
    ++(result.value ? gate.hits : gate.not_judged);
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

// The median of what `value` yields for each item; items without one do not take part.
template <typename Item, typename Value>
std::optional<double> median_of(const std::vector<Item>& items, Value value) {
  std::vector<double> values;
  for (const Item& item : items) {
    if (const std::optional<double> v = value(item)) values.push_back(*v);
  }
  return median(std::move(values));
}

std::optional<double> ratio(uint64_t part, double whole) {
  if (whole <= 0) return std::nullopt;
  return double(part) / whole;
}

std::optional<double> ratio(std::optional<uint64_t> part, double whole) {
  if (!part) return std::nullopt;
  return ratio(*part, whole);
}

template <typename T>
std::optional<double> number(std::optional<T> value) {
  if (!value) return std::nullopt;
  return double(*value);
}

struct CoreOfRun {
  const Core* core;
  double window_ns;
};

CoreSummary summarize(int cpu, const std::vector<CoreOfRun>& items) {
  const auto each = [&](auto value) {
    return median_of(items, [&](const CoreOfRun& item) { return value(*item.core); });
  };
  const auto counted = [&](auto value) {
    return each([&](const Core& core) -> std::optional<double> { return double(value(core)); });
  };
  const auto share = [&](auto value) {
    return median_of(
        items, [&](const CoreOfRun& item) { return ratio(value(*item.core), item.window_ns); });
  };
  const auto per_s = [&](auto value) {
    return median_of(items, [&](const CoreOfRun& item) {
      return ratio(value(*item.core), item.window_ns / 1e9);
    });
  };

  CoreSummary summary;
  summary.cpu = cpu;
  summary.segments = counted([](const Core& c) { return c.segments; });
  summary.on_cpu_share =
      share([](const Core& c) { return c.observed ? std::optional(c.on_cpu_ns) : std::nullopt; });
  summary.idle_share = share([](const Core& c) { return c.idle_ns; });
  summary.foreign_share = share([](const Core& c) { return c.foreign_ns; });
  summary.waker = counted([](const Core& c) { return c.wakeups.waker; });
  summary.previous = counted([](const Core& c) { return c.wakeups.previous; });
  summary.placed = counted([](const Core& c) { return c.wakeups.placed; });
  summary.ran = counted([](const Core& c) { return c.wakeups.ran; });
  summary.migrations_wakeup = counted([](const Core& c) { return c.migrations.wakeup; });
  summary.migrations_preempt = counted([](const Core& c) { return c.migrations.preempt; });
  summary.acquires_per_s = per_s([](const Core& c) { return c.acquires; });
  summary.contended_per_s = per_s([](const Core& c) { return c.failed.contended; });
  summary.woken_lost_per_s = per_s([](const Core& c) { return c.failed.woken_lost; });
  summary.timed_out_per_s = per_s([](const Core& c) { return c.failed.timed_out; });
  summary.wasted_share =
      each([](const Core& c) { return ratio(c.wasted_wakeups, double(c.wakeups.ran)); });
  summary.holder_preempted = counted([](const Core& c) { return c.holder_preempted; });
  summary.drop_requests_per_s = median_of(items, [](const CoreOfRun& item) {
    return ratio(item.core->drop_requests, item.window_ns / 1e9);
  });
  for (const CoreOfRun& item : items) summary.histograms += item.core->histograms;
  return summary;
}

ThreadSummary summarize(const std::vector<const Thread*>& threads) {
  const auto each = [&](auto value) {
    return median_of(threads, [&](const Thread* thread) { return value(*thread); });
  };
  const auto traced = [&](auto value) {
    return each([&](const Thread& t) -> std::optional<double> {
      if (!t.trace) return std::nullopt;
      return number(std::optional(value(*t.trace)));
    });
  };
  // The same number, from the tracer where there is one, else from the kernel's own account.
  const auto either = [&](auto of_trace, auto of_usage) {
    return each([&](const Thread& t) -> std::optional<double> {
      if (t.trace) return double(of_trace(*t.trace));
      if (t.usage) return double(of_usage(*t.usage));
      return std::nullopt;
    });
  };
  const auto quantile = [&](double q) {
    return each([&](const Thread& t) -> std::optional<double> {
      if (!t.trace) return std::nullopt;
      return number(t.trace->histograms.wake_to_run.quantile_ns(q));
    });
  };
  using Trace = ThreadTrace;
  using Usage = ThreadUsage;
  using Perf = ThreadPerf;
  const auto counted = [&](auto value) {
    return each([&](const Thread& t) -> std::optional<double> {
      if (!t.perf) return std::nullopt;
      return number(value(*t.perf));
    });
  };

  ThreadSummary summary;
  summary.name = threads.front()->name;
  summary.on_cpu_ns =
      either([](const Trace& t) { return t.on_cpu_ns; }, [](const Usage& u) { return u.cpu_ns; });
  summary.voluntary_switches = either([](const Trace& t) { return t.voluntary_switches; },
                                      [](const Usage& u) { return u.voluntary_switches; });
  summary.involuntary_switches = either([](const Trace& t) { return t.involuntary_switches; },
                                        [](const Usage& u) { return u.involuntary_switches; });
  summary.wakeups = traced([](const Trace& t) { return t.wakeups; });
  summary.wasted_share = each([](const Thread& t) -> std::optional<double> {
    if (!t.trace) return std::nullopt;
    return ratio(t.trace->wasted_wakeups, double(t.trace->wakeups));
  });
  summary.migrations =
      traced([](const Trace& t) { return t.migrations_wakeup + t.migrations_preempt; });
  summary.acquires =
      each([](const Thread& t) -> std::optional<double> { return double(t.gil.acquires); });
  summary.failed =
      each([](const Thread& t) -> std::optional<double> { return double(t.gil.failed()); });
  summary.wake_to_run_p50_ns = quantile(0.50);
  summary.wake_to_run_p99_ns = quantile(0.99);
  for (const Thread* thread : threads) {
    if (thread->trace) summary.histograms += thread->trace->histograms;
  }
  summary.perf = std::ranges::any_of(threads, [](const Thread* t) { return t->perf.has_value(); });
  summary.perf_switches = counted([](const Perf& p) { return p.context_switches; });
  summary.perf_migrations = counted([](const Perf& p) { return p.migrations; });
  summary.cache_misses = counted([](const Perf& p) { return p.cache_misses; });
  summary.instructions_per_cycle = each([](const Thread& t) -> std::optional<double> {
    if (!t.perf || !t.perf->cycles) return std::nullopt;
    return ratio(t.perf->instructions, double(*t.perf->cycles));
  });
  return summary;
}

// Ratio of two runs of the same block, for every block that has both.
template <typename Of>
std::vector<BlockPair> pair_by_block(const Runs& numerator, const Runs& denominator, Of same) {
  std::vector<BlockPair> pairs;
  for (const Run* above : numerator) {
    for (const Run* below : denominator) {
      if (above->block != below->block || !same(*above, *below)) continue;
      pairs.push_back({above->block, double(below->wall_ns), double(above->wall_ns)});
      break;
    }
  }
  std::sort(pairs.begin(), pairs.end(),
            [](const BlockPair& a, const BlockPair& b) { return a.block < b.block; });
  return pairs;
}

// By how much longer an operation takes, for every block that has both: the wall time of runs that
// are bounded by time is a set one, traced or not.
std::vector<double> added_to_an_operation(const Runs& traced, const Runs& untraced) {
  const auto rate = [](const Run& run) {
    const auto found = run.workload.find("operations_per_s");
    return found == run.workload.end() ? 0 : found->second;
  };
  std::vector<double> added;
  for (const Run* with : traced) {
    for (const Run* without : untraced) {
      if (with->block != without->block) continue;
      if (rate(*with) > 0 && rate(*without) > 0) added.push_back(rate(*without) / rate(*with) - 1);
      break;
    }
  }
  return added;
}

void summarize_tracer(const Cell& cell, const Runs& traced, const Runs& untraced,
                      CellSummary& summary) {
  std::vector<double> added;
  if (bounded_by_time(cell)) {
    added = added_to_an_operation(traced, untraced);
  } else {
    for (const BlockPair& pair :
         pair_by_block(traced, untraced, [](const Run&, const Run&) { return true; })) {
      added.push_back(pair.slowdown() - 1);
    }
  }
  summary.tracer_cost_interval = median_interval(added);
  summary.tracer_cost = median(std::move(added));
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
  summary.gated = static_cast<size_t>(std::count_if(cell.runs.begin(), cell.runs.end(), left_out));
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

  std::map<int, std::vector<CoreOfRun>> cores;
  std::vector<double> wakeups, wasted;
  for (const Run* run : traced) {
    uint64_t ran = 0, lost = 0;
    for (const Core& core : run->cores) {
      cores[core.cpu].push_back({&core, window_ns(*run)});
      ran += core.wakeups.ran;
      lost += core.wasted_wakeups;
    }
    wakeups.push_back(double(ran));
    if (ran) wasted.push_back(double(lost) / double(ran));
  }
  summary.wakeups = median(wakeups);
  summary.wasted_share = median(wasted);
  for (const auto& [cpu, items] : cores) summary.cores.push_back(summarize(cpu, items));

  // A run's threads are the same ones in the same order in each run of a cell.
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
  // Untraced runs where there are any: the tracer's cost is no part of the slowdown.
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
  pair.slowdown = median(slowdowns);
  pair.range = range(slowdowns);
  pair.interval = median_interval(slowdowns);
}

}  // namespace

bool measured(const Run& run) {
  return run.status == "done" && !run.warmup && run.wall_ns > 0 && !run.gated();
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
      if (run.warmup || !run.gated()) (run.warmup ? warmup : blocks).insert(run.block);
      if (!run.warmup) {
        ++measured_runs;
        add_gates(run, gates);
      }
      if (!run.gated()) steal.add(run, cell.cpu_list.size());
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

  using Key =
      std::tuple<std::string, std::string, int, std::string, std::string, std::string, std::string>;
  std::map<Key, size_t> places;
  for (const CellSummary& cell : cells) {
    const Cell& c = *cell.cell;
    const Key key{c.policy, c.workload, c.threads, c.cpus, c.cpus_by, c.cpu_order, c.main_exit};
    const auto [place, fresh] = places.emplace(key, pairs.size());
    if (fresh) pairs.emplace_back();
    PairSummary& pair = pairs[place->second];
    (c.arrangement == "threaded" ? pair.threaded : pair.sequential) = &cell;
  }
  for (PairSummary& pair : pairs) complete(pair);
  rates = rate_pairs(cells);
}

std::optional<double> CellSummary::result(const std::string& key) const {
  const auto found = results.find(key);
  return found == results.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace gilscope
