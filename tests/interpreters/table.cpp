#include "tests/interpreters/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <vector>

namespace gilscope::witness {
namespace {

constexpr const char* kLine =
    "{:<10} {:<13} {:>6} {:>11} {:>7} {:>6} {:>11} {:>16} {:>5} {:>16} {:>5} {:>12} {:>6} {:>12}\n";

std::string text(const Ours::Count& count) {
  return count ? fmt::to_string(*count) : "-";
}

std::string text(const Kinds& kinds) {
  return fmt::format("{}/{}/{}", kinds.contended, kinds.woken_lost, kinds.timed_out);
}

std::string line_of(const Row& row) {
  const Ours& ours = row.ours;
  const Seen& theirs = row.most;
  return fmt::format(
      fmt::runtime(kLine), row.program, row.interpreter, text(ours.sleeps),
      range(row.least.sleeps, theirs.sleeps), theirs.unslept_calls(), text(ours.waits_begun),
      range(row.least.waits, theirs.waits),
      fmt::format("{}/{}/{}", text(ours.contended), text(ours.woken_lost), text(ours.timed_out)),
      text(ours.undecided), text(ours.waits_begun ? theirs.kinds : theirs.kinds_slept),
      text(ours.unslept), fmt::format("{}/{}", text(ours.mutex_sleeps), theirs.mutex_sleeps),
      text(ours.release_stalls),
      fmt::format("{}/{}", ours.holder_preempted, theirs.holder_preempted));
}

}  // namespace

std::string range(uint64_t least, uint64_t most) {
  return least == most ? fmt::to_string(most) : fmt::format("{}-{}", least, most);
}

void add_row(const Row& row) {
  static std::vector<std::string> lines;
  const char* path = std::getenv("GILSCOPE_WITNESS_TABLE");
  if (!path) return;
  lines.push_back(line_of(row));
  std::ranges::sort(lines);
  std::ofstream file(path);
  file << "Real interpreters: gilscope's report against a witness of the same seconds.\n"
          "sleeps: for the GIL, ours, and by system calls; never slept: calls that returned at "
          "once.\n"
          "waits: growth of the condition's own count, and calls of pthread_cond_timedwait by "
          "uprobes.\n"
          "kinds: contended/woken_lost/timed_out, ours, with those undecided (und.) and unslept "
          "(uns.), and by uprobes; 2.7: "
          "of those that slept.\n"
          "mutex: sleeps for the GIL's mutex, ours/theirs. preempted: while holding it, "
          "ours/theirs.\n\n"
       << fmt::format(fmt::runtime(kLine), "program", "interpreter", "sleeps", "theirs", "at once",
                      "waits", "theirs", "kinds", "und.", "theirs", "unslept", "mutex", "stalls",
                      "preempted");
  for (const std::string& line : lines) file << line;
}

}  // namespace gilscope::witness
