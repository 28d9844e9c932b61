#include "tools/analysis/lock_name.h"

#include <fmt/format.h>

#include "userspace/base/quote.h"

namespace gilscope {
namespace {

std::string in_capitals(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

}  // namespace

std::string lock_noun(const CellSubject& subject) {
  if (subject.lock.empty()) return "GIL";
  return subject.lock == "cond" ? "condition" : printable(subject.lock);
}

std::string lock_noun(const Report& report) {
  for (const Cell& cell : report.cells) {
    if (cell.subject && !cell.subject->lock.empty()) return lock_noun(*cell.subject);
  }
  return "GIL";
}

std::string lock_heading(const Report& report) {
  return in_capitals(lock_noun(report));
}

std::string lock_heading(const Cell& cell) {
  return cell.subject ? in_capitals(lock_noun(*cell.subject)) : "GIL";
}

std::string lock_name(const CellSubject& subject) {
  const std::string noun = lock_noun(subject);
  if (subject.lock.empty() || !subject.gil) return "the " + noun;
  const SubjectGil& place = *subject.gil;
  if (!place.symbol.empty()) {
    return fmt::format("the {} `{}{}`", noun, printable(place.symbol),
                       place.offset ? fmt::format("+{:#x}", place.offset) : "");
  }
  // Without a file, the offset is the address.
  if (!place.object.starts_with('/')) return fmt::format("the {} at {:#x}", noun, place.offset);
  const std::string file = place.object.substr(place.object.rfind('/') + 1);
  return fmt::format("the {} at {}+{:#x}", noun, printable(file), place.offset);
}

std::string lock_name(const Cell& cell) {
  return cell.subject ? lock_name(*cell.subject) : "the GIL";
}

}  // namespace gilscope
