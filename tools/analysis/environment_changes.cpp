#include "tools/analysis/environment_changes.h"

#include <algorithm>

#include "tools/analysis/fact_text.h"
#include "userspace/report/model.h"

namespace gilscope {
namespace {

const Fact* find(const Facts& facts, const std::string& key) {
  const auto found =
      std::find_if(facts.begin(), facts.end(), [&](const Fact& fact) { return fact.key == key; });
  return found == facts.end() ? nullptr : &*found;
}

}  // namespace

std::vector<EnvironmentChange> environment_changes(const Report& report) {
  std::vector<EnvironmentChange> changes;
  for (const Fact& before : report.environment_before) {
    const Fact* after = find(report.environment_after, before.key);
    if (!after || after->value == before.value) continue;
    changes.push_back({before.key, text_of(before), text_of(*after), is_setting(before.key)});
  }
  return changes;
}

}  // namespace gilscope
