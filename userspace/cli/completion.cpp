// `gilscope completion`: the script that completes gilscope's command line in a shell. Names come
// from where they are defined: subcommands and options from the parser, policies and workloads from
// their descriptors, experiments and metrics from their lists. The shells' own code is in
// completion/.
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <memory>

#include "userspace/base/command.h"
#include "userspace/base/output.h"
#include "userspace/cli/cli.h"
#include "userspace/descriptor/policy.h"
#include "userspace/descriptor/workload.h"
#include "userspace/experiment/plan/builtin.h"
#include "userspace/report/metric_names.h"

namespace gilscope {
namespace {

const char* const kEngineBash =
#include "userspace/cli/completion/engine.bash.inc"
    ;
const char* const kEngineZsh =
#include "userspace/cli/completion/engine.zsh.inc"
    ;
const char* const kEngineFish =
#include "userspace/cli/completion/engine.fish.inc"
    ;

using Words = std::vector<std::string>;

// The possible values of an option.
struct Values {
  Words words;
  enum class Files { none, files, directories } files = Files::none;
  std::string terms;  // "policy" or "workload": words with arguments
};

Words policy_words() {
  Words words;
  for (const PolicyDescriptor& policy : policies()) {
    words.push_back(policy.example());
    for (const PolicyOption& option : policy.options) {
      words.push_back(policy.example() + "," + option.word);
    }
  }
  return words;
}

Words workload_words() {
  Words words;
  for (const WorkloadDescriptor& workload : workloads()) words.push_back(workload.example());
  return words;
}

Words builtin_words() {
  Words words;
  for (const Builtin& builtin : builtin_specs()) words.emplace_back(builtin.name);
  return words;
}

// Each name, and how its arguments can begin.
std::vector<std::pair<std::string, Words>> arguments_of(const std::string& terms) {
  std::vector<std::pair<std::string, Words>> all;
  if (terms == "policy") {
    for (const PolicyDescriptor& policy : policies()) {
      Words words;
      if (policy.value) words.push_back(policy.example().substr(policy.name.size() + 1));
      for (const PolicyOption& option : policy.options) words.push_back(option.word);
      if (!words.empty()) all.emplace_back(policy.name, words);
    }
  } else {
    for (const WorkloadDescriptor& workload : workloads()) {
      all.emplace_back(workload.name, argument_forms(workload.all_parameters()));
    }
  }
  return all;
}

Words split_at_bars(const std::string& kind) {
  Words words;
  for (size_t at = 0; at <= kind.size();) {
    const size_t bar = std::min(kind.find('|', at), kind.size());
    words.push_back(kind.substr(at, bar - at));
    at = bar + 1;
  }
  return words;
}

// Fails for a kind without an entry here, so that no new one is forgotten.
Result<Values> values_of(const OptionInfo& option) {
  using Files = Values::Files;
  static const std::map<std::string, Values> known = {
      {"N", {}},
      {"PID", {}},
      {"VALUE", {}},
      {"PID", {}},
      {"TIME", {{"10s", "500ms", "2m"}, Files::none, ""}},
      {"COMMAND", {{}, Files::files, ""}},
      {"LOCK", {{"mutex@", "mutex:auto", "rwlock@", "cond@"}, Files::none, ""}},
      {"SHARE", {}},
      {"THREADS", {{"1", "2", "1x", "2x"}, Files::none, ""}},
      {"CPUS", {{"1", "2", "all", "1..all"}, Files::none, ""}},
      {"POLICY", {policy_words(), Files::none, "policy"}},
      {"WORKLOAD", {workload_words(), Files::none, "workload"}},
      {"KEY",
       {{"cpus", "policy", "workload", "threads", "arrangement", "kernel", "host"},
        Files::none,
        ""}},
      {"METRIC", {metric_names(), Files::none, ""}},
      {"SPEC", {builtin_words(), Files::files, ""}},
      {"REPORT", {{}, Files::files, ""}},
      {"FILE", {{}, Files::files, ""}},
      {"DIR", {{}, Files::directories, ""}},
  };
  if (const auto found = known.find(option.kind); found != known.end()) return found->second;
  if (option.kind.find('|') != option.kind.npos)
    return Values{split_at_bars(option.kind), Values::Files::none, ""};
  return fail(
      fmt::format("completion: no values are known for {} ({}); completion.cpp has to list them",
                  option.kind, option.name));
}

std::string joined(const Words& words) {
  return fmt::format("{}", fmt::join(words, " "));
}

// --- bash and zsh: the same tables, as functions ------------------------------------------------

constexpr const char* kWritten =
    "# Completes gilscope's command line in {0}. `gilscope completion {0}` writes this from the\n"
    "# program's own names; `make completions` does so in the source tree.\n";

Result<std::string> tables(const std::vector<CommandInfo>& commands,
                           const std::vector<OptionInfo>& global) {
  Words names, global_names;
  for (const CommandInfo& command : commands) names.push_back(command.name);
  for (const OptionInfo& option : global) global_names.push_back(option.name);

  std::string options = "\n# The options of a command.\n_gilscope_options() {\n  case $1 in\n";
  std::string taking = "\n_gilscope_takes_value() {\n  case $1/$2 in\n    ";
  std::string values =
      "\n# The values of an option of a command, or of its positional.\n"
      "_gilscope_values() {\n  case $1/$2 in\n";
  options += fmt::format("    '') offered='{}' ;;\n", joined(global_names));
  values += fmt::format("    /) offered='{} {}' ;;\n", joined(names), joined(global_names));
  Words with_value;
  for (const CommandInfo& command : commands) {
    Words of_command;
    bool positional = false;
    for (const OptionInfo& option : command.options) {
      if (!option.positional) of_command.push_back(option.name);
      positional = positional || option.positional;
      if (option.kind.empty()) continue;
      const auto can_be = values_of(option);
      if (!can_be) return fail(can_be.error());
      const std::string place = command.name + "/" + (option.positional ? "" : option.name);
      if (!option.positional) with_value.push_back(place);
      Words set;
      if (!can_be->words.empty()) set.push_back(fmt::format("offered='{}'", joined(can_be->words)));
      if (can_be->files == Values::Files::files) set.emplace_back("files=-f");
      if (can_be->files == Values::Files::directories) set.emplace_back("files=-d");
      if (!can_be->terms.empty()) set.push_back("terms=" + can_be->terms);
      if (!set.empty()) values += fmt::format("    {}) {} ;;\n", place, joined(set));
    }
    options += fmt::format("    {}) offered='{}' ;;\n", command.name, joined(of_command));
    if (!positional)
      values += fmt::format("    {}/) offered='{}' ;;\n", command.name, joined(of_command));
  }
  std::string arguments =
      "\n# How the arguments of a policy or a workload begin.\n_gilscope_arguments() {\n  case "
      "$1/$2 in\n";
  for (const char* terms : {"policy", "workload"}) {
    for (const auto& [name, words] : arguments_of(terms)) {
      arguments += fmt::format("    {}/{}) arguments='{}' ;;\n", terms, name, joined(words));
    }
  }
  const std::string end = "  esac\n}\n";
  return options + end + taking + fmt::format("{}", fmt::join(with_value, " | \\\n      ")) +
         ") return 0 ;;\n  esac\n  return 1\n}\n" + values + end + arguments + end;
}

// --- fish ---------------------------------------------------------------------------------------

std::string fish_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string fish_values(const Values& can_be, bool positional) {
  if (!can_be.terms.empty()) return fmt::format(" -x -a '(__gilscope_terms {})'", can_be.terms);
  std::string out;
  if (!can_be.words.empty()) out += " -a " + fish_quoted(joined(can_be.words));
  switch (can_be.files) {
    case Values::Files::files:
      return (positional ? " -F" : " -r -F") + out;
    case Values::Files::directories:
      return (positional ? " -f" : " -x") + std::string(" -a '(__fish_complete_directories)'");
    case Values::Files::none:
      break;
  }
  return (positional ? " -f" : " -x") + out;
}

Result<std::string> fish_tables(const std::vector<CommandInfo>& commands,
                                const std::vector<OptionInfo>& global) {
  std::string out = "\nfunction __gilscope_names\n    switch $argv[1]\n";
  for (const auto& [terms, words] :
       {std::pair("policy", policy_words()), {"workload", workload_words()}}) {
    out += fmt::format("        case {}\n            printf '%s\\n' {}\n", terms, joined(words));
  }
  out += "    end\nend\n\nfunction __gilscope_arguments\n    switch $argv[1]/$argv[2]\n";
  for (const char* terms : {"policy", "workload"}) {
    for (const auto& [name, words] : arguments_of(terms)) {
      out += fmt::format("        case {}/{}\n            printf '%s\\n' {}\n", terms, name,
                         joined(words));
    }
  }
  out += "    end\nend\n\ncomplete -c gilscope -f\n";
  const auto line = [&](const std::string& condition, const OptionInfo& option) -> Status {
    out += fmt::format("complete -c gilscope -n {}", fish_quoted(condition));
    if (!option.positional) {
      out += option.name.starts_with("--") ? " -l " + option.name.substr(2)
                                           : " -s " + option.name.substr(1);
    }
    if (!option.kind.empty()) {
      const auto can_be = values_of(option);
      if (!can_be) return fail(can_be.error());
      out += fish_values(*can_be, option.positional);
    }
    out += " -d " + fish_quoted(option.help) + "\n";
    return {};
  };
  for (const OptionInfo& option : global) {
    if (Status s = line("__fish_use_subcommand", option); !s) return fail(s.error());
  }
  for (const CommandInfo& command : commands) {
    out += fmt::format("complete -c gilscope -n __fish_use_subcommand -a {} -d {}\n", command.name,
                       fish_quoted(command.help));
  }
  for (const CommandInfo& command : commands) {
    for (const OptionInfo& option : command.options) {
      if (Status s = line("__fish_seen_subcommand_from " + command.name, option); !s)
        return fail(s.error());
    }
  }
  return out;
}

Result<std::string> completion(const std::string& shell, const CLI::App& app) {
  const auto commands = commands_of(app);
  const auto global = options_of(app);
  const auto table = shell == "fish" ? fish_tables(commands, global) : tables(commands, global);
  if (!table) return fail(table.error());
  const std::string written = fmt::format(fmt::runtime(kWritten), shell);
  if (shell == "bash")
    return "# shellcheck shell=bash disable=SC2034\n" + written + *table + kEngineBash;
  if (shell == "zsh") return "#compdef gilscope\n" + written + *table + kEngineZsh;
  return written + kEngineFish + *table;
}

}  // namespace

void add_completion(CLI::App& app, Exit& exit) {
  auto shell = std::make_shared<std::string>();
  Command command(app, "completion", "print what completes this command line in bash, zsh or fish");
  command.option("SHELL", *shell, "bash, zsh or fish").one_of({"bash", "zsh", "fish"}).required();
  command.on_run([shell, &app, &exit] {
    const auto text = completion(*shell, app);
    exit = text ? exit_of(write_output(*text)) : write_error(text.error());
  });
}

}  // namespace gilscope
