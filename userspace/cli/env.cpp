// `gilscope env`: what a report made now would record about this machine.
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "userspace/base/command.h"
#include "userspace/base/output.h"
#include "userspace/base/refusal.h"
#include "userspace/cli/cli.h"
#include "userspace/machine/facts/environment.h"
#include "userspace/machine/facts/value_text.h"
#include "userspace/report/facts_json.h"

namespace gilscope {
namespace {

std::string aligned(const Facts& facts) {
  size_t width = 0;
  for (const Fact& fact : facts) width = std::max(width, fact.key.size());
  std::string out;
  for (const Fact& fact : facts) {
    out += fmt::format("{:{}}  {}", fact.key, width, value_text(fact));
    if (!fact.reason.empty()) out += fmt::format(" ({})", fact.reason);
    out += '\n';
  }
  return out;
}

std::string as_json(const Facts& facts) {
  // Text from the machine may hold bytes that are not UTF-8; without `replace`, dump() would throw.
  return facts_to_json(facts).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

void add_env(CLI::App& app, Exit& exit) {
  Command command(app, "env", "print what a report would record about this machine");
  auto json = std::make_shared<bool>(false);
  command.flag("--json", *json, "print it as JSON");
  command.on_run([json, &exit] {
    if (Status there = require_proc(); !there) {
      exit = write_error(there.error());
      return;
    }
    Facts facts = capture_environment();
    const Facts moment = capture_moment();
    facts.insert(facts.end(), moment.begin(), moment.end());
    exit = exit_of(write_output(*json ? as_json(facts) : aligned(facts)));
  });
}

}  // namespace gilscope
