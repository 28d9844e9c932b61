#include "tools/findings.h"

#include <fmt/format.h>

#include <cmath>

#include "tools/numbers.h"

namespace gilscope {
namespace {

// Nobody cares for less, either way.
constexpr double kAlike = 0.05;
// Below this, shares of a run's wakeups are shares of the start and the end.
constexpr double kFewWakeups = 20;

std::string spread(const Interval& interval) {
  return fmt::format("{:.2f}x to {:.2f}x", interval.low, interval.high);
}

// "1.4x slower", "4 % faster"
std::string how_much(double slowdown) {
  const bool slower = slowdown > 1;
  const double times = slower ? slowdown : 1 / slowdown;
  const char* word = slower ? "slower" : "faster";
  if (times >= 1.095) return fmt::format("{:.{}f}x {}", times, times < 9.95 ? 1 : 0, word);
  const double share = std::fabs(slowdown - 1) * 100;
  return fmt::format("{:.{}f} % {}", share, share < 0.95 ? 1 : 0, word);
}

std::string comparison(const PairSummary& pair, Finding::Kind kind) {
  switch (kind) {
    case Finding::Kind::slower:
    case Finding::Kind::faster:
      return how_much(*pair.slowdown) + " together than in sequence";
    case Finding::Kind::same:
      return fmt::format("as fast together as in sequence ({})", spread(*pair.interval));
    case Finding::Kind::undecided:
      break;
  }
  const std::string said = fmt::format("{:.2f}x as long together as in sequence", *pair.slowdown);
  if (pair.interval) {
    return fmt::format("{} (undecided: the interval is {})", said, spread(*pair.interval));
  }
  return fmt::format("{} ({}: too few to be sure)", said,
                     Wording::number_of(pair.blocks.size(), "block"));
}

// What its wakeups came to; empty where there is nothing to see.
std::string reason_in_counts(const CellSummary& cell) {
  if (!cell.traced || !cell.wakeups) return "";
  bool locked = false;
  for (const ThreadSummary& thread : cell.threads)
    locked = locked || thread.acquires.value_or(0) > 0;
  if (!locked || !cell.wasted_share) return "";
  if (*cell.wakeups < kFewWakeups) {
    const size_t wakeups = size_t(std::round(*cell.wakeups));
    return fmt::format("there {} only {} in a run", wakeups == 1 ? "was" : "were",
                       Wording::number_of(wakeups, "wakeup"));
  }
  const double share = *cell.wasted_share * 100;
  const std::string shown = share > 0 && share < 0.5 ? "less than 1" : fmt::format("{:.0f}", share);
  return shown + " % of its wakeups found the GIL taken again";
}

// What the kernel saw behind it; empty where it was not traced or there is nothing to see.
std::string reason(const CellSummary& cell) {
  if (!cell.traced || !cell.wakeups) return "";
  if (cell.drop_requests_per_s.value_or(0) >= 0.5) {
    // Here most wakeups are those of timed waits, which are meant to find the GIL taken and ask.
    return fmt::format("its threads asked for the GIL {} times a second",
                       count(std::round(*cell.drop_requests_per_s)).text());
  }
  return reason_in_counts(cell);
}

}  // namespace

const char* name_of(Finding::Kind kind) {
  switch (kind) {
    case Finding::Kind::slower:
      return "slower";
    case Finding::Kind::faster:
      return "faster";
    case Finding::Kind::same:
      return "same";
    case Finding::Kind::undecided:
      break;
  }
  return "undecided";
}

Finding::Kind judge(const PairSummary& pair) {
  if (!pair.interval) return Finding::Kind::undecided;
  if (!pair.interval->includes(1)) {
    return *pair.slowdown > 1 ? Finding::Kind::slower : Finding::Kind::faster;
  }
  const bool narrow = pair.interval->low > 1 - kAlike && pair.interval->high < 1 + kAlike;
  return narrow ? Finding::Kind::same : Finding::Kind::undecided;
}

namespace {

// "1/512 of", "73 % of", "1.2 times"
std::string fraction(double ratio) {
  if (ratio < 0.095) return fmt::format("1/{:.0f} of", 1 / ratio);
  if (ratio < 1.005) return fmt::format("{:.0f} % of", ratio * 100);
  return fmt::format("{:.2f} times", ratio);
}

// Pings come at set times, whatever becomes of them: it is how long they wait that differs.
std::string waiting(const RatePair& pair, const Wording& wording) {
  const Cell& cell = *pair.beside->cell;
  const auto latency = [](const CellSummary& summary, const char* key) {
    return duration(summary.result(key)).text();
  };
  return fmt::format(
      "On {} a ping waited {} under {} beside {}, and {} without (medians; 99th "
      "percentiles {} and {}).",
      Wording::cpus(cell), latency(*pair.beside, "latency_p50_ns"), wording.subject(cell),
      Wording::number_of(pair.background, "computing thread"),
      latency(*pair.alone, "latency_p50_ns"), latency(*pair.beside, "latency_p99_ns"),
      latency(*pair.alone, "latency_p99_ns"));
}

Finding finding_of(const RatePair& pair, const Wording& wording) {
  const auto operation = Wording::operation(*pair.beside->cell);
  if (operation.at_set_times) return {Finding::Kind::undecided, waiting(pair, wording)};
  const Cell& cell = *pair.beside->cell;
  const auto rate = [](const CellSummary& summary) {
    return count(summary.result("operations_per_s")).text();
  };
  Finding::Kind kind = Finding::Kind::undecided;
  if (pair.interval) {
    kind = pair.interval->includes(1) ? Finding::Kind::undecided
           : *pair.ratio < 1          ? Finding::Kind::slower
                                      : Finding::Kind::faster;
  }
  std::string sentence =
      fmt::format("On {} {} {} {} {} a second beside {}, {} its {} without", Wording::cpus(cell),
                  wording.subject(cell), operation.done, rate(*pair.beside), operation.noun,
                  Wording::number_of(pair.background, "computing thread"), fraction(*pair.ratio),
                  rate(*pair.alone));
  if (!pair.interval) {
    sentence +=
        fmt::format(" ({}: too few to be sure)", Wording::number_of(pair.ratios.size(), "block"));
  }
  const auto p50 = pair.beside->result("latency_p50_ns");
  const auto before = pair.alone->result("latency_p50_ns");
  if (p50 && before) {
    sentence += fmt::format(": its median latency is {} instead of {}", duration(p50).text(),
                            duration(before).text());
  }
  return {kind, sentence + "."};
}

}  // namespace

std::string claim_sentence(const Report& report, const Summary& summary) {
  if (report.claim.empty() || summary.times.emulated) return "";
  const auto kind = report.claim == "slower"   ? Finding::Kind::slower
                    : report.claim == "faster" ? Finding::Kind::faster
                                               : Finding::Kind::same;
  size_t held = 0, undecided = 0, all = 0;
  std::string factors;
  for (const PairSummary& pair : summary.pairs) {
    if (!pair.slowdown) continue;
    ++all;
    const Finding::Kind found = judge(pair);
    held += found == kind ? 1 : 0;
    undecided += found == Finding::Kind::undecided ? 1 : 0;
    factors += (factors.empty() ? "" : ", ") + fmt::format("{:.2f}x", *pair.slowdown);
    if (pair.interval) factors += fmt::format(" ({})", spread(*pair.interval));
  }
  const char* verdict = all == 0           ? "cannot be told, nothing having been measured"
                        : held == all      ? "REPRODUCED"
                        : undecided == all ? "UNDECIDED: it takes six blocks, or quieter ones"
                        : held > 0         ? "reproduced in part"
                                           : "NOT REPRODUCED";
  std::string text = fmt::format(
      "What this experiment set out to find, that threads together are "
      "{} in sequence: {}",
      report.claim == "same" ? "as fast as" : report.claim + " than", verdict);
  if (!factors.empty()) text += ": together it took " + factors + " as long";
  return text + ".";
}

namespace {

// Of emulated CPUs: what was counted, of each threaded cell.
std::vector<Finding> counted_findings(const Summary& summary, const Wording& wording) {
  std::vector<Finding> all;
  for (const CellSummary& cell : summary.cells) {
    const std::string why = cell.runs ? reason_in_counts(cell) : "";
    if (why.empty() || cell.cell->arrangement == "sequential") continue;
    all.push_back({Finding::Kind::undecided, fmt::format("On {} {}: {}.", Wording::cpus(*cell.cell),
                                                         wording.subject(*cell.cell), why)});
  }
  return all;
}

}  // namespace

std::vector<Finding> findings(const Summary& summary, const Wording& wording) {
  if (summary.times.emulated) return counted_findings(summary, wording);
  std::vector<Finding> all;
  for (const PairSummary& pair : summary.pairs) {
    if (!pair.slowdown) continue;
    const Finding::Kind kind = judge(pair);
    std::string sentence =
        fmt::format("On {} {} {} {}", Wording::cpus(pair.cell()), wording.subject(pair.cell()),
                    kind == Finding::Kind::undecided ? "took" : "ran", comparison(pair, kind));
    const std::string why = reason(*pair.threaded);
    sentence += why.empty() ? "." : ": " + why + ".";
    all.push_back({kind, std::move(sentence)});
  }
  for (const RatePair& pair : summary.rates) all.push_back(finding_of(pair, wording));
  return all;
}

}  // namespace gilscope
