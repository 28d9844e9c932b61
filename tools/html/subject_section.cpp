#include "tools/html/subject_section.h"

#include "tools/analysis/lock_name.h"
#include "tools/analysis/subject_words.h"
#include "tools/html/html_table.h"
#include "tools/html/markup.h"

namespace gilscope {
namespace {

// As many as a page shows of a cell's threads elsewhere.
constexpr size_t kManyThreads = 32;

std::string paragraph(const std::string& text, const char* attributes = "") {
  return text.empty() ? "" : fmt::format("<p{}>{}</p>\n", attributes, escaped(text));
}

std::string waits_table(const Run& run, const WaitMatrix& waits, const std::string& lock,
                        const Times& times) {
  HtmlTable table(
      fmt::format("Each thread: how long it waited for {}, and how long it held it meanwhile",
                  lock),
      {{"", "", ""},
       {"", "waited", "waits"},
       {"held it while others waited", "running", "waits"},
       {"held it while others waited", "preempted", "waits"},
       {"held it while others waited", "asleep", "waits"}});
  const std::vector<std::string> names = thread_names(run);
  const std::vector<PairWaits> owners = waits.owners();
  const auto time = [&](uint64_t ns) -> HtmlTable::Datum {
    return {times.of(duration(double(ns))), double(ns)};
  };
  for (size_t slot = 0; slot < names.size() && slot < owners.size(); ++slot) {
    if (slot == kManyThreads) {
      table.note(fmt::format("and {} more: gilscope show --all", names.size() - slot));
      break;
    }
    const PairWaits& owner = owners[slot];
    table.row(escaped(names[slot]),
              {time(waits.waited_ns(slot)), time(owner.of(OwnerWas::running).ns),
               time(owner.of(OwnerWas::preempted).ns), time(owner.of(OwnerWas::asleep).ns)},
              fmt::format("data-waits-of=\"{}\"", slot));
  }
  return table.html();
}

}  // namespace

std::string subject_section(const Cell& cell, const CellFindings* found, const Times& times) {
  const Run* run = subject_run(cell);
  std::string out =
      paragraph(doubt_of(cell).empty() ? ""
                                       : fmt::format("Not to be believed, as far as {} goes: {}",
                                                     lock_name(cell), doubt_of(cell)),
                " class=\"warning\"");
  out += paragraph(subject_line(*cell.subject)) + paragraph(watched_line(cell, times)) +
         paragraph(whose_fault(cell, found, times)) + paragraph(counted_line(cell)) +
         paragraph(self_test(cell));
  if (run && found && has_gil(cell))
    out += waits_table(*run, found->sum.waits, lock_name(cell), times);
  return out;
}

}  // namespace gilscope
