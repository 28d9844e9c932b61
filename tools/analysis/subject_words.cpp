#include "tools/analysis/subject_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "tools/analysis/lock_name.h"
#include "tools/analysis/wait_words.h"
#include "tools/analysis/wording.h"
#include "userspace/base/quote.h"

namespace gilscope {
namespace {

constexpr double kMost = 0.5, kNearlyAll = 0.9;
// Of the window: threads that wait for less of it have no reason to complain.
constexpr double kHardly = 0.001;
// A share of the time that threads waited; less goes without saying.
constexpr double kWorthSaying = 0.1;

double share(uint64_t part, uint64_t whole) {
  return whole ? double(part) / double(whole) : 0;
}

std::string in_percent(double share) {
  return fmt::format("{:.0f} %", share * 100);
}

std::string quoted_name(const std::string& name) {
  return "`" + name + "`";
}

// "running", "preempted 70 % of it and running 30 %"
std::string how_spent(const PairWaits& waits) {
  const uint64_t all = waits.total().ns;
  const auto part_of = [&](OwnerWas owner) { return share(waits.of(owner).ns, all); };
  std::vector<std::pair<double, const char*>> parts{{part_of(OwnerWas::running), "running"},
                                                    {part_of(OwnerWas::preempted), "preempted"},
                                                    {part_of(OwnerWas::asleep), "asleep"}};
  std::ranges::stable_sort(parts, std::greater<>(), &std::pair<double, const char*>::first);
  if (parts[0].first >= kNearlyAll) return parts[0].second;
  std::vector<std::string> said;
  for (const auto& [part, word] : parts) {
    if (part >= 0.005) said.push_back(fmt::format("{} {}", word, in_percent(part)));
  }
  return Wording::list(said) + " of it";
}

std::string names_of_waiters(const WaitMatrix& waits, const std::vector<std::string>& names) {
  const uint64_t waited = waits.waited_ns();
  for (size_t slot = 0; slot < waits.threads() && slot < names.size(); ++slot) {
    if (share(waits.waited_ns(slot), waited) > 0.995) return quoted_name(names[slot]);
  }
  return "Threads";
}

// "`compute` held it 94 % of that time, running"
std::string holders(const WaitMatrix& waits, const std::vector<std::string>& names) {
  const std::vector<PairWaits> owners = waits.owners();
  std::vector<size_t> slots(std::min(owners.size(), names.size()));
  std::iota(slots.begin(), slots.end(), size_t{0});
  const auto total = [&](size_t slot) { return owners[slot].total().ns; };
  std::ranges::stable_sort(slots, std::greater<>(), total);
  const uint64_t waited = waits.waited_ns();
  if (slots.empty() || total(slots[0]) == 0) return "";
  const auto named = [&](size_t slot) {
    return fmt::format("{} held it {}", quoted_name(names[slot]),
                       in_percent(share(total(slot), waited)));
  };
  if (share(total(slots[0]), waited) >= kMost) {
    return fmt::format("{} of that time, {}", named(slots[0]), how_spent(owners[slots[0]]));
  }
  std::vector<std::string> said{named(slots[0]) + " of that time"};
  for (size_t i = 1; i < slots.size() && i < 3; ++i) {
    const double part = share(total(slots[i]), waited);
    if (part >= kWorthSaying) {
      said.push_back(fmt::format("{} {}", quoted_name(names[slots[i]]), in_percent(part)));
    }
  }
  return fmt::format("{}; whoever held it was {}", Wording::list(said), how_spent(waits.total()));
}

// Why it was given up, as far as the failed attempts tell.
std::string failures(const CellSubject& subject, const GilCounts& gil, bool one_holder) {
  const uint64_t failed = gil.failed(), undecided = gil.undecided.value_or(0);
  if (failed == 0) return "";
  const std::string of_all = fmt::format("of {}", Wording::number_of(failed, "failed attempt"));
  if (share(gil.timed_out, failed) >= kMost) {
    const std::string counts = bounded(gil.timed_out, undecided) + " " + of_all;
    // Only here does a wait that ran out ask the holder to let go.
    if (subject.kind != "python" || !one_holder) return counts + " timed out";
    return fmt::format("it gave it up {} when a wait timed out ({})",
                       share(gil.timed_out, failed) >= kNearlyAll ? "only" : "mostly", counts);
  }
  if (share(gil.woken_lost, failed) >= kMost) {
    return fmt::format("woken threads found it taken again in {} {}",
                       bounded(gil.woken_lost, undecided), of_all);
  }
  return Wording::number_of(failed, "failed attempt");
}

std::string by_counts(const CellSubject& subject, const GilCounts& gil, const std::string& in_time,
                      const char* why) {
  const std::string lock = lock_name(subject);
  const uint64_t failed = gil.failed();
  if (failed == 0) return fmt::format("No thread had to sleep for {}{}.", lock, in_time);
  return fmt::format(
      "Threads had to sleep for {} {}{}; {} of these attempts timed out. Who held it "
      "meanwhile is {}.",
      lock, failed == 1 ? "once" : fmt::format("{} times", failed), in_time,
      bounded(gil.timed_out, gil.undecided.value_or(0)), why);
}

std::string where(const SubjectGil& gil) {
  const std::string object = printable(gil.object);
  if (gil.symbol.empty() && !object.starts_with('/')) return fmt::format("{:#x}", gil.offset);
  if (gil.symbol.empty()) return fmt::format("{}+{}", object, gil.offset);
  return fmt::format("{}+{} in {}", printable(gil.symbol), gil.offset, object);
}

}  // namespace

bool is_recording(const Cell& cell) {
  return cell.pid() != 0;
}

bool of_recordings(const Report& report) {
  return std::ranges::any_of(report.cells, is_recording);
}

const Run* subject_run(const Cell& cell) {
  if (!is_recording(cell)) return nullptr;
  const auto run = std::ranges::find(cell.runs, "done", &Run::status);
  return run == cell.runs.end() ? nullptr : &*run;
}

std::string subject_line(const CellSubject& subject) {
  std::string line = Wording::interpreter(subject) + ", ";
  if (subject.pid != 0) line += fmt::format("PID {}, ", subject.pid);
  if (!subject.gil) return line + "which runs without a GIL, " + printable(subject.executable);
  line += fmt::format("{} at {}, by {}", lock_noun(subject), where(*subject.gil),
                      printable(subject.gil->found_by));
  if (!subject.gil->confirmed_by.empty()) {
    line += ", confirmed by " + printable(subject.gil->confirmed_by);
  }
  if (const size_t others = subject.gils_of_others.size()) {
    line += fmt::format("; {} of its own, and the counts are of all together",
                        others == 1 ? "a sub-interpreter has a GIL"
                                    : fmt::format("{} sub-interpreters have a GIL each", others));
  }
  return line;
}

std::string doubt_of(const Cell& cell) {
  for (const Run& run : cell.runs) {
    if (cell.subject && run.status == "done" && !run.gil.doubt.empty()) {
      return printable(run.gil.doubt);
    }
  }
  return "";
}

std::string bounded(uint64_t count, uint64_t undecided) {
  return undecided ? fmt::format("{} to {}", count, count + undecided) : std::to_string(count);
}

std::string self_test(const Cell& cell) {
  const Run* run = cell.subject ? subject_run(cell) : nullptr;
  if (!run || !has_gil(cell) || !run->gil.doubt.empty()) return "";
  const GilCounts& gil = run->gil;
  if (!gil.waits_begun || !gil.unslept || !gil.sleeps || !gil.waits_begun_again) {
    return "No self-test: what its threads sleep on keeps no count of its own.";
  }
  return fmt::format(
      "Self-test: {} waits begun by glibc's own count = {} sleeps + {} unslept - {} begun again.",
      *gil.waits_begun, *gil.sleeps, *gil.unslept, *gil.waits_begun_again);
}

std::string counted_line(const Cell& cell) {
  const Run* run = cell.subject ? subject_run(cell) : nullptr;
  if (!run || !has_gil(cell)) return "";
  const GilCounts& gil = run->gil;
  const uint64_t undecided = gil.undecided.value_or(0);
  const auto known = [](const std::optional<uint64_t>& value) {
    return value ? std::to_string(*value) : "an unknown number";
  };
  const std::string& lock = cell.subject->lock;
  if (lock == "cond") {
    return fmt::format(
        "{} slept, and {} ended before another; stalled in a wakeup: {}. Nobody holds a condition, "
        "so no attempt fails.",
        Wording::number_of(gil.failed(), "wait"), known(gil.acquired_after_wait),
        known(gil.release_stalls));
  }
  if (!lock.empty()) {
    // Which attempts timed out is known: the rest bounds the others alone.
    return fmt::format(
        "{}: contended {}, woken_lost {}, timed_out {}{}. Acquired after a wait: {}.",
        Wording::number_of(gil.failed(), "failed attempt"), bounded(gil.contended, undecided),
        bounded(gil.woken_lost, undecided), gil.timed_out,
        undecided ? fmt::format(" ({} undecided)", undecided) : "", known(gil.acquired_after_wait));
  }
  return fmt::format(
      "{}: contended {}, woken_lost {}, timed_out {}{}. Acquired after a wait: {}; slept on the "
      "GIL's mutex: {}; stalled while giving it up: {}.",
      Wording::number_of(gil.failed(), "failed attempt"), bounded(gil.contended, undecided),
      bounded(gil.woken_lost, undecided), bounded(gil.timed_out, undecided),
      undecided ? fmt::format(" ({} undecided)", undecided) : "", known(gil.acquired_after_wait),
      known(gil.mutex_sleeps), known(gil.release_stalls));
}

std::string whose_fault(const Cell& cell, const CellFindings* found, const Times& times) {
  const Run* run = cell.subject ? subject_run(cell) : nullptr;
  if (!run || !run->gil.doubt.empty()) return "";
  const CellSubject& subject = *cell.subject;
  if (!subject.gil) {
    return fmt::format("{} ran without a GIL: its threads waited for none.",
                       Wording::interpreter(subject));
  }
  const uint64_t span = run->window_ns.value_or(run->wall_ns);
  const std::string in_time = times.emulated ? "" : " in " + duration(double(span)).text();
  if (!subject.gils_of_others.empty()) {
    return by_counts(subject, run->gil, in_time, "not told, since the process has several GILs");
  }
  const bool holes = found && found->sum.dropped;
  if (!found || holes || times.emulated || found->sum.waits.empty()) {
    return by_counts(subject, run->gil, in_time,
                     holes ? "known from segments alone, and records of this run were dropped"
                           : "known from segments alone, of which there are none here");
  }
  const WaitMatrix& waits = found->sum.waits;
  const uint64_t waited = waits.waited_ns();
  const std::vector<std::string> names = thread_names(*run);
  const std::string lock = lock_name(subject);
  const std::string head =
      fmt::format("waited {} for {}{}", duration(double(waited)).text(), lock, in_time);
  if (share(waited, span) < kHardly) {
    return waited ? fmt::format("Threads {}: hardly at all.", head)
                  : fmt::format("No thread waited for {}{}.", lock, in_time);
  }
  if (subject.lock == "cond") {
    return fmt::format("{} {}, in {}.", names_of_waiters(waits, names), head,
                       Wording::number_of(run->gil.failed(), "wait"));
  }
  std::vector<std::string> clauses;
  const std::string who = holders(waits, names);
  if (!who.empty()) clauses.push_back(who);
  const double free = share(waits.nobody_ns(), waited);
  if (free >= kWorthSaying) {
    clauses.push_back(fmt::format("{} of it nobody was seen to hold it", in_percent(free)));
  }
  const bool one_holder = std::ranges::any_of(waits.owners(), [&](const PairWaits& owner) {
    return share(owner.total().ns, waited) >= kMost;
  });
  const std::string why = failures(subject, run->gil, one_holder && free < kWorthSaying);
  if (!why.empty()) clauses.push_back(why);
  std::string sentence = names_of_waiters(waits, names) + " " + head;
  for (const std::string& clause : clauses) sentence += "; " + clause;
  sentence += ".";
  const auto worst = waits.worst();
  // Of one pair alone it is said already.
  if (!worst || share(worst->waits.total().ns, waited) >= kNearlyAll) return sentence;
  const std::string said = worst_pair(cell, found, times);
  return said.empty() ? sentence : sentence + " " + said;
}

std::vector<std::string> whose_faults(const Report& report, const ReportFindings& trace,
                                      const Times& times) {
  std::vector<std::pair<uint64_t, std::string>> all;
  for (const Cell& cell : report.cells) {
    const CellFindings* found = trace.of(report, cell);
    std::string sentence = whose_fault(cell, found, times);
    if (sentence.empty()) continue;
    if (report.cells.size() > 1 && is_recording(cell))
      sentence = fmt::format("PID {}: {}", cell.pid(), sentence);
    all.emplace_back(found ? found->sum.waits.waited_ns() : 0, std::move(sentence));
  }
  std::ranges::stable_sort(all, std::greater<>(), &std::pair<uint64_t, std::string>::first);
  std::vector<std::string> sentences;
  for (auto& [waited, sentence] : all) sentences.push_back(std::move(sentence));
  return sentences;
}

std::vector<std::string> doubts(const Report& report) {
  std::vector<std::string> lines;
  for (const Cell& cell : report.cells) {
    const std::string doubt = doubt_of(cell);
    if (doubt.empty()) continue;
    lines.push_back(fmt::format(
        "NOT TO BE BELIEVED: every number here that has to do with {} of {}. {}", lock_name(cell),
        is_recording(cell) ? fmt::format("PID {}", cell.pid()) : printable(cell.policy), doubt));
  }
  return lines;
}

std::string watched_line(const Cell& cell, const Times& times) {
  const Run* run = subject_run(cell);
  std::string line =
      fmt::format("{}; {} on {}", printable(cell.workload),
                  Wording::number_of(size_t(cell.threads), "thread"), Wording::cpus(cell));
  if (!run || times.emulated) return line;
  return fmt::format("{}, {} {}", line, bounded_by_time(cell) ? "watched for" : "to its end in",
                     duration(double(run->window_ns.value_or(run->wall_ns))).text());
}

std::vector<std::string> thread_names(const Run& run) {
  std::map<std::string, size_t> times;
  for (const Thread& thread : run.threads) ++times[thread.name];
  std::vector<std::string> names;
  for (const Thread& thread : run.threads) {
    std::string& name = names.emplace_back(printable(thread.name));
    if (times[thread.name] > 1 && thread.trace) name += fmt::format(" ({})", thread.trace->tid);
  }
  return names;
}

}  // namespace gilscope
