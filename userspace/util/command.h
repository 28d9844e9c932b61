// A subcommand and its options, as gilscope's commands need them. CLI11 does the work.
// Only command.cpp and what makes the CLI::App include it: it takes longer to compile than all of
// the commands.
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

  Option required();
  Option one_of(const std::vector<std::string>& values);
  // Takes one value each time that it is given, and no more.
  Option repeated();
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
  Option option(const std::string& name, std::optional<int>& into, const std::string& help);
  Option option(const std::string& name, std::optional<uint64_t>& into, const std::string& help);
  Option option(const std::string& name, std::vector<std::string>& into, const std::string& help);
  Option option(const std::string& name, std::vector<int>& into, const std::string& help);
  // What `take` refuses is an error of the command line, in its words.
  Option option(const std::string& name, std::function<Status(const std::string&)> take,
                const std::string& help);
  Option flag(const std::string& name, bool& into, const std::string& help);

  // What the command does, once everything is parsed.
  void on_run(std::function<void()> body);

 private:
  CLI::App* app_;
};

}  // namespace gilscope
