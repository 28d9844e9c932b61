#include "tools/analysis/findings.h"

#include <fmt/format.h>

#include <cmath>

#include "tools/analysis/numbers.h"

namespace gilscope {
namespace {

// Shares of fewer wakeups than this say more of how a run starts and ends.
constexpr double kFewWakeups = 20;

std::string spread(const Interval& interval) {
  return fmt::format("{:.2f}x to {:.2f}x", interval.low, interval.high);
}

std::string how_much(double slowdown) {
  return distance(slowdown) + (slowdown > 1 ? " slower" : " faster");
}

std::string comparison(const PairSummary& pair) {
  switch (pair.verdict) {
    case Verdict::slower:
    case Verdict::faster:
      return how_much(*pair.slowdown) + " together than in sequence";
    case Verdict::same:
      return fmt::format("as fast together as in sequence ({})", spread(*pair.interval));
    default:
      break;
  }
  const std::string printed =
      fmt::format("{:.2f}x as long together as in sequence", *pair.slowdown);
  if (pair.interval) {
    return fmt::format("{} (undecided: the interval is {})", printed, spread(*pair.interval));
  }
  return fmt::format("{} ({}: too few to be sure)", printed,
                     Wording::number_of(pair.blocks.size(), "block"));
}

// The share of its wakeups that were wasted; empty where there is nothing to see.
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

// The kernel's side of it; empty where the cell was not traced or there is nothing to see.
std::string reason(const CellSummary& cell) {
  if (!cell.traced || !cell.wakeups) return "";
  if (cell.drop_requests_per_s.value_or(0) >= 0.5) {
    // Most wakeups here end timed waits, whose purpose is to find the GIL taken and ask for it.
    return fmt::format("its threads asked for the GIL {} times a second",
                       count(std::round(*cell.drop_requests_per_s)).text());
  }
  return reason_in_counts(cell);
}

}  // namespace

std::string distance(double factor) {
  const double times = factor > 1 ? factor : 1 / factor;
  if (times >= 1.095) return fmt::format("{:.{}f}x", times, times < 9.95 ? 1 : 0);
  const double share = std::fabs(factor - 1) * 100;
  return fmt::format("{:.{}f} %", share, share < 0.95 ? 1 : 0);
}

namespace {

// "1/512 of", "73 % of", "1.2 times"
std::string fraction(double ratio) {
  if (ratio <= 0) return "none of";
  if (ratio < 0.095) return fmt::format("1/{:.0f} of", 1 / ratio);
  if (ratio < 1.005) return fmt::format("{:.0f} % of", ratio * 100);
  return fmt::format("{:.2f} times", ratio);
}

// Pings are sent at set times, however many are answered: what differs is how long they wait.
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
  if (operation.at_set_times) return {Verdict::undecided, waiting(pair, wording), "", {}};
  const Cell& cell = *pair.beside->cell;
  const auto rate = [](const CellSummary& summary) {
    return count(summary.result("operations_per_s")).text();
  };
  std::string sentence =
      fmt::format("On {} {} {} {} {} a second beside {}, {} its {} without", Wording::cpus(cell),
                  wording.subject(cell), operation.done, rate(*pair.beside), operation.noun,
                  Wording::number_of(pair.background, "computing thread"), fraction(*pair.ratio),
                  rate(*pair.alone));
  if (pair.effect && !pair.effect->estimate.interval) {
    sentence +=
        fmt::format(" ({}: too few to be sure)", Wording::number_of(pair.ratios.size(), "block"));
  }
  const auto p50 = pair.beside->result("latency_p50_ns");
  const auto before = pair.alone->result("latency_p50_ns");
  if (p50 && before) {
    sentence += fmt::format(": its median latency is {} instead of {}", duration(p50).text(),
                            duration(before).text());
  }
  const std::string about =
      fmt::format("{} beside {} on {}", wording.subject(cell),
                  Wording::number_of(pair.background, "computing thread"), Wording::cpus(cell));
  const bool is_ratio = pair.ratio && *pair.ratio > 0;
  return {pair.verdict, sentence + ".", about,
          is_ratio ? std::optional(1 / *pair.ratio) : std::nullopt};
}

}  // namespace

std::string claim_sentence(const Report& report, const Summary& summary, size_t most) {
  if (report.claim.empty() || summary.times.emulated) return "";
  const auto kind = report.claim == "slower"   ? Verdict::slower
                    : report.claim == "faster" ? Verdict::faster
                                               : Verdict::same;
  size_t held = 0, undecided = 0, all = 0;
  std::string factors;
  for (const PairSummary& pair : summary.pairs) {
    if (!pair.slowdown) continue;
    ++all;
    held += pair.verdict == kind ? 1 : 0;
    undecided += pair.verdict == Verdict::undecided ? 1 : 0;
    factors += (factors.empty() ? "" : ", ") + fmt::format("{:.2f}x", *pair.slowdown);
    if (pair.interval) factors += fmt::format(" ({})", spread(*pair.interval));
  }
  const char* verdict = all == 0           ? "unknown, since nothing was measured"
                        : held == all      ? "REPRODUCED"
                        : undecided == all ? "UNDECIDED: it takes six blocks, or a quieter machine"
                        : held > 0         ? "reproduced in part"
                                           : "NOT REPRODUCED";
  std::string text = fmt::format(
      "What this experiment set out to find, that threads together are "
      "{} in sequence: {}",
      report.claim == "same" ? "as fast as" : report.claim + " than", verdict);
  if (all > most) text += fmt::format(" ({} of {} cells)", held, all);
  if (!factors.empty() && all <= most) text += ": together it took " + factors + " as long";
  return text + ".";
}

namespace {

// On emulated CPUs: the counts of each threaded cell.
std::vector<Finding> counted_findings(const Summary& summary, const Wording& wording) {
  std::vector<Finding> all;
  for (const CellSummary& cell : summary.cells) {
    const std::string why = cell.runs ? reason_in_counts(cell) : "";
    if (why.empty() || cell.cell->arrangement == "sequential") continue;
    all.push_back(
        {Verdict::undecided,
         fmt::format("On {} {}: {}.", Wording::cpus(*cell.cell), wording.subject(*cell.cell), why),
         "",
         {}});
  }
  return all;
}

}  // namespace

std::vector<Finding> findings(const Summary& summary, const Wording& wording) {
  if (summary.times.emulated) return counted_findings(summary, wording);
  std::vector<Finding> all;
  for (const PairSummary& pair : summary.pairs) {
    if (!pair.slowdown) continue;
    const std::string subject = wording.subject(pair.cell()), cpus = Wording::cpus(pair.cell());
    std::string sentence =
        fmt::format("On {} {} {} {}", cpus, subject,
                    pair.verdict == Verdict::undecided ? "took" : "ran", comparison(pair));
    const std::string why = reason(*pair.threaded);
    sentence += why.empty() ? "." : ": " + why + ".";
    all.push_back(
        {pair.verdict, std::move(sentence), fmt::format("{} on {}", subject, cpus), pair.slowdown});
  }
  for (const RatePair& pair : summary.rates) all.push_back(finding_of(pair, wording));
  return all;
}

size_t leading(const std::vector<Finding>& all) {
  size_t leading = 0;
  std::pair<bool, double> furthest = {false, 0};
  for (size_t i = 0; i < all.size(); ++i) {
    if (all[i].kind == Verdict::undecided || !all[i].factor) continue;
    const std::pair distance = {all[i].kind == Verdict::slower,
                                std::fabs(std::log(*all[i].factor))};
    if (distance > furthest) furthest = distance, leading = i;
  }
  return leading;
}

}  // namespace gilscope
