// A subcommand and its options. CLI11 does the parsing; only command.cpp and the file that makes
// the CLI::App include it, because it takes longer to compile than all of the commands.
//
// Every option takes its values here, so that the same rules hold for all: a blank value (an unset
// shell variable) is refused, and so is another option in place of a value; numbers are written as
// in a spec (parse_count).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "userspace/base/result.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace gilscope {

class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}

  // Sets the kind of value that --help shows. Shell completion offers values by it: FILE, DIR,
  // POLICY and so on (cli/completion.cpp). A positional's name is its kind.
  Option value_kind(const std::string& kind);
  Option required();
  Option one_of(const std::vector<std::string>& values);
  Option excludes(const Option& other);

 private:
  CLI::Option* option_;
};

class Command {
 public:
  Command(CLI::App& app, const std::string& name, const std::string& description);

  // "-o" and "--long" are options, other names positional. `into` must outlive the parsing.
  Option option(const std::string& name, std::string& into, const std::string& help);
  Option option(const std::string& name, std::optional<std::string>& into, const std::string& help);
  // May be repeated, with one value each time; a positional takes all that remain.
  Option option(const std::string& name, std::vector<std::string>& into, const std::string& help);
  // Numbers from `low` to `high`.
  Option option(const std::string& name, std::optional<int>& into, int low, int high,
                const std::string& help);
  Option option(const std::string& name, std::optional<uint64_t>& into, const std::string& help);
  Option option(const std::string& name, std::vector<int>& into, int low, int high,
                const std::string& help);
  // An error of `take` becomes a usage error with the same message.
  Option option(const std::string& name, std::function<Status(const std::string&)> take,
                const std::string& help);
  Option flag(const std::string& name, bool& into, const std::string& help);
  // The rest of the line, from "--" or from the first word that is no option on, as it stands:
  // another program's command line. A command that takes it has no other positional.
  Option rest(const std::string& name, std::vector<std::string>& into, const std::string& help);

  // Sets what the command does once the command line is parsed.
  void on_run(std::function<void()> body);

 private:
  enum class Values { one, many };
  Option add(const std::string& name, Values values, std::function<Status(const std::string&)> take,
             const std::string& help);

  CLI::App* app_;
};

// Prepares the words after the program's name for the parser. The parser would take the next word
// as the value of "--out=", and "=" as the value of "-o=": both are refused here, as are blank
// positionals. "-o=FILE" becomes two words. The words of another program's command line
// (Command::rest) are marked, so that the parser leaves them alone.
Result<std::vector<std::string>> checked_arguments(const CLI::App& app,
                                                   const std::vector<std::string>& words);

// The registered commands and options, for shell completion.
struct OptionInfo {
  std::string name;  // "--out", "-o"; for a positional, "REPORT"
  std::string help;
  std::string
      kind;  // from value_kind(), or "full|counters|off" from one_of(); empty: takes no value
  bool positional = false;
  bool repeated = false;
};
struct CommandInfo {
  std::string name;
  std::string help;
  std::vector<OptionInfo> options;
};
std::vector<CommandInfo> commands_of(const CLI::App& app);
// The options before a subcommand: --help, --version.
std::vector<OptionInfo> options_of(const CLI::App& app);

}  // namespace gilscope
