#include "tools/text/live_picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "tools/analysis/numbers.h"
#include "tools/text/table.h"
#include "userspace/base/quote.h"

namespace gilscope {
namespace {

using Process = Picture::Process;
using Thread = Picture::Thread;

constexpr const char* kKeys = "q quit  p pause  s sort  n next process";

class Drawing {
 public:
  Drawing(const Picture& picture, const PictureLayout& layout)
      : picture_(picture), layout_(layout) {}

  std::vector<std::string> lines();

 private:
  const Process* shown() const;
  void head(const Process& process);
  void lock(const Process& process);
  void waits(const Process& process);
  void cpus(const Process& process, size_t most);
  void threads(const Process& process, size_t most);
  void foot(std::vector<std::string>& lines) const;
  void add(const Table& table);
  void say(const std::string& line) { lines_.push_back(fitted(line)); }
  // Cut to the terminal's width, and to what it can show.
  std::string fitted(const std::string& line) const;

  double per_s(uint64_t number) const {
    return picture_.span_ns
               ? static_cast<double>(number) * 1e9 / static_cast<double>(picture_.span_ns)
               : 0;
  }
  std::string rate(uint64_t number) const { return count(per_s(number)).text() + "/s"; }
  std::string of_a_second(uint64_t ns) const { return duration(per_s(ns)).text(); }
  size_t room() const {
    return layout_.height > 0 ? static_cast<size_t>(layout_.height) : SIZE_MAX;
  }

  const Picture& picture_;
  const PictureLayout& layout_;
  std::vector<std::string> lines_;
};

std::string thread_text(const ThreadName& thread) {
  return fmt::format("{} ({})", thread.name, thread.tid);
}

std::string noun(const Process& process) {
  return process.subject && !process.subject->lock.empty() ? process.subject->lock : "GIL";
}

std::string Drawing::fitted(const std::string& line) const {
  std::string text;
  const size_t width = static_cast<size_t>(std::max(layout_.width, 1));
  size_t taken = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    const auto byte = static_cast<unsigned char>(line[i]);
    const bool continues = (byte & 0xc0) == 0x80;
    if (!continues && taken++ == width) break;
    if (byte < 0x80 || layout_.utf8) {
      text += line[i];
    } else if (!continues) {
      text += '?';
    }
  }
  return text;
}

const Process* Drawing::shown() const {
  if (picture_.processes.empty()) return nullptr;
  const auto chosen = std::ranges::find(picture_.processes, layout_.process, &Process::pid);
  return layout_.process && chosen != picture_.processes.end() ? &*chosen
                                                               : &picture_.processes.front();
}

void Drawing::head(const Process& process) {
  const std::string which = process.subject ? fmt::format(" ({} {})",
                                                          process.subject->interpreter.empty()
                                                              ? process.subject->kind
                                                              : process.subject->interpreter,
                                                          process.subject->version)
                                            : "";
  const size_t others = picture_.processes.size() - 1;
  say(fmt::format(
      "process {}{}{}{}, {}{}", process.pid, which,
      others ? fmt::format(", and {} more", others) : "", process.ended ? ", ended" : "",
      duration(static_cast<double>(picture_.running_ns)).text(), layout_.paused ? ", paused" : ""));
  say(picture_.command);
}

void Drawing::lock(const Process& process) {
  const auto waiting = static_cast<size_t>(
      std::ranges::count(process.threads, Picture::Being::waits, &Thread::being));
  if (!process.subject) return say("no lock of it is known yet");
  std::string holder = "its holder cannot be seen";
  if (process.holder && process.holder->held && !*process.holder->held) holder = "free";
  if (process.holder && process.holder->held.value_or(false)) {
    holder = process.holder->name.tid ? "held by " + thread_text(process.holder->name) : "held";
    if (process.holder->for_ns) {
      holder += " for " + duration(static_cast<double>(*process.holder->for_ns)).text();
    }
  }
  if (!process.subject->gil) holder = "none";
  if (process.ended) holder = "-";
  say(fmt::format("{:<9} {}", noun(process), holder));
  std::string waiters = waiting ? std::to_string(waiting) : "nobody";
  const auto longest = std::ranges::max_element(
      process.threads, {}, [](const Thread& thread) { return thread.waiting_for_ns.value_or(0); });
  if (longest != process.threads.end() && longest->waiting_for_ns) {
    waiters += fmt::format(", {} longest, for {}", thread_text(longest->name),
                           duration(static_cast<double>(*longest->waiting_for_ns)).text());
  }
  say("waiting   " + waiters);
  say(fmt::format("attempts  {} failed, {} wakeups wasted, holder preempted {}",
                  rate(process.counts.failed), rate(process.counts.wasted_wakeups),
                  rate(process.counts.holder_preempted)));
}

void Drawing::waits(const Process& process) {
  if (!process.subject) return;
  if (!process.since) {
    say("hand-offs and pairs are not shown: " + picture_.not_read);
    return;
  }
  const LockWatch::Since& since = *process.since;
  const auto quantile = [&](double q) {
    const auto ns = since.handoff.quantile_ns(q);
    return duration(ns ? std::optional(static_cast<double>(*ns)) : std::nullopt).text();
  };
  say(fmt::format("hand-off  p50 {}, p99 {}, {}{}", quantile(0.50), quantile(0.99),
                  rate(since.handoffs),
                  since.handoffs_unseen
                      ? fmt::format(", {} of them without a time", rate(since.handoffs_unseen))
                      : ""));
  if (since.pairs.empty()) {
    say("worst     nobody waited for another thread");
    return;
  }
  const LockWatch::Pair& worst = since.pairs.front();
  say(fmt::format("worst     {} waited {}{} a second for", thread_text(worst.waiter),
                  worst.bounded_ns ? "at most " : "", of_a_second(worst.ns)));
  say(fmt::format("          {}: it ran {}, preempted {}, asleep {}", thread_text(worst.owner),
                  of_a_second(worst.running_ns), of_a_second(worst.preempted_ns),
                  of_a_second(worst.asleep_ns)));
}

void Drawing::add(const Table& table) {
  std::ostringstream out;
  table.print(out, layout_.width);
  std::istringstream text(out.str());
  for (std::string line; std::getline(text, line);) say(line);
}

void Drawing::cpus(const Process& process, size_t most) {
  std::vector<Picture::Cpu> rows = process.cpus;
  std::erase_if(rows, [](const Picture::Cpu& cpu) { return cpu.counts == Picture::Counts{}; });
  const size_t busy = rows.size();
  if (busy > most) {
    std::ranges::stable_sort(rows, std::greater<>(),
                             [](const Picture::Cpu& cpu) { return cpu.counts.on_cpu_ns; });
    rows.resize(most > 1 ? most - 1 : 0);
    std::ranges::sort(rows, {}, &Picture::Cpu::cpu);
  }
  Table table({{"", "CPU"},
               {"", "on-CPU"},
               {"", "wakeups/s"},
               {"", "failed/s"},
               {"", "wasted/s"},
               {"", "preempted/s", 1}});
  for (const Picture::Cpu& cpu : rows) {
    table.row(std::to_string(cpu.cpu),
              {percent(per_s(cpu.counts.on_cpu_ns) / 1e9), count(per_s(cpu.counts.wakeups)),
               count(per_s(cpu.counts.failed)), count(per_s(cpu.counts.wasted_wakeups)),
               count(per_s(cpu.counts.holder_preempted))});
  }
  if (busy > rows.size()) table.note(fmt::format("and {} more", busy - rows.size()));
  add(table);
}

bool before(const Thread& a, const Thread& b, PictureLayout::Order order) {
  using Order = PictureLayout::Order;
  switch (order) {
    case Order::waited: {
      const uint64_t of_a = a.waited_ns.value_or(a.counts.failed);
      const uint64_t of_b = b.waited_ns.value_or(b.counts.failed);
      if (of_a != of_b) return of_a > of_b;
      break;
    }
    case Order::failed:
      if (a.counts.failed != b.counts.failed) return a.counts.failed > b.counts.failed;
      break;
    case Order::wasted:
      if (a.counts.wasted_wakeups != b.counts.wasted_wakeups) {
        return a.counts.wasted_wakeups > b.counts.wasted_wakeups;
      }
      break;
    case Order::name:
      if (a.name.name != b.name.name) return a.name.name < b.name.name;
      break;
    case Order::on_cpu:
      break;
  }
  if (order != Order::name && a.counts.on_cpu_ns != b.counts.on_cpu_ns) {
    return a.counts.on_cpu_ns > b.counts.on_cpu_ns;
  }
  return a.name.tid < b.name.tid;
}

const char* word_of(Picture::Being being) {
  switch (being) {
    case Picture::Being::asleep:
      return "sleeps";
    case Picture::Being::waits:
      return "waits";
    case Picture::Being::ready:
      return "ready";
    case Picture::Being::runs:
      return "runs";
    case Picture::Being::holds:
      return "holds";
  }
  return "";
}

void Drawing::threads(const Process& process, size_t most) {
  std::vector<const Thread*> rows;
  for (const Thread& thread : process.threads) rows.push_back(&thread);
  std::ranges::sort(
      rows, [&](const Thread* a, const Thread* b) { return before(*a, *b, layout_.order); });
  const size_t all = rows.size();
  if (all > most) rows.resize(most > 1 ? most - 1 : 0);
  const auto mark = [&](PictureLayout::Order order, const char* name) {
    return layout_.order == order ? fmt::format("*{}", name) : std::string(name);
  };
  using Order = PictureLayout::Order;
  Table table({{"", mark(Order::name, "THREAD")},
               {"", "state"},
               {"", "CPU", 3},
               {"", mark(Order::on_cpu, "on-CPU")},
               {"", mark(Order::waited, "waited/s")},
               {"", mark(Order::failed, "failed/s")},
               {"", mark(Order::wasted, "wasted/s"), 1},
               {"", "wakeups/s", 2}});
  for (const Thread* thread : rows) {
    table.row(
        thread_text(thread->name),
        {{word_of(thread->being), ""},
         thread->cpu < 0 ? Number{"-", ""} : Number{std::to_string(thread->cpu), ""},
         percent(per_s(thread->counts.on_cpu_ns) / 1e9),
         duration(thread->waited_ns ? std::optional(per_s(*thread->waited_ns)) : std::nullopt),
         count(per_s(thread->counts.failed)),
         count(per_s(thread->counts.wasted_wakeups)),
         count(per_s(thread->counts.wakeups))});
  }
  if (all > rows.size()) table.note(fmt::format("and {} more", all - rows.size()));
  add(table);
}

void Drawing::foot(std::vector<std::string>& lines) const {
  std::string cost = "own CPU time: " + percent(picture_.own_share).text() + " of one CPU";
  if (const uint64_t lost = picture_.lost.segments) cost += fmt::format(", {} records lost", lost);
  lines.push_back(fitted(cost));
  if (layout_.keys) lines.push_back(fitted(kKeys));
}

std::vector<std::string> Drawing::lines() {
  std::vector<std::string> foot_lines;
  foot(foot_lines);
  const Process* process = shown();
  if (!process) {
    say("no process yet");
  } else {
    head(*process);
    lock(*process);
    waits(*process);
    say("");
    const size_t fixed = lines_.size() + foot_lines.size() + 3;  // blank lines and headings
    const size_t left = room() > fixed + 2 ? room() - fixed : 2;
    cpus(*process, room() == SIZE_MAX ? SIZE_MAX : std::max<size_t>(left / 3, 1));
    say("");
    const size_t taken = lines_.size() + foot_lines.size() + 1;
    threads(*process, room() == SIZE_MAX ? SIZE_MAX : room() > taken ? room() - taken : 0);
  }
  if (room() != SIZE_MAX) {
    lines_.resize(room() > foot_lines.size() ? room() - foot_lines.size() : 0);
  }
  lines_.insert(lines_.end(), foot_lines.begin(), foot_lines.end());
  if (lines_.size() > room()) lines_.resize(room());
  return std::move(lines_);
}

}  // namespace

std::vector<std::string> draw_picture(const Picture& picture, const PictureLayout& layout) {
  return Drawing(picture, layout).lines();
}

}  // namespace gilscope
