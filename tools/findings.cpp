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

// What the kernel saw behind it; empty where it was not traced or there is nothing to see.
std::string reason(const CellSummary& cell) {
  if (!cell.traced || !cell.wakeups) return "";
  if (cell.drop_requests_per_s.value_or(0) >= 0.5) {
    // Here most wakeups are those of timed waits, which are meant to find the GIL taken and ask.
    return fmt::format("its threads asked for the GIL {} times a second",
                       count(std::round(*cell.drop_requests_per_s)).text());
  }
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

}  // namespace

Finding::Kind judge(const PairSummary& pair) {
  if (!pair.interval) return Finding::Kind::undecided;
  if (!pair.interval->includes(1)) {
    return *pair.slowdown > 1 ? Finding::Kind::slower : Finding::Kind::faster;
  }
  const bool narrow = pair.interval->low > 1 - kAlike && pair.interval->high < 1 + kAlike;
  return narrow ? Finding::Kind::same : Finding::Kind::undecided;
}

std::vector<Finding> findings(const Summary& summary, const Wording& wording) {
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
  return all;
}

}  // namespace gilscope
