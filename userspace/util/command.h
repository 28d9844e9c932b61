// A subcommand and its options, as gilscope's commands need them. CLI11 does the work.
// Only command.cpp and what makes the CLI::App include it: it takes longer to compile than all of
// the commands.
//
// Every option takes its values here, so that none can forget what holds for all: a value that is
// blank, as that of a variable that was not set, is refused, and so is another option in its place;
// a number is written as in a spec (parse_count).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "userspace/util/result.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace gilscope {

class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}

  // What a value is, for --help and for the completion of shells, which knows what FILE, DIR,
  // POLICY and the like can be (cli/completion.cpp). The name of a positional says it already.
  Option is_a(const std::string& kind);
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
  // One that may be repeated takes one value each time; a positional takes all that come.
  Option option(const std::string& name, std::vector<std::string>& into, const std::string& help);
  // Numbers between bounds.
  Option option(const std::string& name, std::optional<int>& into, int low, int high,
                const std::string& help);
  Option option(const std::string& name, std::optional<uint64_t>& into, const std::string& help);
  Option option(const std::string& name, std::vector<int>& into, int low, int high,
                const std::string& help);
  // What `take` refuses is an error of the command line, in its words.
  Option option(const std::string& name, std::function<Status(const std::string&)> take,
                const std::string& help);
  Option flag(const std::string& name, bool& into, const std::string& help);

  // What the command does, once everything is parsed.
  void on_run(std::function<void()> body);

 private:
  enum class Values { one, many };
  Option add(const std::string& name, Values values, std::function<Status(const std::string&)> take,
             const std::string& help);

  CLI::App* app_;
};

// What the parser is to be given for these words, those behind the program's name. It would take
// the next word for the value of "--out=", and "=" for that of "-o=": both are refused here, as are
// blank words where no option waits for a value; "-o=FILE" is made two words.
Result<std::vector<std::string>> checked_arguments(const CLI::App& app,
                                                   const std::vector<std::string>& words);

// What there is, for those that write of it: the completion of shells.
struct OptionFacts {
  std::string name;  // "--out", "-o"; of a positional "REPORT"
  std::string help;
  std::string
      kind;  // as is_a() has it, one_of()'s as "full|counters|off"; empty: it takes no value
  bool positional = false;
  bool repeated = false;
};
struct CommandFacts {
  std::string name;
  std::string help;
  std::vector<OptionFacts> options;
};
std::vector<CommandFacts> commands_of(const CLI::App& app);
// Those that stand before a subcommand: --help, --version.
std::vector<OptionFacts> options_of(const CLI::App& app);

}  // namespace gilscope
