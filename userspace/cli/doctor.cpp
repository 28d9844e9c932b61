// `gilscope doctor`: what this machine can do, and a fix for each thing it cannot.
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "userspace/base/command.h"
#include "userspace/base/output.h"
#include "userspace/cli/cli.h"
#include "userspace/machine/features/features.h"

namespace gilscope {
namespace {

constexpr const char* kGreen = "\x1b[32m";
constexpr const char* kRed = "\x1b[31m";
constexpr const char* kYellow = "\x1b[33m";
constexpr const char* kPlain = "\x1b[0m";

struct Verdict {
  const char* word;
  const char* colour;
};

Verdict verdict(const Feature& feature) {
  if (feature.ok) return {"ok", kGreen};
  return feature.required ? Verdict{"MISSING", kRed} : Verdict{"optional", kYellow};
}

std::string as_text(const std::vector<Feature>& features, bool colour) {
  size_t width = 0;
  for (const Feature& feature : features) width = std::max(width, feature.name.size());
  std::string out;
  for (const Feature& feature : features) {
    const auto [word, tone] = verdict(feature);
    out += fmt::format("{}{:8}{}  {:{}}  {}\n", colour ? tone : "", word, colour ? kPlain : "",
                       feature.name, width, feature.detail);
    if (!feature.ok) out += fmt::format("{:10}{:{}}  fix: {}\n", "", "", width, feature.fix);
  }
  const Status status = first_missing(features);
  out += status ? "This machine can run every experiment, except those that need a feature marked "
                  "optional above.\n"
                : "This machine cannot trace: it needs every feature marked MISSING above.\n";
  return out;
}

std::string as_json(const std::vector<Feature>& features) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Feature& feature : features) {
    list.push_back(
        {{"name", feature.name},
         {"ok", feature.ok},
         {"required", feature.required},
         {"detail", feature.detail},
         {"fix", feature.ok ? nlohmann::ordered_json() : nlohmann::ordered_json(feature.fix)}});
  }
  const nlohmann::ordered_json document = {{"ok", first_missing(features).has_value()},
                                           {"features", list}};
  // Text from the machine may hold bytes that are not UTF-8; without `replace`, dump() would throw.
  return document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

void add_doctor(CLI::App& app, Exit& exit) {
  Command command(app, "doctor", "check what this machine can do, with a fix for what it cannot");
  auto json = std::make_shared<bool>(false);
  command.flag("--json", *json, "print it as JSON");
  command.on_run([json, &exit] {
    const auto features = probe_features();
    exit =
        exit_of(write_output(*json ? as_json(features) : as_text(features, output_takes_colour())));
    if (exit != Exit::done) return;
    if (!first_missing(features)) exit = Exit::unable;
  });
}

}  // namespace gilscope
