#include "tools/compare/level_names.h"

#include <algorithm>
#include <cctype>
#include <set>

namespace gilscope {
namespace {

// A number between dots is part of a version.
bool of_word(char letter) {
  return letter == '.' || std::isalnum(static_cast<unsigned char>(letter)) ||
         static_cast<unsigned char>(letter) > 127;
}

bool all_fit(const std::vector<std::string>& names, size_t room) {
  return std::ranges::all_of(names, [&](const std::string& name) { return name.size() <= room; });
}

bool all_differ(const std::vector<std::string>& names) {
  return std::set<std::string>(names.begin(), names.end()).size() == names.size();
}

// The length of the beginning that all names share, up to the end of a word.
size_t common_beginning(const std::vector<std::string>& names) {
  const std::string& first = names.front();
  size_t common = first.size();
  for (const std::string& name : names) {
    const auto [end, other] = std::ranges::mismatch(first, name);
    common = std::min(common, size_t(end - first.begin()));
  }
  while (common > 0 && of_word(first[common - 1])) --common;
  return common;
}

std::vector<std::string> reversed(std::vector<std::string> names) {
  for (std::string& name : names) std::ranges::reverse(name);
  return names;
}

// The end of a long name, cut between characters of UTF-8.
std::string end_of(const std::string& name, size_t room) {
  if (name.size() <= room || room < 4) return name;
  size_t from = name.size() - (room - 3);
  while (from < name.size() && (static_cast<unsigned char>(name[from]) & 0xc0) == 0x80) ++from;
  return "..." + name.substr(from);
}

}  // namespace

std::vector<std::string> distinct_names(const std::vector<std::string>& levels, size_t room) {
  if (levels.size() < 2 || !all_differ(levels) || all_fit(levels, room)) return levels;
  std::vector<std::string> names = levels;
  const size_t behind = common_beginning(reversed(names));
  for (std::string& name : names) name.resize(name.size() - std::min(behind, name.size()));
  const size_t before = common_beginning(names);
  for (std::string& name : names) name.erase(0, before);
  const auto empty = [](const std::string& name) { return name.empty(); };
  if (std::ranges::any_of(names, empty) || !all_differ(names)) names = levels;
  for (; !all_fit(names, room); ++room) {
    std::vector<std::string> shorter;
    for (const std::string& name : names) shorter.push_back(end_of(name, room));
    if (all_differ(shorter)) return shorter;
  }
  return names;
}

}  // namespace gilscope
