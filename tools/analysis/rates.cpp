#include "tools/analysis/rates.h"

#include <map>
#include <tuple>

#include "userspace/base/term.h"

namespace gilscope {
namespace {

struct Place {
  uint64_t background = 0;
  std::string rest;  // the workload without its background and what that computes
};

std::optional<Place> place_of(const std::string& workload) {
  const auto term = parse_term(workload);
  if (!term) return {};
  std::optional<uint64_t> background;
  std::string rest = term->name;
  for (const Argument& argument : term->arguments) {
    if (argument.key == "background") {
      if (auto count = parse_count(argument.value)) background = *count;
    } else if (argument.key != "task") {
      rest += "," + argument.key + "=" + argument.value;
    }
  }
  if (!background) return {};
  return Place{*background, rest};
}

// Operations a second by block: of untraced runs, where there are any.
std::map<int, double> rates_of(const CellSummary& cell) {
  std::map<int, double> rates;
  for (const bool traced : {false, true}) {
    for (const Run& run : cell.cell->runs) {
      if (!measured(run) || run.traced() != traced) continue;
      const auto rate = run.workload.find("operations_per_s");
      if (rate != run.workload.end()) rates[run.block] = rate->second;
    }
    if (!rates.empty()) break;
  }
  return rates;
}

void complete(RatePair& pair) {
  const auto alone = rates_of(*pair.alone);
  Side a{"alone", {}}, b{"beside computing threads", {}};
  bool nothing_done = false;
  for (const auto& [block, rate] : rates_of(*pair.beside)) {
    const auto found = alone.find(block);
    if (found == alone.end() || found->second <= 0) continue;
    pair.ratios.push_back(rate / found->second);
    nothing_done = nothing_done || rate == 0;
    a.values.push_back({block, found->second});
    b.values.push_back({block, rate});
  }
  pair.ratio = median(pair.ratios);
  auto effect = paired_effect(a, b, nothing_done ? Scale::difference : Scale::ratio);
  if (!effect) return;
  pair.effect = std::move(*effect);
  if (nothing_done) return;
  pair.ratio = pair.effect->shown();
  pair.interval = pair.effect->shown_interval();
}

}  // namespace

std::vector<RatePair> rate_pairs(const std::vector<CellSummary>& cells) {
  using Key = std::tuple<std::string, std::string, std::string, int, std::string, std::string,
                         std::string, std::string>;
  const auto key_of = [](const Cell& c, const std::string& rest) {
    return Key{c.policy, rest,      c.arrangement, c.threads,
               c.cpus,   c.cpus_by, c.cpu_order,   c.main_exit};
  };
  std::map<Key, const CellSummary*> alone;
  for (const CellSummary& cell : cells) {
    if (cell.cell->subject) continue;
    const auto place = place_of(cell.cell->workload);
    if (place && place->background == 0) alone[key_of(*cell.cell, place->rest)] = &cell;
  }
  std::vector<RatePair> pairs;
  for (const CellSummary& cell : cells) {
    if (cell.cell->subject) continue;  // its command line is no workload of ours
    const auto place = place_of(cell.cell->workload);
    if (!place || place->background == 0) continue;
    const auto base = alone.find(key_of(*cell.cell, place->rest));
    if (base == alone.end()) continue;
    RatePair pair;
    pair.alone = base->second;
    pair.beside = &cell;
    pair.background = place->background;
    complete(pair);
    if (pair.ratio) pairs.push_back(std::move(pair));
  }
  return pairs;
}

}  // namespace gilscope
