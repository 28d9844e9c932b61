#include "tools/compare/reports.h"

#include <set>

#include "tools/compare/sides.h"
#include "userspace/base/quote.h"

namespace gilscope {
namespace {

// "a" for "a/" and "a/report.json".
std::string bare(std::string argument) {
  if (argument.ends_with("/report.json")) argument.resize(argument.size() - 12);
  while (argument.size() > 1 && argument.back() == '/') argument.pop_back();
  return argument;
}

// Names that tell the arguments apart, without the directories that all are in. Equal names get a
// number.
std::vector<std::string> names_of(const std::vector<std::string>& arguments) {
  std::vector<std::string> names;
  for (const std::string& argument : arguments) names.push_back(bare(argument));
  size_t common = names.front().rfind('/') + 1;  // none: npos + 1
  for (const std::string& name : names) {
    while (common > 0 && name.compare(0, common, names.front(), 0, common) != 0) {
      common = common < 2 ? 0 : names.front().rfind('/', common - 2) + 1;
    }
  }
  std::set<std::string> taken;
  for (std::string& name : names) {
    name = printable(name.substr(common));
    const std::string first = name;
    for (int n = 2; !taken.insert(name).second; ++n) name = fmt::format("{} ({})", first, n);
  }
  return names;
}

}  // namespace

Result<std::vector<ComparedReport>> read_reports(const std::vector<std::string>& arguments) {
  std::vector<ComparedReport> all;
  const std::vector<std::string> names = names_of(arguments);
  for (size_t i = 0; i < arguments.size(); ++i) {
    auto reports = read_compared(arguments[i], i);
    if (!reports) return fail(reports.error());
    for (ComparedReport& report : *reports) {
      report.keys[kByReport] = names[i];
      all.push_back(std::move(report));
    }
  }
  return all;
}

}  // namespace gilscope
